// An HTTP server on a set of cores: HTTP/1.1 with keep-alive and pipelining in order, HTTP/2
// without TLS for calls, limits on everything.
//
// What it answers by itself, as problem+json: 400 malformed, 408 too slow, 413 body too large,
// 417 unknown expectation, 429 client too fast, 431 header too large, 500 the handler threw,
// 503 too many requests or connections.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

// Time left, in milliseconds, that a caller gives a request.  It can only shorten the server's own.
inline constexpr std::string_view deadline_field = "x-deadline-ms";

struct HttpRateLimit {
    double requests_per_second = 0;
    double burst = 1;
};

struct HttpServerOptions {
    std::string name = "http";  // label of its metrics
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one
    std::size_t connections_max = 10'000;
    std::size_t requests_in_flight_max = 4'096;
    std::size_t header_bytes_max = 8 * 1024;
    std::size_t body_bytes_max = 1024 * 1024;
    Duration header_timeout = std::chrono::seconds(10);  // from the first byte
    Duration body_timeout = std::chrono::seconds(30);    // also for the client to take an answer
    Duration idle_timeout = std::chrono::seconds(75);
    Duration drain_grace = std::chrono::seconds(1);
    Duration request_timeout = std::chrono::seconds(5);  // the deadline in the handler's Context
    std::optional<HttpRateLimit> rate_limit_per_client;
};

// Where connections live.  The handler runs on `executor`, one coroutine per connection.  It gets
// the target as it came (with its query, for HttpRouter), GET for HEAD, http_fields_passed_on, and
// the deadline and the trace in its Context.
struct HttpServerCore {
    asio::any_io_executor executor;
    Clock* clock;
    HttpHandler handler;
    // Answers what comes by HTTP/2, many requests at a time on one connection, in whole responses.
    // Without it the server speaks HTTP/1.1 alone.
    HttpHandler calls{};
};

class HttpServer {
public:
    // Listens on the first core and deals connections out in turn.  Error: "cannot-listen".
    static Result<std::unique_ptr<HttpServer>> create(std::vector<HttpServerCore> cores,
                                                      HttpServerOptions options,
                                                      Telemetry& telemetry);
    // Destroy after drain(), or when the cores have stopped.
    ~HttpServer();

    std::uint16_t port() const;

    // Stops accepting, answers every request that was accepted with "connection: close", then
    // closes connections on which nothing arrives for drain_grace.  Returns when none is left.
    Task<void> drain();

private:
    struct State;
    explicit HttpServer(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
