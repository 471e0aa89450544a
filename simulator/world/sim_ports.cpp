#include "simulator/world/sim_ports.hpp"

#include <utility>

#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

std::uint64_t hash_request(const HttpRequest& request) {
    std::uint64_t hash = combine64(hash64(request.method), hash64(request.target));
    for (const auto& [name, value] : request.fields) {
        hash = combine64(combine64(hash, hash64(name)), hash64(value));
    }
    return combine64(hash, hash64(request.body));
}

}  // namespace

std::uint64_t PayloadHash<HttpResponse>::of(const HttpResponse& response) {
    return combine64(static_cast<std::uint64_t>(response.status), hash64(response.body));
}

SimRpc::SimRpc(Host& host, Network& network, Answering& answering, std::uint32_t groups)
    : groups_(groups), host_(host), network_(network), answering_(answering) {}

Task<Result<std::string>> SimRpc::call(Context context, RpcTarget target, std::string request) {
    Scheduler& scheduler = host_.scheduler();
    const TraceText what = scheduler.intern(target.method);
    const std::string_view method = what.text();
    const std::vector<Machine*>& instances =
        instances_of(method.substr(0, method.find('.')), target.group);
    const std::uint64_t payload = hash64(request);
    const std::uint64_t first = instances.empty() ? 0 : hash64(target.shard) % instances.size();
    for (std::size_t tried = 0; tried < instances.size(); ++tried) {
        Machine& machine = *instances[(first + tried) % instances.size()];
        auto serve = [&answering = answering_, method, request](Host& there,
                                                                Context its_context) mutable {
            return answering.answer_rpc(there, std::move(its_context), method, std::move(request));
        };
        auto answer = co_await network_.call<std::string>(host_, machine, what, payload, context,
                                                          std::move(serve));
        if (answer || answer.error().code() != "unavailable") { co_return answer; }
    }
    co_return failure(ErrorKind::retryable, "unavailable",
                      "no instance answers " + std::string(method));
}

const std::vector<Machine*>& SimRpc::instances_of(std::string_view role, std::uint32_t group) {
    Group wanted(role, group);
    const auto known = instances_.find(wanted);
    if (known != instances_.end()) { return known->second; }
    std::vector<Machine*> machines;
    for (std::uint32_t number = group - 1;; number += groups_) {
        Machine* const machine =
            host_.scheduler().find(std::string(role) + "/" + std::to_string(number));
        if (machine == nullptr) { break; }
        machines.push_back(machine);
    }
    return instances_.emplace(std::move(wanted), std::move(machines)).first->second;
}

SimHttpClient::SimHttpClient(Host& host, Network& network, Answering& answering,
                             std::vector<Machine*> targets)
    : host_(host), network_(network), answering_(answering), targets_(std::move(targets)) {}

Task<Result<HttpResponse>> SimHttpClient::send(Context context, HttpRequest request) {
    Machine& target = *targets_[host_.random().next() % targets_.size()];
    const TraceText what = host_.scheduler().intern(request.method);
    const std::uint64_t payload = hash_request(request);
    // A client's deadline does not cross HTTP: the gateway sets its own.
    auto serve = [&answering = answering_, request = std::move(request)](Host& there,
                                                                         Context) mutable {
        return answering.answer_http(there, std::move(request));
    };
    return network_.call<HttpResponse>(host_, target, what, payload, Context(context.deadline),
                                       std::move(serve));
}

}  // namespace rushproof::simulator
