#include "simulator/scenario/validate.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/topology.hpp"
#include "simulator/scenario/validate_pipeline.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::array live_kinds{FaultKind::kill,         FaultKind::stop,
                                FaultKind::pause,        FaultKind::restart,
                                FaultKind::promote,      FaultKind::terminate_backends,
                                FaultKind::pause_replay, FaultKind::switch_queue};

constexpr std::int64_t live_replicas_max = 1;

bool contains(const auto& list, const auto& value) {
    return std::ranges::find(list, value) != std::ranges::end(list);
}

bool needs_reservation(const Step& step) {
    return std::holds_alternative<FindStep>(step) || std::holds_alternative<ExtendStep>(step);
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string join(std::string_view path, std::string_view segment) {
    return std::string(path) + '.' + std::string(segment);
}
std::string join(std::string_view path, std::size_t index) {
    return join(path, std::to_string(index));
}

class Validator {
public:
    Validator(const Document& document, const Node& tree, Reader& reader)
        : document_(document), scenario_(document.scenario), tree_(tree), reader_(reader) {}

    void run() {
        check_database();
        check_shards();
        check_stock();
        check_loads();
        check_journeys();
        check_timeline();
        check_swarm();
        check_pipeline(scenario_, tree_, reader_);
        check_checks();
        check_thresholds();
        check_expectations();
        if (scenario_.mode != Mode::sim) { check_live(); }
    }

private:
    void error(std::string_view path, std::string message, std::string hint = {}) {
        reader_.error_at(tree_, path, std::move(message), std::move(hint));
    }
    void warning(std::string_view path, std::string message, std::string hint = {}) {
        reader_.warning_at(tree_, path, std::move(message), std::move(hint));
    }
    // Something that begins at or after the end of the run.
    void after_the_end(std::string_view path, Duration at) {
        const Node* const duration = tree_.find("duration");
        const std::string end = format_duration(scenario_.duration);
        if (duration != nullptr && duration->place.origin != 0) {
            warning(path, format_duration(at) + " is left out: the run ends at " + end);
        } else {
            error(path, format_duration(at) + " is not before the end of the run",
                  "the run lasts " + end);
        }
    }

    void check_database() {
        const SystemSpec& system = scenario_.system;
        if (system.synchronous_standbys > system.replicas) {
            error("system.synchronous-standbys",
                  "no commit would ever end: it would wait for " +
                      std::to_string(system.synchronous_standbys) + " standbys of " +
                      std::to_string(system.replicas),
                  "set replicas to as many or more");
        }
        if (system.replicas > 0 && system.database == "sqlite") {
            error("system.replicas", "SQLite has no replicas", "leave it out");
        }
    }

    void check_shards() {
        const SystemSpec& system = scenario_.system;
        if (system.inventories < system.shards) {
            error("system.shards", "some of the shards would have no instance of inventory",
                  "set services.inventory to " + std::to_string(system.shards) + " or more");
        }
        if (system.shards > 1 && system.replicas > 0) {
            error("system.replicas", "only a database of one shard has replicas",
                  "leave out replicas or shards");
        }
    }

    void check_stock() {
        if (scenario_.stock.skus == 0 && scenario_.stock.set.empty()) {
            error("stock", "there is nothing for sale", "set skus to 1 or more");
        }
    }

    bool is_sku(std::string_view name) const {
        constexpr std::string_view prefix = "SKU-";
        for (const auto& [sku, units] : scenario_.stock.set) {
            if (sku == name) { return true; }
        }
        if (!name.starts_with(prefix)) { return false; }
        const auto digits = name.substr(prefix.size());
        const auto number = parse_integer(digits);
        return number && *number >= 1 && *number <= scenario_.stock.skus &&
               std::to_string(*number) == digits;
    }
    void check_sku(std::string_view path, const std::string& name) {
        if (name.empty() || is_sku(name)) { return; }
        std::vector<std::string> names;
        for (const auto& [sku, units] : scenario_.stock.set) { names.push_back(sku); }
        const auto count = scenario_.stock.skus;
        auto hint = suggest(name, names);
        if (hint.empty() && count > 0) { hint = "SKU-1 to SKU-" + std::to_string(count); }
        error(path, "no SKU " + quoted(name) + " in stock", hint);
    }

    void check_loads() {
        check_sku("popularity.sku", scenario_.popularity.sku);
        if (scenario_.loads.empty()) {
            error("load", "nobody comes", "describe at least one load");
        }
        std::vector<std::string> journeys;
        for (const auto& journey : scenario_.journeys) { journeys.push_back(journey.name); }
        for (const auto& load : scenario_.loads) {
            const std::string path = join("load", load.name);
            if (!contains(journeys, load.journey)) {
                error(join(path, "journey"), "no journey " + quoted(load.journey),
                      suggest(load.journey, journeys));
            }
            if (load.popularity) { check_sku(join(path, "popularity.sku"), load.popularity->sku); }
            if (load.start_time >= scenario_.duration) {
                after_the_end(join(path, "start-time"), load.start_time);
            }
        }
    }

    void check_journeys() {
        for (const auto& journey : scenario_.journeys) {
            const std::string path = join("journeys", journey.name);
            if (!std::ranges::any_of(scenario_.loads, [&](const Load& load) {
                    return load.journey == journey.name;
                })) {
                warning(path, "no load uses this journey");
            }
            check_steps(path, journey);
        }
    }
    void check_steps(const std::string& path, const Journey& journey) {
        // The tree also has the retry among the steps, so positions are found by kind.
        const Node* const items = find_path(tree_, path).node;
        bool reserved = false;
        std::size_t index = 0;
        for (const auto& step : journey.steps) {
            while (index < items->items.size() && items->items[index].find("retry") != nullptr) {
                ++index;
            }
            const std::string at = join(path, index++);
            if (const auto* const reserve = std::get_if<ReserveStep>(&step)) {
                reserved = true;
                check_sku(join(at, "reserve.sku"), reserve->sku);
            } else if (std::holds_alternative<ReserveManyStep>(step)) {
                reserved = true;
            } else if (const auto* const read = std::get_if<ReadStep>(&step)) {
                check_sku(join(at, "read.sku"), read->sku);
                check_stale_read(at);
            } else if (std::holds_alternative<ChooseStep>(step) && !reserved) {
                error(at, "there is nothing to choose about yet", "reserve before it");
            } else if (needs_reservation(step) && !reserved) {
                error(at, "there is no reservation yet", "reserve before it");
            }
        }
    }

    // A replica may answer a read with an older stock, which is no bug.
    void check_stale_read(const std::string& path) {
        const SystemSpec& system = scenario_.system;
        if (system.reads != "replica" || system.replicas == 0) { return; }
        const bool judged = std::ranges::any_of(
            scenario_.checks, [](const CheckSpec& check) { return check.name == "linearizable"; });
        const bool expected = std::ranges::any_of(document_.expect, [](const auto& expectation) {
            return contains(expectation.fail, "linearizable");
        });
        if (!judged || expected) { return; }
        warning(path, "a replica that lags answers this read rightly, and linearizable fails",
                "set system.reads to primary, or leave linearizable out of the checks");
    }

    // Of a fault that only databases can have.
    void check_server(std::string_view path, std::string_view target, FaultKind kind) {
        const bool of_standbys = kind == FaultKind::promote || kind == FaultKind::pause_replay;
        if (of_standbys && scenario_.system.replicas == 0) {
            error(path, std::string(to_string(kind)) + " needs a standby",
                  "set system.replicas to 1 or more");
            return;
        }
        auto known = database_servers(scenario_);
        if (kind == FaultKind::pause_replay) { std::erase(known, "database"); }
        if (scenario_.system.replicas > 0) { known.emplace_back("replica"); }
        if (target != "any" && !contains(known, target)) {
            error(path, quoted(target) + " is no server of a database that can have this",
                  suggest(target, known));
        }
    }
    void check_broker(const std::string& path, const Fault& fault,
                      const std::vector<BrokerEffect>& effects) {
        const auto known = brokers(scenario_);
        const std::string target = join(path, "target");
        if (known.empty()) {
            error(target, "this run has no broker", "set system.queue to nats or kafka");
        } else if (fault.target != "any" && !contains(known, fault.target)) {
            error(target, quoted(fault.target) + " is no broker of this run",
                  suggest(fault.target, known));
        }
        const auto only_of = [&](BrokerEffect effect, const std::string& key) {
            const std::string at = join(path, key);
            if (contains(effects, effect) || !find_path(tree_, at).rest.empty()) { return; }
            error(at, "only " + std::string(to_string(effect)) + " has it", "leave it out");
        };
        only_of(BrokerEffect::drop_ack, "rate");
        only_of(BrokerEffect::power_loss, "restart-after");
    }
    void check_target(std::string_view path, std::string_view target, FaultKind kind) {
        if (usual_target(kind)) {
            check_server(path, target, kind);
            return;
        }
        const bool link = kind == FaultKind::latency || kind == FaultKind::partition;
        if (resolve_target(scenario_, target).empty() || (!link && target == "clients")) {
            auto known = machines(scenario_);
            if (!link) { std::erase(known, "clients"); }
            for (const auto* const word : {"any", "gateway", "inventory"}) {
                known.emplace_back(word);
            }
            if (!scenario_.system.queue.empty()) {
                known.insert(known.end(), {"ingest", "processor"});
            }
            error(path, "no instance " + quoted(target), suggest(target, known));
        }
    }
    // `effects`: of a broker.
    void check_fault(const std::string& path, const Fault& fault,
                     const std::vector<BrokerEffect>& effects) {
        if (fault.kind == FaultKind::switch_queue) { return; }
        if (fault.kind == FaultKind::broker) {
            check_broker(path, fault, effects);
            return;
        }
        if (!fault.between) {
            check_target(join(path, "target"), fault.target, fault.kind);
            return;
        }
        const auto& [a, b] = *fault.between;
        const std::string between = join(path, "between");
        check_target(join(between, std::size_t{0}), a, fault.kind);
        check_target(join(between, std::size_t{1}), b, fault.kind);
        const auto near = resolve_target(scenario_, a);
        const auto far = resolve_target(scenario_, b);
        if (!near.empty() && !far.empty() && !are_linked(near.front(), far.front())) {
            error(between, quoted(a) + " and " + quoted(b) + " never talk to each other",
                  std::string("the links are clients - gateway - inventory - database and its "
                              "replicas") +
                      (scenario_.system.queue.empty()
                           ? ""
                           : ", gateway - ingest - processor - inventory, and both - the brokers"));
        }
    }
    void check_length(const std::string& path, const TimelineEntry& entry) {
        if (!entry.fault) {
            if (entry.duration != Duration::zero()) {
                error(join(path, "for"), "a phase lasts until the next one", "leave it out");
            }
            return;
        }
        const Fault& fault = *entry.fault;
        const std::string name = fault.kind == FaultKind::broker
                                     ? std::string(to_string(fault.effect))
                                     : std::string(to_string(fault.kind));
        const bool switches = fault.kind == FaultKind::switch_queue;
        const bool ends_itself = switches || restarts(fault) || takes_no_time(fault);
        const bool may_stay =
            fault.kind == FaultKind::clock_skew || fault.kind == FaultKind::clock_drift;
        const bool has_length = entry.duration != Duration::zero();
        if (!ends_itself && !may_stay && !has_length) {
            error(path, "\"for\" is missing", "say how long the " + name + " lasts");
        }
        if (ends_itself && has_length) {
            const std::string instead =
                switches ? "write \"deadline\" in it" : "write \"restart-after\" in its fault";
            error(join(path, "for"), name + " has no \"for\"",
                  takes_no_time(fault) ? "leave it out" : instead);
        }
    }
    void check_point(const std::string& path, const AtPoint& point) {
        // inventory.reserve/commit:before
        const std::string_view name = point.name;
        const auto slash = name.find('/');
        const auto colon = name.rfind(':');
        const auto is_word = [](std::string_view word) {
            return !word.empty() &&
                   word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == word.npos;
        };
        const bool whole = slash != name.npos && colon != name.npos && slash < colon;
        const auto use_case = name.substr(0, whole ? slash : 0);
        const auto dot = use_case.find('.');
        const auto role = use_case.substr(0, dot);
        const auto roles = instances(scenario_);
        const bool known_role = std::ranges::any_of(roles, [&](const std::string& instance) {
            return std::string_view(instance).substr(0, instance.find('/')) == role;
        });
        const auto when = name.substr(whole ? colon + 1 : name.size());
        const bool good_case = use_case == "background" || (known_role && dot != use_case.npos &&
                                                            is_word(use_case.substr(dot + 1)));
        if (!whole || !good_case || !is_word(name.substr(slash + 1, colon - slash - 1)) ||
            (when != "before" && when != "after")) {
            error(join(path, "at-point.name"), quoted(name) + " is no call of a service",
                  "write it like inventory.reserve/commit:before");
        }
    }
    void check_timeline() {
        std::set<std::string> ids;
        std::set<std::string> phases;
        for (std::size_t index = 0; index < scenario_.timeline.size(); ++index) {
            const auto& entry = scenario_.timeline[index];
            const std::string path = join("timeline", index);
            if (!entry.at_point && entry.at >= scenario_.duration) {
                after_the_end(join(path, "at"), entry.at);
            }
            check_length(path, entry);
            if (entry.at_point) { check_point(path, *entry.at_point); }
            if (!entry.phase.empty()) {
                if (entry.at_point) { error(join(path, "at-point"), "a phase begins at a time"); }
                if (!phases.insert(entry.phase).second) {
                    error(join(path, "phase"),
                          "there is a phase " + quoted(entry.phase) + " already",
                          "each begins once");
                }
            } else if (!ids.insert(entry.id).second) {
                error(join(path, "id"), "there is a fault " + quoted(entry.id) + " already",
                      "an id is for one fault");
            }
            if (entry.id.starts_with(swarm_id_prefix)) {
                error(join(path, "id"), "names that begin with \"swarm-\" are for the swarm");
            }
            if (entry.fault) {
                check_fault(join(path, "fault"), *entry.fault, {entry.fault->effect});
            }
        }
    }

    void check_swarm() {
        if (!scenario_.swarm) { return; }
        const Swarm& swarm = *scenario_.swarm;
        if (swarm.start + swarm.quiet_tail >= scenario_.duration) {
            after_the_end("swarm", swarm.start + swarm.quiet_tail);
        }
        if (swarm.duration.kind == DrawKind::lognormal) {
            error("swarm.duration.dist", "the length of a fault cannot be lognormal",
                  "one of: constant, uniform, exponential");
        }
        for (std::size_t index = 0; index < swarm.kinds.size(); ++index) {
            const SwarmKind& kind = swarm.kinds[index];
            check_fault(join(join("swarm.kinds", index), to_string(kind.fault.kind)), kind.fault,
                        kind.effects);
        }
    }

    void check_checks() {
        std::set<std::string> names;
        for (std::size_t index = 0; index < scenario_.checks.size(); ++index) {
            if (!names.insert(scenario_.checks[index].name).second) {
                error(join("checks", index), "this check is listed already");
            }
        }
    }

    void check_thresholds() {
        std::vector<std::string> known{"fault:*"};
        for (const auto& entry : scenario_.timeline) {
            known.push_back(entry.phase.empty() ? "fault:" + entry.id : "phase:" + entry.phase);
        }
        for (const auto& load : scenario_.loads) { known.push_back("load:" + load.name); }
        std::map<std::string, std::size_t> seen;
        for (const auto& threshold : scenario_.thresholds) {
            const std::size_t index = seen[threshold.metric]++;
            if (threshold.during.empty() || contains(known, threshold.during)) { continue; }
            const std::string list = join("thresholds", threshold.metric);
            const bool one = find_path(tree_, list).node->kind != Node::Kind::list;
            error(join(one ? list : join(list, index), "during"),
                  "the scenario has no " + quoted(threshold.during),
                  suggest(threshold.during, known));
        }
    }

    void check_expectations() {
        std::vector<std::string> listed;
        for (const auto& check : scenario_.checks) { listed.push_back(check.name); }
        for (std::size_t index = 0; index < document_.expect.size(); ++index) {
            const auto& expectation = document_.expect[index];
            const std::string path = join("expect", index);
            for (const auto& [axis, value] : expectation.when) {
                check_axis(join(join(path, "when"), axis), axis, value);
            }
            for (std::size_t item = 0; item < expectation.fail.size(); ++item) {
                if (contains(listed, expectation.fail[item])) { continue; }
                error(join(join(path, "fail"), item),
                      quoted(expectation.fail[item]) + " is not among the checks of this file",
                      suggest(expectation.fail[item], listed));
            }
        }
    }
    void check_axis(const std::string& path, const std::string& axis, const std::string& value) {
        // An override that picks some cells leaves the others without a control, which is no error.
        if (find_path(tree_, "strategy.matrix." + axis).node->place.origin != 0) { return; }
        std::vector<std::string> axes;
        for (const auto& [name, values] : document_.strategy.axes) {
            axes.push_back(name);
            if (name != axis) { continue; }
            std::vector<std::string> texts;
            for (const auto& node : values) { texts.push_back(node.text); }
            if (!contains(texts, value)) {
                error(path, quoted(value) + " is no value of matrix." + axis,
                      suggest(value, texts));
            }
            return;
        }
        error(path, "no axis " + quoted(axis) + " in the matrix", suggest(axis, axes));
    }

    bool is_server(const Fault& fault) const {
        return usual_target(fault.kind) || contains(database_servers(scenario_), fault.target) ||
               fault.target == "replica";
    }
    void check_live() {
        const std::string hint = "run it in virtual time (mode: sim), or leave it out";
        const auto refuse = [&](const std::string& path, const Fault& fault) {
            if (!contains(live_kinds, fault.kind) && !is_live_link_fault(fault)) {
                error(path,
                      std::string(to_string(fault.kind)) +
                          " works in virtual time only: real processes can be killed, "
                          "stopped, paused and restarted",
                      hint);
            } else if (is_server(fault) && scenario_.system.database != "postgres") {
                error(path, "in a live run the database is a file, not a process", hint);
            } else if (fault.split_brain) {
                error(join(path, "split-brain"),
                      "works in virtual time only: real clients ask which server takes writes",
                      hint);
            } else if (is_server(fault) && fault.kind == FaultKind::pause) {
                error(path, "in a live run the database is many processes; kill it, or stop it",
                      hint);
            }
        };
        for (std::size_t index = 0; index < scenario_.timeline.size(); ++index) {
            const auto& entry = scenario_.timeline[index];
            const std::string path = join("timeline", index);
            if (entry.at_point) {
                error(join(path, "at-point"),
                      "works in virtual time only: a real process cannot "
                      "be stopped exactly there",
                      hint);
            }
            if (entry.fault) { refuse(join(path, "fault"), *entry.fault); }
        }
        if (scenario_.swarm) {
            for (std::size_t index = 0; index < scenario_.swarm->kinds.size(); ++index) {
                refuse(join("swarm.kinds", index), scenario_.swarm->kinds[index].fault);
            }
        }
        if (scenario_.system.clock_skew_max != Duration::zero()) {
            error("system.clock.skew-max",
                  "works in virtual time only: real processes share the machine's clock", hint);
        }
        if (scenario_.system.events != SystemSpec().events) {
            error(
                "system.events",
                "works in virtual time only: real processes are tested by tests/e2e/events_test.py",
                hint);
        }
        if (scenario_.system.replicas > live_replicas_max) {
            error("system.replicas", "in a live run a database has one replica at most", hint);
        }
        if (tree_.find("system") != nullptr &&
            tree_.find("system")->find("replica-lag") != nullptr) {
            error("system.replica-lag", "works in virtual time only: a real replica lags as it may",
                  hint);
        }
    }

    const Document& document_;
    const Scenario& scenario_;
    const Node& tree_;
    Reader& reader_;
};

}  // namespace

void validate(const Document& document, const Node& tree, Reader& reader) {
    Validator(document, tree, reader).run();
}

void cut_to_duration(Scenario& scenario) {
    std::set<std::string> gone;
    std::erase_if(scenario.timeline, [&](const TimelineEntry& entry) {
        const bool late = !entry.at_point && entry.at >= scenario.duration;
        if (late) {
            gone.insert(entry.phase.empty() ? "fault:" + entry.id : "phase:" + entry.phase);
        }
        return late;
    });
    std::erase_if(scenario.loads, [&](const Load& load) {
        const bool late = load.start_time >= scenario.duration;
        if (late) { gone.insert("load:" + load.name); }
        return late;
    });
    std::erase_if(scenario.thresholds,
                  [&](const Threshold& threshold) { return gone.contains(threshold.during); });
}

}  // namespace rushproof::simulator
