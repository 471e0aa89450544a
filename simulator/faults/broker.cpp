#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

BrokerTrouble trouble_of(const PlannedFault& planned) {
    return {.id = planned.id,
            .broker = planned.fault.target,
            .effect = planned.fault.effect,
            .rate = planned.fault.rate};
}

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.trouble_broker(trouble_of(planned));
}
std::string end(Chaos& chaos, const PlannedFault& planned) {
    return chaos.heal_broker(trouble_of(planned));
}

}  // namespace

const FaultType broker_fault{
    .kind = FaultKind::broker,
    .sentence =
        "lets a broker deliver again, keep acknowledgements back, change its leader or lose its "
        "power, and with it what was not flushed",
    .live = false,
    .begin = begin,
    .end = end,
};

}  // namespace rushproof::simulator
