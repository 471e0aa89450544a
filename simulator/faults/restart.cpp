#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.terminate(planned.fault.target);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.start(planned.fault.target);
}

}  // namespace

const FaultType restart_fault{
    .kind = FaultKind::restart,
    .sentence = "stops the process politely and starts it again as soon as it has ended",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
