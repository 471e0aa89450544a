// One running instance of a role: tables of what it answers, for a host to mount.
#pragma once
#include <vector>

#include "core/ports/http.hpp"
#include "core/ports/rpc.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// Single-threaded: everything runs on the executor of its Environment.  Order of life: construct,
// start(), serve, stop(), destroy.  A crashed instance is destroyed without stop().
class Service {
public:
    virtual ~Service() = default;
    virtual std::vector<HttpRoute> http_routes() { return {}; }
    virtual std::vector<RpcMethod> rpc_methods() { return {}; }
    virtual void start() {}
    // Accepts nothing new, finishes what was accepted, ends its own coroutines.
    virtual Task<void> stop() = 0;
    // True when a request sent now has a fair chance: asks the dependencies.
    virtual Task<bool> ready(Context context) = 0;
};

}  // namespace rushproof
