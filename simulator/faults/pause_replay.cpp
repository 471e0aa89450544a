#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.pause_replay(planned.fault.target);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.resume_replay(planned.fault.target);
}

}  // namespace

const FaultType pause_replay_fault{
    .kind = FaultKind::pause_replay,
    .sentence =
        "lets a standby receive the log without replaying it (pg_wal_replay_pause), so that its "
        "readers see an old state",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
