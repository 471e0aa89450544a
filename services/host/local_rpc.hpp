// Calls between roles of one process.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <utility>
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

// Calls to roles wherever they are: the instances of this process answer for the roles that they
// have, `remote` for all others.
class RoleRpc final : public Rpc {
public:
    RoleRpc(LocalRpc local, std::unique_ptr<Rpc> remote, std::vector<std::string> local_roles)
        : local_(std::move(local)),
          remote_(std::move(remote)),
          local_roles_(std::move(local_roles)) {}
    Task<Result<std::string>> call(Context context, RpcTarget target, std::string request) override;

private:
    LocalRpc local_;
    std::unique_ptr<Rpc> remote_;
    std::vector<std::string> local_roles_;
};

}  // namespace rushproof
