#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.set_drift(planned.fault.target, planned.fault.drift_ppm);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.set_drift(planned.fault.target, 0);
}

}  // namespace

const FaultType clock_drift_fault{
    .kind = FaultKind::clock_drift,
    .sentence = "lets both clocks of the instance run fast or slow by `drift` parts per million",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
