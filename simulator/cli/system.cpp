#include "simulator/cli/system.hpp"

#include <algorithm>
#include <iterator>

#include "core/base/assert.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/catalog_model.hpp"
#include "services/gateway/gateway.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/inventory_model.hpp"

namespace rushproof::simulator {

std::optional<std::string> why_not_runnable(const Scenario& scenario) {
    if (!inventory::parse_strategy(scenario.system.reservation)) {
        std::string known;
        for (const auto strategy : inventory::all_strategies()) {
            known += (known.empty() ? "" : ", ") + std::string(inventory::to_string(strategy));
        }
        return "system.reservation: no strategy is called '" + scenario.system.reservation +
               "'; there are " + known;
    }
    if (!inventory::parse_mutant(scenario.system.mutant)) {
        return "system.mutant: '" + scenario.system.mutant +
               "' is not in this program; mutants are only in test builds";
    }
    return std::nullopt;
}

SimulatedSystem system_of(const Scenario& scenario) {
    const SystemSpec& spec = scenario.system;
    const auto strategy = inventory::parse_strategy(spec.reservation);
    const auto mutant = inventory::parse_mutant(spec.mutant);
    RP_ASSERT(strategy && mutant);
    inventory::Options inventory_options;
    inventory_options.strategy = *strategy;
    inventory_options.mutant = *mutant;
    inventory_options.reservation_ttl = spec.reservation_ttl;
    inventory_options.reads = spec.reads == "replica" ? Route::replica : Route::primary;
    inventory_options.sweep_interval = spec.sweep_interval;
    gateway::Options gateway_options;
    gateway_options.request_timeout = spec.request_timeout;
    const std::int64_t shards = spec.shards;
    gateway_options.shards = static_cast<std::uint32_t>(shards);

    SimulatedSystem system;
    system.schema = inventory::model_schema();
    ModelSchema catalogs = catalog::model_schema();
    std::ranges::move(catalogs.tables, std::back_inserter(system.schema.tables));
    std::ranges::move(catalogs.statements, std::back_inserter(system.schema.statements));
    system.roles.push_back({"catalog", 1, [](Environment& world, std::int64_t) {
                                return catalog::make_catalog(world, catalog::Options());
                            }});
    system.roles.push_back({"inventory", spec.inventories,
                            [inventory_options, shards](Environment& world, std::int64_t instance) {
                                inventory::Options options = inventory_options;
                                options.shard = {static_cast<std::uint32_t>(instance % shards) + 1,
                                                 static_cast<std::uint32_t>(shards)};
                                return inventory::make_inventory(world, options);
                            }});
    system.roles.push_back(
        {"gateway", spec.gateways, [gateway_options](Environment& world, std::int64_t) {
             return gateway::make_gateway(world, gateway_options);
         }});
    return system;
}

}  // namespace rushproof::simulator
