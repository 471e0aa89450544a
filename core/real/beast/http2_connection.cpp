// The part of HttpConnection that speaks HTTP/2.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/real/beast/http_connection.hpp"

namespace rushproof {

namespace {

using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t streams_max = 1'000;
constexpr std::size_t read_size = 16 * 1024;
// Of a client that sends on and does not take what it gets.
constexpr std::size_t read_meanwhile_max = 4 * 1024 * 1024;

}  // namespace

bool HttpConnection::begins_http2() const {
    if (!fresh_ || !connections_->core().calls || !reader_.buffered()) { return false; }
    return http2_preface.starts_with(reader_.unread().substr(0, http2_preface.size()));
}

bool HttpConnection::speaks_http2() const {
    return begins_http2() && reader_.unread().size() >= http2_preface.size();
}

// Until the client goes, or this server stops.
Task<void> HttpConnection::serve_http2(std::shared_ptr<HttpConnection> connection) {
    HttpConnection& self = *connection;
    const HttpServerOptions& options = self.shared().options;
    self.http2_.emplace(
        HttpLimits{options.header_bytes_max, options.body_bytes_max},
        static_cast<std::uint32_t>(std::min(options.requests_in_flight_max, streams_max)),
        [&self](Http2Session::Stream stream, ReceivedRequest received) {
            self.begin_call(stream, std::move(received));
        });
    self.slow_since_ = self.now();
    self.enter(Phase::idle, self.slow_since_);
    if (self.connections_->draining()) { self.drain_http2(self.slow_since_); }
    std::vector<char> bytes(read_size);
    bool understood = self.http2_->receive(self.reader_.unread());
    while (understood && !self.http2_->over()) {
        self.flush_soon();
        const auto [error, count] =
            co_await self.socket_.async_read_some(asio::buffer(bytes), await_tuple);
        if (error == asio::error::operation_aborted) { break; }  // its time is over
        if (error) {
            error_code ignored;
            self.socket_.close(ignored);  // the client is gone; what it asked for may go on
            co_return;
        }
        self.read_meanwhile_ = self.write_under_way_ ? self.read_meanwhile_ + count : 0;
        if (self.read_meanwhile_ > read_meanwhile_max) { break; }
        understood = self.http2_->receive({bytes.data(), count});
        self.note_streams();
    }
    self.http2_->end();
    self.flush();
    co_await self.linger();
}

void HttpConnection::begin_call(Http2Session::Stream stream, ReceivedRequest received) {
    const MonotonicTime start = now();
    if (auto refused = refusal(start)) {
        count(refused->status);
        http2_->answer(stream, *std::move(refused));
        return;
    }
    asio::co_spawn(connections_->core().executor,
                   answer_call(shared_from_this(), stream, std::move(received)), asio::detached);
}

Task<void> HttpConnection::answer_call(std::shared_ptr<HttpConnection> connection,
                                       Http2Session::Stream stream, ReceivedRequest received) {
    HttpConnection& self = *connection;
    const MonotonicTime start = self.now();
    const InFlight in_flight(self.shared().requests_in_flight);
    Context context = self.context_of(received, start);
    std::optional<HttpResponse> response;
    try {
        response = co_await self.connections_->core().calls(std::move(context),
                                                            std::move(received.request));
    } catch (const std::exception& error) { response = self.answer_for(error); }
    self.count(response->status);
    self.shared().duration->observe(std::chrono::duration<double>(self.now() - start).count());
    self.http2_->answer(stream, *std::move(response));
    self.flush_soon();
}

void HttpConnection::drain_http2(MonotonicTime at) {
    refuse_new_from_ = at + shared().options.drain_grace;
    http2_->begin_drain();
    flush_soon();
}

// Neither a slow client nor one that ignores the end of this server holds it up.
void HttpConnection::refuse_late(MonotonicTime at) {
    if (at >= refuse_new_from_) { http2_->refuse_new(); }
    if (at < slow_since_ + shared().options.body_timeout) { return; }
    slow_since_ = at;
    http2_->refuse_slow();
    flush_soon();
}

void HttpConnection::note_streams() {
    if (phase_ == Phase::lingering || write_under_way_) { return; }
    // While draining only requests count as life.
    const bool idle = http2_->streams() == 0;
    if (idle && phase_ == Phase::idle && connections_->draining()) { return; }
    enter(idle ? Phase::idle : Phase::handling, now());
}

// Later, so that all that this turn of the executor has to say goes out in one piece.
void HttpConnection::flush_soon() {
    if (flush_posted_ || !http2_->has_output()) { return; }
    flush_posted_ = true;
    asio::post(connections_->core().executor, [self = shared_from_this()] { self->flush(); });
}

void HttpConnection::flush() {
    flush_posted_ = false;
    if (write_under_way_) { return; }
    if (out_.capacity() > out_kept_max) { out_ = std::string(); }
    out_.clear();
    const bool more = http2_->output(out_);
    const Sent sent = out_.empty() ? Sent::all : send_now(Keep::open);
    note_streams();
    if (sent != Sent::partly) {  // a failure is the reader's to notice
        if (more) { flush_soon(); }
        error_code ignored;
        if (http2_->over() && phase_ != Phase::lingering) { socket_.cancel(ignored); }
        return;
    }
    write_under_way_ = true;
    enter(Phase::writing, now());
    const auto rest = asio::buffer(out_) + sent_;
    asio::async_write(socket_, rest, [self = shared_from_this()](error_code error, std::size_t) {
        if (error) { return; }  // with half a frame written nothing may follow
        self->write_under_way_ = false;
        self->flush();
    });
}

}  // namespace rushproof
