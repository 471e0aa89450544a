#include "simulator/faults/fault.hpp"
#include "simulator/faults/links.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const LinkTrouble trouble{.id = planned.id,
                              .links = links_of(planned.fault),
                              .delay = planned.fault.delay,
                              .jitter = planned.fault.jitter};
    return chaos.trouble_links(trouble);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.heal_links(planned.id); }

}  // namespace

const FaultType latency_fault{
    .kind = FaultKind::latency,
    .sentence =
        "delays every message of the links by `delay` plus up to `jitter`; live: of links to a "
        "broker",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
