// An HTTP/2 client without TLS: all requests to one server on one connection, used by one executor.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string_view>

#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "core/real/beast/http_endpoint.hpp"

namespace rushproof {

// The code of an error, beside those of HttpClient; retryable: the server, or a proxy before it,
// has something to say, but not in HTTP/2.  Nothing was sent to it.
inline constexpr std::string_view no_http2 = "no-http2";

// Connects when there is something to ask, and again
// after the connection was lost.  A request is sent once: only what the server says it has not
// begun, and what never left, is "unavailable"; any other loss is "connection-lost".
// A connection on which a request's time ran out without a sign of life gets no new ones.
// The time left travels in deadline_field.  The client must outlive its calls.
class Http2Client final : public HttpClient {
public:
    Http2Client(asio::any_io_executor executor, Clock& clock, HttpEndpoint endpoint);
    ~Http2Client() override;

    Task<Result<HttpResponse>> send(Context context, HttpRequest request) override;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
