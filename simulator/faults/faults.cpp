#include "core/base/assert.hpp"
#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

const std::vector<const FaultType*>& fault_types() {
    static const std::vector<const FaultType*> types{
        &kill_fault,           &stop_fault,
        &pause_fault,          &restart_fault,
        &latency_fault,        &partition_fault,
        &clock_skew_fault,     &clock_drift_fault,
        &commit_unknown_fault, &terminate_backends_fault,
        &promote_fault,        &pause_replay_fault,
        &lock_timeout_fault,   &disk_full_fault,
        &disk_slow_fault,      &broker_fault,
        &switch_queue_fault};
    return types;
}

const FaultType& fault_type(FaultKind kind) {
    for (const FaultType* type : fault_types()) {
        if (type->kind == kind) { return *type; }
    }
    assertion_failed("every FaultKind is in fault_types()", __FILE__, __LINE__);
}

}  // namespace rushproof::simulator
