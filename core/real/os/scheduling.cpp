#include "core/real/os/scheduling.hpp"

#include <sched.h>

namespace rushproof {

bool set_scheduling(Scheduling scheduling) {
    const int before = ::sched_getscheduler(0);
    if (before != SCHED_OTHER && before != SCHED_BATCH) { return true; }
    const sched_param parameters{};
    return ::sched_setscheduler(0, scheduling == Scheduling::batch ? SCHED_BATCH : SCHED_OTHER,
                                &parameters) == 0;
}

}  // namespace rushproof
