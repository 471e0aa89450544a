#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.pause(planned.fault.target);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.resume(planned.fault.target);
}

}  // namespace

const FaultType pause_fault{
    .kind = FaultKind::pause,
    .sentence =
        "freezes the process (SIGSTOP): no code runs, connections stay up, time passes, "
        "then all timers fire late",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
