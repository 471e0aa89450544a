#include "services/host/local_rpc.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/base/hash.hpp"

namespace rushproof {

namespace {

using Answer = Task<Result<std::string>>;

// A cancellation signal may not be emitted across threads: this slot is never connected.
Answer on_other_core(asio::any_io_executor executor, Answer answer) {
    co_return co_await asio::co_spawn(
        executor, std::move(answer),
        asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

}  // namespace

LocalRpc::LocalRpc(asio::any_io_executor own, const std::vector<LocalInstance>& instances)
    : own_(std::move(own)), instances_(instances) {}

Task<Result<std::string>> LocalRpc::call(Context context, RpcTarget target, std::string request) {
    const LocalInstance& instance = instances_[hash64(target.shard) % instances_.size()];
    auto answer = instance.router->answer(std::move(context), target.method, std::move(request));
    if (instance.executor == own_) { return answer; }
    return on_other_core(instance.executor, std::move(answer));
}

Task<Result<std::string>> RoleRpc::call(Context context, RpcTarget target, std::string request) {
    const std::string_view role = target.method.substr(0, target.method.find('.'));
    const bool is_local =
        std::find(local_roles_.begin(), local_roles_.end(), role) != local_roles_.end();
    Rpc& rpc = is_local ? static_cast<Rpc&>(local_) : *remote_;
    return rpc.call(std::move(context), target, std::move(request));
}

}  // namespace rushproof
