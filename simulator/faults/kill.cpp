#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.kill(planned.fault.target);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.start(planned.fault.target);
}

}  // namespace

const FaultType kill_fault{
    .kind = FaultKind::kill,
    .sentence =
        "kills the process at once (SIGKILL): memory is gone, connections are reset; "
        "started again after `restart-after`",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
