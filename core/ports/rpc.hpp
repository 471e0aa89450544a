// Calls between roles.  Payloads are protobuf messages of core/protocol.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// `method` is "inventory.v1.Inventory/Reserve"; its first word names the role.  `shard` picks the
// instance: equal shards go to the same instance while the set of instances stands still.  That is
// for speed only; correctness never depends on it.  `group` names the instances that may be asked
// when a role keeps its data in several databases (core/runtime/shard.hpp): each group has one of
// them, and refuses what belongs to another.
struct RpcTarget {
    std::string_view method;
    std::string_view shard;
    std::uint32_t group = 1;
};

class Rpc {
public:
    virtual ~Rpc() = default;
    // Errors: what the handler answered (all kinds); "unavailable" (retryable: nothing was sent);
    // "connection-lost" and "deadline-exceeded" (unknown outcome).  Any number may be under way.
    // The texts behind `target` must live until the call returns.
    virtual Task<Result<std::string>> call(Context context, RpcTarget target,
                                           std::string request) = 0;
};

using RpcHandler = std::function<Task<Result<std::string>>(Context, std::string)>;

struct RpcMethod {
    std::string name;  // "inventory.v1.Inventory/Reserve"
    RpcHandler handler;
};

}  // namespace rushproof
