#include "core/runtime/rpc_calls.hpp"

#include <chrono>

namespace rushproof {

RpcCalls::RpcCalls(Environment& environment, Scope& scope, std::string_view service)
    : environment_(environment),
      scope_(scope),
      service_(service),
      role_(service.substr(0, service.find('.'))) {}

Distribution& RpcCalls::seconds_of(std::string_view method) {
    return environment_.telemetry.duration(role_ + "_call_seconds", "Time to answer a call",
                                           {{"method", std::string(method)}});
}

void RpcCalls::note(Distribution& seconds, Duration taken, const Result<std::string>& answer) {
    seconds.observe(std::chrono::duration<double>(taken).count());
    if (answer) { return; }
    environment_.telemetry
        .counter(role_ + "_errors_total", "Calls answered with an error",
                 {{"kind", std::string(to_string(answer.error().kind()))}})
        .add();
}

}  // namespace rushproof
