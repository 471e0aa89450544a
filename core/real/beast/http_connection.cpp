#include "core/real/beast/http_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <utility>

#include "core/real/beast/http_text.hpp"
#include "core/runtime/problem.hpp"

namespace rushproof {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

// After the last answer to a client that may still send something: how long it may take to notice
// and close its side.  Closing first with unread bytes would reset the connection and could destroy
// the answer on its way.
constexpr Duration linger_timeout = std::chrono::seconds(2);
constexpr Duration watch_interval_min = std::chrono::milliseconds(1);
constexpr Duration watch_interval_max = std::chrono::milliseconds(500);

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

}  // namespace

HttpServerShared::HttpServerShared(HttpServerOptions its_options, Telemetry& its_telemetry)
    : options(std::move(its_options)), telemetry(its_telemetry) {
    if (options.rate_limit_per_client) { rate_limiter.emplace(*options.rate_limit_per_client); }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const Labels labels{{"server", options.name}, {"code", std::to_string(i + 1) + "xx"}};
        answers[i] = &telemetry.counter("http_answers_total", "Answers to HTTP requests", labels);
    }
    duration = &telemetry.duration("http_request_seconds",
                                   "From the last byte of a request to the first of its answer",
                                   {{"server", options.name}});
}

HttpConnections::HttpConnections(std::shared_ptr<HttpServerShared> shared, HttpServerCore core)
    : shared_(std::move(shared)), core_(std::move(core)), emptied_(core_.executor) {
    const HttpServerOptions& options = shared_->options;
    const Duration shortest = std::min(
        {options.header_timeout, options.body_timeout, options.idle_timeout, options.drain_grace});
    watch_interval_ = std::clamp(shortest / 4, watch_interval_min, watch_interval_max);
}

const std::string& HttpConnections::date(MonotonicTime at) {
    if (at >= date_until_) {
        date_ = http_date(core_.clock->wall());
        date_until_ = at + std::chrono::seconds(1);
    }
    return date_;
}

void HttpConnections::add(tcp::socket socket, bool refused) {
    auto connection = std::make_shared<HttpConnection>(shared_from_this(), std::move(socket));
    auto coroutine = refused ? HttpConnection::turn_away(std::move(connection))
                             : HttpConnection::serve(std::move(connection));
    asio::co_spawn(core_.executor, std::move(coroutine), asio::detached);
}

HttpConnections::Place HttpConnections::enter(HttpConnection* connection) {
    ++shared_->connections;
    watch();
    return connections_.insert(connections_.end(), connection);
}

void HttpConnections::leave(Place place) {
    --shared_->connections;
    connections_.erase(place);
    if (connections_.empty()) { emptied_.cancel(); }
}

void HttpConnections::watch() {
    if (watching_) { return; }
    watching_ = true;
    auto handler = [weak = weak_from_this()](error_code) {
        const auto connections = weak.lock();
        if (!connections) { return; }
        connections->watching_ = false;
        connections->expire();
    };
    core_.clock->wait_until(now() + watch_interval_, Clock::WaitHandler(std::move(handler)));
}

void HttpConnections::expire() {
    if (connections_.empty()) { return; }
    const MonotonicTime at = now();
    for (HttpConnection* connection : connections_) { connection->expire(at); }
    watch();
}

void HttpConnections::begin_drain() {
    draining_ = true;
    const MonotonicTime at = now();
    for (HttpConnection* connection : connections_) { connection->begin_drain(at); }
}

Task<void> HttpConnections::emptied() {
    while (!connections_.empty()) {
        emptied_.expires_at(asio::steady_timer::time_point::max());
        co_await emptied_.async_wait(await_tuple);
    }
}

HttpConnection::HttpConnection(std::shared_ptr<HttpConnections> connections, tcp::socket socket)
    : connections_(std::move(connections)),
      place_(connections_->enter(this)),
      socket_(std::move(socket)),
      reader_(HttpLimits{connections_->shared().options.header_bytes_max,
                         connections_->shared().options.body_bytes_max}) {
    error_code error;
    socket_.non_blocking(true, error);
    if (connections_->shared().rate_limiter) {
        const auto endpoint = socket_.remote_endpoint(error);
        if (!error) { client_ = endpoint.address().to_string(); }
    }
}

HttpConnection::~HttpConnection() { connections_->leave(place_); }

// One loop in one frame: every coroutine of its own would cost a request more than its parsing.
Task<void> HttpConnection::serve(std::shared_ptr<HttpConnection> connection) {
    HttpConnection& self = *connection;
    self.await_request(self.now());
    for (;;) {
        const ReadState state = self.advance();
        if (self.speaks_http2()) {
            co_await serve_http2(std::move(connection));
            co_return;
        }
        if (state == ReadState::failed) {
            co_await self.refuse(self.reader_.error_status());
            co_return;
        }
        if (state == ReadState::need_more) {
            if (self.continue_is_due() && !co_await self.say_continue()) { co_return; }
            const auto [error, count] =
                co_await self.socket_.async_read_some(self.reader_.prepare(), await_tuple);
            self.reader_.commit(count);
            if (error && !co_await self.read_on_after(error)) { co_return; }
            continue;
        }
        const MonotonicTime start = self.now();
        self.enter(Phase::handling, start);
        ReceivedRequest received = self.reader_.take();
        std::optional<HttpResponse> response = self.refusal(start);
        if (!response) {
            const InFlight in_flight(self.shared().requests_in_flight);
            Context context = self.context_of(received, start);
            try {
                response = co_await self.connections_->core().handler(std::move(context),
                                                                      std::move(received.request));
            } catch (const std::exception& error) { response = self.answer_for(error); }
        }
        const MonotonicTime end = self.now();
        const bool streams = response->stream && !received.head_only;
        // Without chunks only the connection's end tells the end of the answer.
        const bool last = self.is_last(received) || (streams && received.http_1_0);
        self.format(*response, received, last ? Keep::closing : Keep::open, end);
        self.shared().duration->observe(std::chrono::duration<double>(end - start).count());
        const Sent sent = self.send_now(last && !streams ? Keep::closing : Keep::open);
        if (sent == Sent::failed) { co_return; }
        if (sent == Sent::partly && !co_await self.send_rest()) { co_return; }
        if (streams && !co_await self.stream(*response, !received.http_1_0)) { co_return; }
        if (last) {
            if (received.keep_alive || self.has_more()) { co_await self.linger(); }
            co_return;
        }
        self.await_request(end);
    }
}

Task<void> HttpConnection::turn_away(std::shared_ptr<HttpConnection> connection) {
    co_await connection->refuse(503);
}

void HttpConnection::await_request(MonotonicTime at) {
    continued_ = false;
    if (out_.capacity() > out_kept_max) { out_ = std::string(); }
    enter(Phase::idle, at);
}

ReadState HttpConnection::advance() {
    const bool may_be_http2 = begins_http2();
    if (!may_be_http2 && reader_.buffered()) { fresh_ = false; }
    const ReadState state = may_be_http2 ? ReadState::need_more : reader_.advance();
    if (state == ReadState::need_more) {
        if (phase_ == Phase::idle && reader_.started()) { enter(Phase::header, now()); }
        if (phase_ == Phase::header && reader_.header_done()) { enter(Phase::body, now()); }
    }
    return state;
}

bool HttpConnection::continue_is_due() const {
    return phase_ == Phase::body && reader_.expects_continue() && !continued_;
}

Task<bool> HttpConnection::say_continue() {
    continued_ = true;
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool said = co_await send();
    enter(Phase::body, now());
    co_return said;
}

// Reading failed, or took too long.
Task<bool> HttpConnection::read_on_after(error_code error) {
    if (!expired_) { co_return false; }
    if (phase_ != Phase::idle) {
        co_await refuse(408);
        co_return false;
    }
    // A request may have come at the last moment; closing now would lose it.
    const std::size_t late = socket_.read_some(reader_.prepare(), error);
    reader_.commit(late);
    co_return late > 0;
}

Context HttpConnection::context_of(const ReceivedRequest& received, MonotonicTime start) const {
    const Duration most = shared().options.request_timeout;
    Context context(start + std::min(received.time_left.value_or(most), most));
    context.trace = received.trace;
    return context;
}

HttpResponse HttpConnection::answer_for(const std::exception& error) const {
    shared().telemetry.log(LogLevel::error, "an HTTP handler threw", {{"what", error.what()}});
    return problem(500, "internal", "");
}

bool HttpConnection::is_last(const ReceivedRequest& received) const {
    return !received.keep_alive || (connections_->draining() && !reader_.buffered());
}

std::optional<HttpResponse> HttpConnection::refusal(MonotonicTime at) {
    if (shared().rate_limiter) {
        if (const auto wait = shared().rate_limiter->refused(client_, at)) {
            return later(problem(429, "too-many-requests", "this client asks too often"), *wait);
        }
    }
    if (shared().requests_in_flight >= shared().options.requests_in_flight_max) {
        return later(problem(503, "overloaded", "too many requests are under way"), Duration(1));
    }
    return std::nullopt;
}

void HttpConnection::count(int status) {
    shared().answers[static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1)]->add();
}

void HttpConnection::format(const HttpResponse& response, const ReceivedRequest& received,
                            Keep keep, MonotonicTime at) {
    count(response.status);
    out_ = "HTTP/1.1 ";
    append_number(out_, static_cast<std::uint64_t>(response.status));
    out_ += ' ';
    out_ += status_reason(response.status);
    out_ += "\r\ndate: ";
    out_ += connections_->date(at);
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) {
        if (!response.content_type.empty()) {
            append_field(out_, "content-type", response.content_type);
        }
        if (!response.stream) {
            out_ += "\r\ncontent-length: ";
            append_number(out_, response.body.size());
        } else if (!received.http_1_0) {
            out_ += "\r\ntransfer-encoding: chunked";
        }
    }
    for (const auto& [name, value] : response.fields) { append_field(out_, name, value); }
    if (keep == Keep::closing) {
        out_ += "\r\nconnection: close";
    } else if (received.http_1_0) {
        out_ += "\r\nconnection: keep-alive";
    }
    out_ += "\r\n\r\n";
    if (!has_body || received.head_only) { return; }
    if (!response.stream) {
        out_ += response.body;
    } else if (!response.body.empty()) {
        append_piece(response.body, !received.http_1_0);
    }
}

void HttpConnection::append_piece(std::string_view piece, bool chunked) {
    if (!chunked) {
        out_ += piece;
        return;
    }
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16);
    out_.append(digits.data(), end.ptr);
    out_ += "\r\n";
    out_ += piece;
    out_ += "\r\n";
}

// False: the connection is of no use any more.
Task<bool> HttpConnection::stream(const HttpResponse& response, bool chunked) {
    while (!connections_->draining()) {
        enter(Phase::handling, now());
        std::string piece;
        try {
            piece = co_await response.stream();
        } catch (const std::exception& error) {
            shared().telemetry.log(LogLevel::error, "an HTTP stream threw",
                                   {{"what", error.what()}});
            co_return false;
        }
        if (piece.empty()) { break; }
        out_.clear();
        append_piece(piece, chunked);
        if (!co_await send()) { co_return false; }
    }
    if (!chunked) { co_return true; }
    out_ = "0\r\n\r\n";
    co_return co_await send();
}

// What the kernel takes at once, which is nearly always everything.  It keeps the last packet back
// when the caller ends the connection next: both travel together, and wake the client once.
HttpConnection::Sent HttpConnection::send_now(Keep keep) {
    error_code error;
    sent_ = socket_.send(asio::buffer(out_), keep == Keep::closing ? MSG_MORE : 0, error);
    if (error && error != asio::error::would_block) { return Sent::failed; }
    return sent_ == out_.size() ? Sent::all : Sent::partly;
}

Task<bool> HttpConnection::send_rest() {
    enter(Phase::writing, now());
    const auto rest = asio::buffer(out_) + sent_;
    const auto [error, count] = co_await asio::async_write(socket_, rest, await_tuple);
    co_return !error;
}

Task<bool> HttpConnection::send() {
    const Sent sent = send_now(Keep::open);
    if (sent == Sent::partly) { co_return co_await send_rest(); }
    co_return sent == Sent::all;
}

Task<void> HttpConnection::refuse(int status) {
    const ReceivedRequest unread;
    format(refusal_for(status), unread, Keep::closing, now());
    if (co_await send()) { co_await linger(); }
}

bool HttpConnection::has_more() const {
    error_code error;
    return reader_.buffered() || socket_.available(error) > 0;
}

Task<void> HttpConnection::linger() {
    enter(Phase::lingering, now());
    error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> ignored;
    while (!error && !expired_) {
        std::tie(error, std::ignore) =
            co_await socket_.async_read_some(asio::buffer(ignored), await_tuple);
    }
}

Duration HttpConnection::allowed(Phase phase) const {
    const HttpServerOptions& options = connections_->shared().options;
    switch (phase) {
        case Phase::idle:
            return connections_->draining() ? options.drain_grace : options.idle_timeout;
        case Phase::header: return options.header_timeout;
        case Phase::body:
        case Phase::writing: return options.body_timeout;
        case Phase::lingering: return linger_timeout;
        case Phase::handling: break;
    }
    return Duration::max();
}

void HttpConnection::enter(Phase phase, MonotonicTime at) {
    phase_ = phase;
    expired_ = false;
    expiry_ = phase == Phase::handling ? MonotonicTime::max() : at + allowed(phase);
}

void HttpConnection::expire(MonotonicTime now) {
    if (http2_) { refuse_late(now); }
    if (now < expiry_) { return; }
    expired_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

void HttpConnection::begin_drain(MonotonicTime at) {
    if (http2_) { drain_http2(at); }
    if (phase_ == Phase::idle) {
        expiry_ = std::min(expiry_, at + connections_->shared().options.drain_grace);
    }
}

}  // namespace rushproof
