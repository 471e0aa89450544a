// The roles' methods as ordinary gRPC, for clients of any language; with server reflection and
// grpc.health.v1.
//
// A call's metadata carries the Context as HTTP's fields do: traceparent, idempotency-key and
// x-owner (the last two percent-encoded); its gRPC deadline is the Context's.  An error's status is
// what its kind and code mean to any gRPC client; trailing metadata "rushproof-kind" (retryable,
// permanent, unknown-outcome) and "rushproof-code" say it exactly.
//
// Where a method's description says that it takes a stream of requests, each of them is a call to
// the router, the next one after the answer to the one before, until one fails; the last answer is
// the call's.  request_timeout is for each.  Trailing metadata "rushproof-accepted" says how many
// were answered well.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/telemetry.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/runtime/rpc_router.hpp"

namespace rushproof {

struct GrpcServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                   // 0: a free one
    std::size_t calls_in_flight_max = 4'096;  // more are refused: RESOURCE_EXHAUSTED
    std::size_t message_bytes_max = 1024 * 1024;
    Duration request_timeout = std::chrono::seconds(5);  // a call may ask for less, not for more
    std::optional<HttpRateLimit> rate_limit_per_client;
};

// Calls are dealt out to the cores in turn, and answered on `executor` by `router`.
struct GrpcServerCore {
    asio::any_io_executor executor;
    Clock* clock;
    const RpcRouter* router;
};

class GrpcServer {
public:
    // Error: "cannot-listen".
    static Result<std::unique_ptr<GrpcServer>> create(std::vector<GrpcServerCore> cores,
                                                      const GrpcServerOptions& options,
                                                      Telemetry& telemetry);
    // Call drain() before, unless no call can be under way.
    ~GrpcServer();

    std::uint16_t port() const;

    // Refuses new calls and returns when those under way are answered.  Once.
    Task<void> drain();

private:
    class Implementation;
    explicit GrpcServer(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace rushproof
