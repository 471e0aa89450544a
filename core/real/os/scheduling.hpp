// What the system does when one of this process's threads becomes ready.
#pragma once

namespace rushproof {

enum class Scheduling {
    normal,  // it may interrupt a thread that runs
    batch,   // it waits until that one sleeps or has had its time: fewer switches, more work done
};

// Of the calling thread, and of all that it starts later.  False: the system refused, and nothing
// changed.  A real-time or idle policy that somebody gave the process stays.
bool set_scheduling(Scheduling scheduling);

}  // namespace rushproof
