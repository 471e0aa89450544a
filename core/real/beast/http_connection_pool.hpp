// An HTTP/1.1 client: keep-alive connections to one server, used by one executor.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "core/real/beast/http_endpoint.hpp"

namespace rushproof {

struct HttpPoolOptions {
    std::size_t connections_max = 64;
    std::size_t waiters_max = 100'000;
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 64 * 1024 * 1024;
    bool pass_deadline = false;  // send the time left in deadline_field
};

// Zero where the request did not get that far.
struct HttpTimes {
    MonotonicTime queued{};      // exchange() was called
    MonotonicTime sent{};        // the first byte went to the kernel
    MonotonicTime first_byte{};  // the first byte of the answer came
    MonotonicTime done{};        // exchange() has its result
};

struct HttpExchange {
    Result<HttpResponse> result;
    HttpTimes times;
};

// Waiters get connections first come, first served.  A request is written once: a connection that
// the server had closed before anything was written is replaced, any later loss is
// "connection-lost".
// The pool must outlive its calls.
class HttpConnectionPool final : public HttpClient {
public:
    HttpConnectionPool(asio::any_io_executor executor, Clock& clock, HttpEndpoint endpoint,
                       HttpPoolOptions options = {});
    ~HttpConnectionPool() override;

    Task<Result<HttpResponse>> send(Context context, HttpRequest request) override;
    // The same, with its times.
    Task<HttpExchange> exchange(Context context, HttpRequest request);

    std::size_t waiting() const;     // requests without a connection
    std::uint64_t connects() const;  // connections opened so far
    // Opens connections until `count` are there or one fails; for a warm start.
    Task<Result<void>> open(Context context, std::size_t count);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
