// Operators who switch the queue of a simulated system, each as a coroutine of the clients'
// machine.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "core/ports/http.hpp"
#include "core/runtime/scope.hpp"
#include "simulator/faults/chaos.hpp"
#include "simulator/record/history.hpp"
#include "simulator/world/host.hpp"

namespace rushproof::simulator {

class SwitchDesk {
public:
    // `ended` is told the id of each switch when its outcome is known, and stands in the history.
    // All outlive the desk, which outlives its operators.
    SwitchDesk(Host& clients, HttpClient& http, History& history, MonotonicTime start,
               std::function<void(const QueueSwitch&)> ended);

    void begin(const SwitchOrder& order);
    // What came of it; empty while nobody knows.
    std::string evidence(const std::string& id) const;
    // When every operator has done.
    Task<void> join() { return operators_.join(); }

private:
    Task<void> operate(SwitchOrder order);

    Host& clients_;
    HttpClient& http_;
    History& history_;
    MonotonicTime start_;
    std::function<void(const QueueSwitch&)> ended_;
    std::map<std::string, std::string> evidence_;
    Scope operators_;
};

}  // namespace rushproof::simulator
