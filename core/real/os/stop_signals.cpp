#include "core/real/os/stop_signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace rushproof {

namespace {

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> stop) : stop_(std::move(stop)) {
    const sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    thread_ = std::thread([this] { wait(); });
}

StopSignals::~StopSignals() {
    closing_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
}

void StopSignals::wait() {
    const sigset_t signals = stop_signals();
    for (bool asked = false;; asked = true) {
        int signal = 0;
        sigwait(&signals, &signal);
        if (closing_) { return; }
        if (asked) { _exit(128 + signal); }
        stop_();
    }
}

}  // namespace rushproof
