// Bytes in, HTTP/1.1 messages out.  No sockets, so that tests and the fuzzer can drive it.
#pragma once
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"
#include "core/ports/http.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

struct HttpLimits {
    std::size_t header_bytes_max;
    std::size_t body_bytes_max;
};

struct ReceivedRequest {
    // Keeps what handlers ask about.  False: the value is not valid.
    bool take_field(std::string_view name, std::string_view value);

    HttpRequest request;
    bool head_only = false;  // it was HEAD, and is GET in `request`
    bool http_1_0 = false;
    bool keep_alive = false;
    std::optional<Duration> time_left;
    TraceId trace;
};

struct ReceivedResponse {
    HttpResponse response;
    bool keep_alive = false;
};

enum class ReadState : std::uint8_t { need_more, ready, failed };

// prepare, commit and advance until advance() says ready; then take() and advance() again, because
// the next message may be in the buffer already.  After failed only error_status() makes sense.
class HttpRequestReader {
public:
    explicit HttpRequestReader(HttpLimits limits);
    ~HttpRequestReader();

    asio::mutable_buffer prepare();
    void commit(std::size_t count);
    ReadState advance();
    ReceivedRequest take();

    bool buffered() const;            // bytes that nobody has looked at are left
    std::string_view unread() const;  // these bytes
    bool started() const;             // the first byte of a request has come
    bool header_done() const;         // its header has come as a whole
    bool expects_continue() const;
    int error_status() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// One answer at a time: expect() before each.  Interim answers (1xx) are skipped.
class HttpResponseReader {
public:
    explicit HttpResponseReader(HttpLimits limits);
    ~HttpResponseReader();

    enum class Body : std::uint8_t { as_announced, none };
    void expect(Body body);
    asio::mutable_buffer prepare();
    void commit(std::size_t count);
    ReadState advance();
    // The server closed the connection: an answer of unknown length is then ready.
    ReadState end();
    ReceivedResponse take();
    bool buffered() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rushproof
