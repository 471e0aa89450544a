#include "simulator/cli/system.hpp"

#include <algorithm>
#include <iterator>

#include "core/base/assert.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/catalog_model.hpp"
#include "services/gateway/gateway.hpp"
#include "services/ingest/ingest.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/inventory_model.hpp"
#include "services/processor/processor.hpp"
#include "services/processor/processor_model.hpp"

namespace rushproof::simulator {

namespace {

void add_tables(ModelSchema& schema, ModelSchema more) {
    std::ranges::move(more.tables, std::back_inserter(schema.tables));
    std::ranges::move(more.statements, std::back_inserter(schema.statements));
}

// "none" is the twin without a bug.
std::string_view bug_of(const SystemSpec& spec) {
    return spec.mutant == "none" ? std::string_view() : spec.mutant;
}

// Behind the roles that they call, before those that call them.
void add_pipeline(SimulatedSystem& system, const SystemSpec& spec) {
    add_tables(system.schema, processor::model_schema());
    rushproof::QueueOptions queue;
    queue.provider = spec.queue;
    queue.capacity = static_cast<std::size_t>(spec.queue_size);
    queue.strategy = spec.queue_options.strategy;
    if (!spec.queue_options.providers.empty()) { queue.parts = spec.queue_options.providers; }
    processor::Options processor_options;
    processor_options.queue = queue;
    processor_options.workers = static_cast<std::size_t>(spec.workers);
    processor_options.mutant =
        processor::parse_mutant(bug_of(spec)).value_or(processor::Mutant::none);
    system.roles.push_back(
        {"processor", spec.processors, [processor_options](Environment& world, std::int64_t) {
             return processor::make_processor(world, processor_options);
         }});
    ingest::Options ingest_options;
    ingest_options.queue = queue;
    system.roles.push_back(
        {"ingest", spec.ingests, [ingest_options](Environment& world, std::int64_t) {
             return ingest::make_ingest(world, ingest_options);
         }});
}

}  // namespace

std::optional<std::string> why_not_runnable(const Scenario& scenario) {
    if (!inventory::parse_strategy(scenario.system.reservation)) {
        std::string known;
        for (const auto strategy : inventory::all_strategies()) {
            known += (known.empty() ? "" : ", ") + std::string(inventory::to_string(strategy));
        }
        return "system.reservation: no strategy is called '" + scenario.system.reservation +
               "'; there are " + known;
    }
    const std::string mutant(bug_of(scenario.system));
    if (!inventory::parse_mutant(mutant) && !processor::parse_mutant(mutant)) {
        return "system.mutant: '" + mutant +
               "' is not in this program; mutants are only in test builds";
    }
    if (!inventory::parse_mutant(mutant) && scenario.system.queue.empty()) {
        return "system.mutant: '" + mutant + "' is of the pipeline; set system.queue";
    }
    return std::nullopt;
}

SimulatedSystem system_of(const Scenario& scenario) {
    const SystemSpec& spec = scenario.system;
    const auto strategy = inventory::parse_strategy(spec.reservation);
    RP_ASSERT(strategy);
    inventory::Options inventory_options;
    inventory_options.strategy = *strategy;
    inventory_options.mutant =
        inventory::parse_mutant(bug_of(spec)).value_or(inventory::Mutant::none);
    inventory_options.reservation_ttl = spec.reservation_ttl;
    inventory_options.reads = spec.reads == "replica" ? Route::replica : Route::primary;
    inventory_options.sweep_interval = spec.sweep_interval;
    if (spec.events != SystemSpec().events) { inventory_options.events.to = spec.events; }
    catalog::Options catalog_options;
    catalog_options.events = inventory_options.events;
    gateway::Options gateway_options;
    gateway_options.request_timeout = spec.request_timeout;
    const std::int64_t shards = spec.shards;
    gateway_options.shards = static_cast<std::uint32_t>(shards);
    gateway_options.admin_without_token = true;
    if (!spec.queue.empty()) {
        gateway_options.ingests = static_cast<std::uint32_t>(spec.ingests);
        gateway_options.processors = static_cast<std::uint32_t>(spec.processors);
    }

    SimulatedSystem system;
    system.schema = inventory::model_schema();
    add_tables(system.schema, catalog::model_schema());
    system.roles.push_back({"catalog", 1, [catalog_options](Environment& world, std::int64_t) {
                                return catalog::make_catalog(world, catalog_options);
                            }});
    system.roles.push_back({"inventory", spec.inventories,
                            [inventory_options, shards](Environment& world, std::int64_t instance) {
                                inventory::Options options = inventory_options;
                                options.shard = {static_cast<std::uint32_t>(instance % shards) + 1,
                                                 static_cast<std::uint32_t>(shards)};
                                return inventory::make_inventory(world, options);
                            }});
    if (!spec.queue.empty()) { add_pipeline(system, spec); }
    system.roles.push_back(
        {"gateway", spec.gateways, [gateway_options](Environment& world, std::int64_t) {
             return gateway::make_gateway(world, gateway_options);
         }});
    return system;
}

}  // namespace rushproof::simulator
