#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const DiskTrouble trouble{
        .id = planned.id, .server = planned.fault.target, .full = true, .delay = {}, .jitter = {}};
    return chaos.trouble_disk(trouble);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.heal_disk(planned.id); }

}  // namespace

const FaultType disk_full_fault{
    .kind = FaultKind::disk_full,
    .sentence =
        "fills the disk of the database: inserts and updates fail (53100), and nothing of their "
        "transactions is committed",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
