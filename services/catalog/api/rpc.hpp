// catalog.v1 on the wire: checks what comes in, calls the use cases, writes what goes out.
#pragma once
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/protocol/catalog.pb.h"
#include "core/runtime/rpc_calls.hpp"
#include "services/catalog/app/application.hpp"

namespace rushproof::catalog {

namespace wire = ::catalog::v1;

class Api {
public:
    // Calls under way count as visits to `scope`.
    Api(Application& application, Environment& environment, Scope& scope);

    // The handlers refer to this object.
    std::vector<RpcMethod> methods();

    // From now on every new call is refused, retryably.
    void close() { calls_.close(); }

private:
    using Answer = RpcCalls::Answer;
    template <class Request>
    using Handler = Answer (Api::*)(Context, Request);

    Answer create(Context context, wire::CreateProductRequest request);
    Answer get(Context context, wire::ProductRequest request);
    Answer list(Context context, wire::ListProductsRequest request);
    Answer patch(Context context, wire::PatchProductRequest request);
    Answer remove(Context context, wire::DeleteProductRequest request);
    Answer reserve(Context context, wire::ReserveProductRequest request);

    template <class Request>
    RpcMethod method(std::string_view name, Handler<Request> handler);

    Application& application_;
    RpcCalls calls_;
};

}  // namespace rushproof::catalog
