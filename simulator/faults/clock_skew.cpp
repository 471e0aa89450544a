#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.step_wall_clock(planned.fault.target, planned.fault.offset);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.step_wall_clock(planned.fault.target, -planned.fault.offset);
}

}  // namespace

const FaultType clock_skew_fault{
    .kind = FaultKind::clock_skew,
    .sentence = "sets the wall clock of the instance wrong by `offset` for a while",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
