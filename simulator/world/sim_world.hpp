// One run in virtual time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/model_transaction.hpp"
#include "core/ports/service.hpp"
#include "simulator/load/metrics.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/world/brokers.hpp"
#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

// What runs in the world: the roles, and the database that they share, or the shards of it:
// instance i of each role has the one numbered i % shards + 1, and answers calls to that group.
struct SimulatedRole {
    std::string name;  // "inventory"; its instances are inventory/0, inventory/1, ...
    std::int64_t instances = 1;
    std::function<std::unique_ptr<Service>(Environment&, std::int64_t instance)> make;
};
struct SimulatedSystem {
    ModelSchema schema;
    std::vector<SimulatedRole> roles;
    std::string entry = "gateway";     // the role that clients talk to
    std::vector<std::string> brokers;  // beside those that the scenario's pipeline uses
    BrokerOptions broker_options;
};

struct SimOptions {
    std::uint64_t seed = 1;
    std::vector<PlannedFault> plan;
    // Record every event of this window [first, last) of step numbers, for locating a difference.
    std::uint64_t trace_first = 0;
    std::uint64_t trace_last = 0;
    bool record_tape = false;
    std::string replay_tape;  // text of a recorded tape; empty: choices come from the seed
};

struct SimOutcome {
    History history;
    LoadMetrics load;
    std::vector<FaultRecord> faults;
    TraceSummary trace;
    std::uint64_t steps = 0;
    std::string tape;  // when asked for
    // Why the run cannot be judged, in sentences: it did not end, its audit failed, its tape did
    // not fit.  Empty for a good run.
    std::vector<std::string> troubles;
    // Where the audit over the public API and the database itself disagree; empty when they agree.
    std::vector<std::string> disagreements;
};

// Pure function of its arguments: no clock, no file, no environment variable.  The schema has the
// tables `stock` (sku, on_hand, held, sold, ...) and `ledger` (number, sku, ...), which the audit
// compares with what the public API says.
SimOutcome run_simulation(const Scenario& scenario, const SimulatedSystem& system,
                          const SimOptions& options);

}  // namespace rushproof::simulator
