#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const Promotion promotion{
        .id = planned.id, .target = planned.fault.target, .split_brain = planned.fault.split_brain};
    return chaos.promote(promotion);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.rejoin(planned.id); }

}  // namespace

const FaultType promote_fault{
    .kind = FaultKind::promote,
    .sentence =
        "makes a standby the primary; without synchronous standbys the commits that it had not "
        "received are lost. The old primary is killed and rejoins after `restart-after`",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
