#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const SwitchOrder order{
        .id = planned.id, .to = planned.fault.target, .deadline = planned.fault.deadline};
    return chaos.switch_queue(order);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.end_switch(planned.id); }

}  // namespace

const FaultType switch_queue_fault{
    .kind = FaultKind::switch_queue,
    .sentence =
        "an operator switches the pipeline to another queue over the public API, under load",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
