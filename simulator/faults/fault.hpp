// The kinds of faults: one file each, and this table.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "simulator/faults/chaos.hpp"
#include "simulator/scenario/plan.hpp"

namespace rushproof::simulator {

struct FaultType {
    FaultKind kind;
    std::string_view sentence;  // for `rushproof list faults`
    bool live;                  // can be done to real processes, or to their connections
    // Both return evidence.  Without an end it is over at once.
    std::string (*begin)(Chaos&, const PlannedFault&);
    std::string (*end)(Chaos&, const PlannedFault&);
};

extern const FaultType kill_fault;
extern const FaultType stop_fault;
extern const FaultType pause_fault;
extern const FaultType restart_fault;
extern const FaultType latency_fault;
extern const FaultType partition_fault;
extern const FaultType clock_skew_fault;
extern const FaultType clock_drift_fault;
extern const FaultType commit_unknown_fault;
extern const FaultType terminate_backends_fault;
extern const FaultType promote_fault;
extern const FaultType pause_replay_fault;
extern const FaultType lock_timeout_fault;
extern const FaultType disk_full_fault;
extern const FaultType disk_slow_fault;
extern const FaultType broker_fault;
extern const FaultType switch_queue_fault;

const std::vector<const FaultType*>& fault_types();
const FaultType& fault_type(FaultKind kind);

}  // namespace rushproof::simulator
