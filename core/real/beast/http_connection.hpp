// One server connection as one coroutine, and the connections of one core.
#pragma once
#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/real/beast/http2_session.hpp"
#include "core/real/beast/http_reader.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/beast/rate_limiter.hpp"

namespace rushproof {

// What all cores of one server share.
struct HttpServerShared {
    HttpServerShared(HttpServerOptions its_options, Telemetry& its_telemetry);

    HttpServerOptions options;
    Telemetry& telemetry;
    std::optional<RateLimiter> rate_limiter;
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> requests_in_flight{0};
    std::array<Counter*, 5> answers;  // by first digit of the status
    Distribution* duration;
};

// Counts a request while its handler runs, also when its frame is destroyed half-way.
class InFlight {
public:
    explicit InFlight(std::atomic<std::size_t>& count) : count_(count) { ++count_; }
    ~InFlight() { --count_; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

private:
    std::atomic<std::size_t>& count_;
};

class HttpConnection;

// Used by the thread of its core only.
class HttpConnections final : public std::enable_shared_from_this<HttpConnections> {
public:
    HttpConnections(std::shared_ptr<HttpServerShared> shared, HttpServerCore core);

    HttpServerShared& shared() { return *shared_; }
    const HttpServerCore& core() const { return core_; }
    MonotonicTime now() const { return core_.clock->monotonic(); }
    bool draining() const { return draining_; }
    const std::string& date(MonotonicTime at);  // for answers

    // `refused`: one too many; it gets a 503.
    void add(asio::ip::tcp::socket socket, bool refused);
    void begin_drain();
    Task<void> emptied();

private:
    friend class HttpConnection;
    using Place = std::list<HttpConnection*>::iterator;
    Place enter(HttpConnection* connection);
    void leave(Place place);

    // One timer for all connections: every interval it ends the waits that have expired.
    void watch();
    void expire();

    std::shared_ptr<HttpServerShared> shared_;
    HttpServerCore core_;
    Duration watch_interval_;
    bool watching_ = false;
    bool draining_ = false;
    std::list<HttpConnection*> connections_;
    asio::steady_timer emptied_;
    std::string date_;
    MonotonicTime date_until_;
};

class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
public:
    HttpConnection(std::shared_ptr<HttpConnections> connections, asio::ip::tcp::socket socket);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    static Task<void> serve(std::shared_ptr<HttpConnection> connection);
    static Task<void> turn_away(std::shared_ptr<HttpConnection> connection);

    void expire(MonotonicTime at);
    void begin_drain(MonotonicTime at);

private:
    static constexpr std::size_t out_kept_max = 64 * 1024;  // memory of out_ between answers
    enum class Phase : std::uint8_t { idle, header, body, handling, writing, lingering };
    enum class Keep : std::uint8_t { open, closing };
    enum class Sent : std::uint8_t { all, partly, failed };

    HttpServerShared& shared() const { return connections_->shared(); }
    MonotonicTime now() const { return connections_->now(); }

    // http2_connection.cpp
    bool begins_http2() const;  // as far as its first bytes have come
    bool speaks_http2() const;
    static Task<void> serve_http2(std::shared_ptr<HttpConnection> connection);
    void begin_call(Http2Session::Stream stream, ReceivedRequest received);
    static Task<void> answer_call(std::shared_ptr<HttpConnection> connection,
                                  Http2Session::Stream stream, ReceivedRequest received);
    void note_streams();  // there are some, or none
    void drain_http2(MonotonicTime at);
    void refuse_late(MonotonicTime at);
    void flush_soon();
    void flush();

    void await_request(MonotonicTime at);
    ReadState advance();
    bool continue_is_due() const;
    Task<bool> say_continue();
    Task<bool> read_on_after(boost::system::error_code error);
    std::optional<HttpResponse> refusal(MonotonicTime at);
    Context context_of(const ReceivedRequest& received, MonotonicTime start) const;
    HttpResponse answer_for(const std::exception& error) const;
    bool is_last(const ReceivedRequest& received) const;
    void count(int status);
    void format(const HttpResponse& response, const ReceivedRequest& received, Keep keep,
                MonotonicTime at);
    Sent send_now(Keep keep);
    Task<bool> send_rest();
    Task<bool> stream(const HttpResponse& response, bool chunked);
    void append_piece(std::string_view piece, bool chunked);
    Task<bool> send();
    Task<void> refuse(int status);
    bool has_more() const;  // that nobody has read
    Task<void> linger();
    void enter(Phase phase, MonotonicTime at);
    Duration allowed(Phase phase) const;

    std::shared_ptr<HttpConnections> connections_;
    HttpConnections::Place place_;
    asio::ip::tcp::socket socket_;
    std::string client_;  // address, only with a rate limit
    HttpRequestReader reader_;
    std::string out_;
    std::size_t sent_ = 0;
    Phase phase_ = Phase::idle;
    MonotonicTime expiry_;
    bool expired_ = false;
    bool continued_ = false;  // 100 Continue was sent
    bool fresh_ = true;       // nothing has come yet but what may begin HTTP/2
    std::optional<Http2ServerSession> http2_;
    MonotonicTime slow_since_;  // when slow ones were last looked for
    MonotonicTime refuse_new_from_ = MonotonicTime::max();
    std::size_t read_meanwhile_ = 0;  // bytes, since a write is under way
    bool flush_posted_ = false;
    bool write_under_way_ = false;
};

}  // namespace rushproof
