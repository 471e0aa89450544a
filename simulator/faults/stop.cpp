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

const FaultType stop_fault{
    .kind = FaultKind::stop,
    .sentence =
        "stops the process politely (SIGTERM): it drains and ends; started again after "
        "`restart-after`",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
