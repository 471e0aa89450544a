// The part of HttpConnection that speaks HTTP/2.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "core/real/beast/http_connection.hpp"

namespace rushproof {

namespace {

using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t streams_max = 1'000;
constexpr std::size_t read_size = 64 * 1024;

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
    self.enter(Phase::idle, self.now());
    if (self.connections_->draining()) { self.http2_->begin_drain(); }
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
        understood = self.http2_->receive({bytes.data(), count});
    }
    self.http2_->end();
    self.flush();
    co_await self.linger();
}

void HttpConnection::begin_call(Http2Session::Stream stream, ReceivedRequest received) {
    const MonotonicTime start = now();
    enter(Phase::handling, start);
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

// Later, so that all that this turn of the executor has to say goes out in one piece.
void HttpConnection::flush_soon() {
    if (flush_posted_) { return; }
    flush_posted_ = true;
    asio::post(connections_->core().executor, [self = shared_from_this()] { self->flush(); });
}

void HttpConnection::flush() {
    flush_posted_ = false;
    if (write_under_way_) { return; }
    out_.clear();
    http2_->output(out_);
    const bool done = out_.empty();
    const Sent sent = done ? Sent::all : send_now(Keep::open);
    if (phase_ != Phase::lingering) {
        enter(http2_->streams() == 0 ? Phase::idle : Phase::handling, now());
    }
    if (sent == Sent::all && !done) { flush_soon(); }
    if (sent != Sent::partly) {  // a failure is the reader's to notice
        error_code ignored;
        if (http2_->over()) { socket_.cancel(ignored); }
        return;
    }
    write_under_way_ = true;
    enter(Phase::writing, now());
    const auto rest = asio::buffer(out_) + sent_;
    asio::async_write(socket_, rest, [self = shared_from_this()](error_code error, std::size_t) {
        self->write_under_way_ = false;
        if (!error) { self->flush(); }
    });
}

}  // namespace rushproof
