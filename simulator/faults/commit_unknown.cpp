#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.lose_commit_answers(planned.id, planned.fault.rate);
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.heal_commits(planned.id);
}

}  // namespace

const FaultType commit_unknown_fault{
    .kind = FaultKind::commit_unknown,
    .sentence =
        "loses the answer of a share of the commits: some were applied, some not, some "
        "are applied later",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
