#include "simulator/faults/fault.hpp"
#include "simulator/faults/links.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    const LinkTrouble trouble{.id = planned.id, .links = links_of(planned.fault), .hold = true};
    return chaos.trouble_links(trouble);
}
std::string end(Chaos& chaos, const PlannedFault& planned) { return chaos.heal_links(planned.id); }

}  // namespace

const FaultType partition_fault{
    .kind = FaultKind::partition,
    .sentence =
        "holds up every message of the links, one way or both; TCP delivers them after healing; "
        "live: of links to a broker",
    .live = true,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
