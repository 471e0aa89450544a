#include "simulator/faults/fault.hpp"

namespace rushproof::simulator {

namespace {

std::string begin(Chaos& chaos, const PlannedFault& planned) {
    return chaos.terminate_backends(planned.fault.target);
}

}  // namespace

const FaultType terminate_backends_fault{
    .kind = FaultKind::terminate_backends,
    .sentence =
        "terminates all client sessions of the database (pg_terminate_backend): transactions "
        "under way are lost, commits may or may not have happened",
    .live = true,
    .begin = begin,
    .end = nullptr,
};

}  // namespace rushproof::simulator
