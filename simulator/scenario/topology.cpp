#include "simulator/scenario/topology.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr std::string_view composite = "composite";
constexpr std::array<std::string_view, 2> broker_names{"kafka", "nats"};

std::string_view role_of(std::string_view machine) { return machine.substr(0, machine.find('/')); }

void add_instances(std::vector<std::string>& list, const std::string& role, std::int64_t count) {
    for (std::int64_t number = 0; number < count; ++number) {
        list.push_back(role + '/' + std::to_string(number));
    }
}

}  // namespace

std::vector<std::string> instances(const Scenario& scenario) {
    const SystemSpec& system = scenario.system;
    std::vector<std::string> list;
    add_instances(list, "gateway", system.gateways);
    add_instances(list, "inventory", system.inventories);
    if (!system.queue.empty()) {
        add_instances(list, "ingest", system.ingests);
        add_instances(list, "processor", system.processors);
    }
    return list;
}

std::vector<std::string> database_servers(const Scenario& scenario) {
    std::vector<std::string> list;
    for (std::int64_t number = 1; number <= scenario.system.shards; ++number) {
        const std::string of_several = "/" + std::to_string(number);
        list.push_back("database" + (scenario.system.shards == 1 ? std::string() : of_several));
    }
    add_instances(list, "replica", scenario.system.replicas);
    return list;
}

bool is_broker(std::string_view name) {
    return std::ranges::find(broker_names, name) != broker_names.end();
}

std::vector<std::string> queue_providers(const Scenario& scenario) {
    if (scenario.system.queue.empty()) { return {}; }
    std::set<std::string> used{scenario.system.queue};
    for (const auto& entry : scenario.timeline) {
        const bool switches = entry.fault && entry.fault->kind == FaultKind::switch_queue;
        if (switches) { used.insert(entry.fault->target); }
    }
    if (scenario.swarm) {
        for (const SwarmKind& kind : scenario.swarm->kinds) {
            used.insert(kind.to.begin(), kind.to.end());
        }
    }
    if (used.erase(std::string(composite)) > 0) {
        const auto& parts = scenario.system.queue_options.providers;
        used.insert(parts.begin(), parts.end());
    }
    return {used.begin(), used.end()};
}

std::vector<std::string> brokers(const Scenario& scenario) {
    const auto providers = queue_providers(scenario);
    std::set<std::string> used(providers.begin(), providers.end());
    used.insert(scenario.system.events);
    std::erase_if(used, [](const std::string& name) { return !is_broker(name); });
    return {used.begin(), used.end()};
}

std::vector<std::string> machines(const Scenario& scenario) {
    std::vector<std::string> list{"clients"};
    for (auto& instance : instances(scenario)) { list.push_back(std::move(instance)); }
    for (auto& server : database_servers(scenario)) { list.push_back(std::move(server)); }
    for (auto& broker : brokers(scenario)) { list.push_back(std::move(broker)); }
    return list;
}

std::vector<std::string> resolve_target(const Scenario& scenario, std::string_view target) {
    if (target == "any") { return instances(scenario); }
    auto list = machines(scenario);
    std::erase_if(list, [&](const std::string& machine) {
        return machine != target && role_of(machine) != target;
    });
    return list;
}

std::optional<std::string_view> usual_target(FaultKind kind) {
    switch (kind) {
        case FaultKind::commit_unknown:
        case FaultKind::terminate_backends:
        case FaultKind::promote:
        case FaultKind::lock_timeout:
        case FaultKind::disk_full:
        case FaultKind::disk_slow: return "database";
        case FaultKind::pause_replay: return "replica";
        default: return std::nullopt;
    }
}

bool are_linked(std::string_view a, std::string_view b) {
    constexpr std::string_view standby = "replica";
    const auto near = role_of(a);
    const auto far = role_of(b);
    if (near == standby || far == standby) {
        const auto other = near == standby ? far : near;
        return other == "inventory" || other == "processor" || other == "database" ||
               other == standby;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 14> links{{
        {"clients", "gateway"},
        {"gateway", "inventory"},
        {"inventory", "database"},
        {"inventory", "nats"},
        {"inventory", "kafka"},
        {"gateway", "ingest"},
        {"gateway", "processor"},
        {"ingest", "processor"},
        {"ingest", "nats"},
        {"ingest", "kafka"},
        {"processor", "nats"},
        {"processor", "kafka"},
        {"processor", "inventory"},
        {"processor", "database"},
    }};
    return std::ranges::any_of(links, [&](const auto& link) {
        return (link.first == near && link.second == far) ||
               (link.first == far && link.second == near);
    });
}

}  // namespace rushproof::simulator
