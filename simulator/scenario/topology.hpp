// The machines that a scenario runs on, and which of them a fault may name.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Every instance of a service that can be a target, in a fixed order: "gateway/0", ...,
// "inventory/0", ..., and with a pipeline "ingest/0", ..., "processor/0", ...
std::vector<std::string> instances(const Scenario& scenario);

// "database", which begins as the primary, and its standbys "replica/0", ...; of several shards
// "database/1", "database/2", ...
std::vector<std::string> database_servers(const Scenario& scenario);

// "nats" and "kafka", where the pipeline begins on them, is composed of them or is switched to
// them; sorted.
std::vector<std::string> brokers(const Scenario& scenario);
bool is_broker(std::string_view name);

// All providers that the pipeline uses at some time, sorted: brokers and embedded queues.
// "composite" stands for its parts.
std::vector<std::string> queue_providers(const Scenario& scenario);

// The machines between which messages travel: "clients", the instances, the databases' servers and
// the brokers.
std::vector<std::string> machines(const Scenario& scenario);

// Which machines a target may mean, in order: one instance, all of a role, or any of a service.
// Empty when it names nothing.
std::vector<std::string> resolve_target(const Scenario& scenario, std::string_view target);

// What "any" means for a fault of databases; nothing for the other kinds.
std::optional<std::string_view> usual_target(FaultKind kind);

// True when messages travel between the two: clients to gateways to inventories to the database,
// whose servers talk to one another; gateways to ingests to processors, both to the brokers, and
// processors to inventories and the database.
bool are_linked(std::string_view a, std::string_view b);

}  // namespace rushproof::simulator
