// SIGTERM and SIGINT: the first asks the process to stop, the second ends it.
#pragma once
#include <atomic>
#include <functional>
#include <thread>

namespace rushproof {

// Construct it before any other thread starts: the signals are blocked in the constructing thread
// and in all that it starts later, and taken by a thread of its own.
class StopSignals {
public:
    // `stop` runs once, on that thread.  The next signal ends the process at once, without any
    // destructor, with status 128 + the signal's number.
    explicit StopSignals(std::function<void()> stop);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    void wait();

    std::function<void()> stop_;
    std::atomic<bool> closing_ = false;
    std::thread thread_;
};

}  // namespace rushproof
