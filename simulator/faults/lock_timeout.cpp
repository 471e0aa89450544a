#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.shorten_lock_waits(planned.id, planned.fault.target, planned.fault.timeout);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.heal_lock_waits(planned.id);
}

}  // namespace

const FaultType lock_timeout_fault{
    .kind = FaultKind::lock_timeout,
    .sentence =
        "ends waits for locks after `timeout` (lock_timeout), which fails their transactions",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
