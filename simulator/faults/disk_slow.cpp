#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const DiskTrouble trouble{.id = planned.id,
                              .server = planned.fault.target,
                              .delay = planned.fault.delay,
                              .jitter = planned.fault.jitter};
    return chaos.trouble_disk(trouble);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.heal_disk(planned.id); }

}  // namespace

const FaultType disk_slow_fault{
    .kind = FaultKind::disk_slow,
    .sentence =
        "delays every flush of the log by `delay` plus up to `jitter`: commits take long, and a "
        "crash finds many of them under way",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
