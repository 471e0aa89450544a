#include "simulator/scenario/validate_pipeline.hpp"

#include <algorithm>
#include <set>

#include "simulator/scenario/topology.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::string_view composite = "composite";
constexpr auto no_pipeline = "there is no pipeline";
constexpr auto name_a_queue = "set system.queue";

bool needs_pipeline(const Step& step) {
    const auto* const reserve = std::get_if<ReserveStep>(&step);
    return std::holds_alternative<IngestStep>(step) || (reserve != nullptr && reserve->queued);
}

class PipelineValidator {
public:
    PipelineValidator(const Scenario& scenario, const Node& tree, Reader& reader)
        : scenario_(scenario), system_(scenario.system), tree_(tree), reader_(reader) {}

    void run() {
        if (system_.queue.empty()) {
            refuse_what_needs_it();
            return;
        }
        if (system_.shards > 1) {
            error("system.shards", "the pipeline is for a system of one database",
                  "leave out queue or shards");
        }
        check_composite();
    }

private:
    void error(const std::string& path, std::string message, std::string hint) {
        reader_.error_at(tree_, path, std::move(message), std::move(hint));
    }

    // Calls visit(path, queue) for each queue that is switched to.
    template <class Visit>
    void for_each_switch(Visit visit) {
        for (std::size_t index = 0; index < scenario_.timeline.size(); ++index) {
            const auto& fault = scenario_.timeline[index].fault;
            if (!fault || fault->kind != FaultKind::switch_queue) { continue; }
            visit("timeline." + std::to_string(index) + ".switch-queue.to", fault->target);
        }
        if (!scenario_.swarm) { return; }
        for (std::size_t index = 0; index < scenario_.swarm->kinds.size(); ++index) {
            const std::string path = "swarm.kinds." + std::to_string(index) + ".switch-queue.to";
            for (const std::string& to : scenario_.swarm->kinds[index].to) { visit(path, to); }
        }
    }

    void refuse_what_needs_it() {
        constexpr const char* keys[] = {"queue-options", "ingests", "processors", "queue-size",
                                        "workers"};
        const Node* const system = tree_.find("system");
        for (const char* const key : keys) {
            if (system == nullptr || system->find(key) == nullptr) { continue; }
            error(std::string("system.") + key, no_pipeline, name_a_queue);
        }
        for_each_switch([this](const std::string& path, const std::string&) {
            error(path, no_pipeline, name_a_queue);
        });
        for (const Journey& journey : scenario_.journeys) {
            const auto step = std::ranges::find_if(journey.steps, needs_pipeline);
            if (step == journey.steps.end()) { continue; }
            error("journeys." + journey.name, std::string(no_pipeline) + " for its messages",
                  name_a_queue);
        }
    }

    void check_composite() {
        const auto& providers = system_.queue_options.providers;
        bool used = false;
        const auto use = [&](const std::string& path, const std::string& queue) {
            if (queue != composite) { return; }
            used = true;
            if (!providers.empty()) { return; }
            error(path, "nothing says what the composite queue is made of",
                  "list system.queue-options.providers");
        };
        use("system.queue", system_.queue);
        for_each_switch(use);
        if (!used && !providers.empty()) {
            error("system.queue-options", "no queue of this run is composite", "leave it out");
        }
        std::set<std::string> seen;
        for (std::size_t index = 0; index < providers.size(); ++index) {
            if (seen.insert(providers[index]).second) { continue; }
            error("system.queue-options.providers." + std::to_string(index),
                  '"' + providers[index] + "\" is listed already", "list each once");
        }
    }

    const Scenario& scenario_;
    const SystemSpec& system_;
    const Node& tree_;
    Reader& reader_;
};

}  // namespace

void check_pipeline(const Scenario& scenario, const Node& tree, Reader& reader) {
    PipelineValidator(scenario, tree, reader).run();
}

bool is_live_link_fault(const Fault& fault) {
    if (fault.kind != FaultKind::partition && fault.kind != FaultKind::latency) { return false; }
    if (!fault.between) { return is_broker(fault.target); }
    return is_broker(fault.between->first) || is_broker(fault.between->second);
}

}  // namespace rushproof::simulator
