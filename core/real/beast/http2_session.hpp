// HTTP/2 without TLS (RFC 9113) as bytes in and bytes out, by nghttp2: many requests on one
// connection.  No sockets, so that tests and the fuzzer can drive it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"
#include "core/real/beast/http_reader.hpp"

struct nghttp2_session;

namespace rushproof {

// How a client of HTTP/2 begins.  No request of HTTP/1.1 does.
inline constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// What both ends share.
class Http2Session {
public:
    using Stream = std::int32_t;  // a request and its answer

    Http2Session(const Http2Session&) = delete;
    Http2Session& operator=(const Http2Session&) = delete;

    // False, or over() after the next output(), which says why: the other end breaks the protocol.
    bool receive(std::string_view bytes);
    // Appends what the other end shall get, at most some hundred KB at a time.  True: there is
    // more.
    bool output(std::string& out);
    bool has_output() const;
    // Nothing will be read or written any more.
    bool over() const;

protected:
    Http2Session() = default;
    ~Http2Session();

    nghttp2_session* session_ = nullptr;
};

// The server's end.
class Http2ServerSession final : public Http2Session {
public:
    using Received = std::function<void(Stream, ReceivedRequest)>;

    // `received` is called within receive(), for each whole request that keeps the limits.
    Http2ServerSession(HttpLimits limits, std::uint32_t streams_max, Received received);
    ~Http2ServerSession();

    // Nothing happens when the client is not interested any more.  Streams of pieces are not sent.
    void answer(Stream stream, HttpResponse response);
    // How many requests were begun and not answered to the end.
    std::size_t streams() const;
    // Ends requests that are not whole, and answers that are not taken, when it was so the last
    // time that this was called.
    void refuse_slow();
    // Asks the client to send no more here.  What it sends all the same is received.
    void begin_drain();
    // From now on it is refused.
    void refuse_new();
    // Tells the client which request was the last that was received.  What output() has not given
    // yet is lost.
    void end();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The client's end.
class Http2ClientSession final : public Http2Session {
public:
    // Called once, within receive() or lose().  Errors: "unavailable" (retryable: the server has
    // not begun with it, or it was not sent), "connection-lost" (unknown outcome).
    using Answered = std::function<void(Result<HttpResponse>)>;

    explicit Http2ClientSession(HttpLimits limits);
    ~Http2ClientSession();

    // `fields` come in addition to those of the request.  Nothing: this connection takes no more.
    std::optional<Stream> ask(const std::string& host, HttpRequest request,
                              const HttpFields& fields, Answered answered);
    // Nobody waits for this answer any more.  True: the request may have left.
    bool cancel(Stream stream);
    // The server speaks HTTP/2.  No request leaves before.
    bool greeted() const;
    // The server wants no more requests here.
    bool drained() const;
    std::size_t streams() const;
    // The connection is gone.  `why`: what those are told whose requests did not leave, instead of
    // "unavailable".
    void lose(const std::optional<Error>& why = {});

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rushproof
