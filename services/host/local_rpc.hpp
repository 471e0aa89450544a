// Calls between roles of one process.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <string>
#include <vector>

#include "core/ports/rpc.hpp"
#include "core/runtime/rpc_router.hpp"

namespace rushproof {

// One instance of every role of this process, all on one core.
struct LocalInstance {
    asio::any_io_executor executor;
    const RpcRouter* router;
};

// A call to the caller's own core runs in the caller's coroutine; a call to another core is posted
// there and its answer posted back.  Cancelling the caller does not cancel a call to another core.
class LocalRpc final : public Rpc {
public:
    // `instances` may still grow until the first call.
    LocalRpc(asio::any_io_executor own, const std::vector<LocalInstance>& instances);
    Task<Result<std::string>> call(Context context, RpcTarget target, std::string request) override;

private:
    asio::any_io_executor own_;
    const std::vector<LocalInstance>& instances_;
};

}  // namespace rushproof
