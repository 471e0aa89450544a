#include "core/real/beast/http2_client.hpp"

#include <algorithm>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/real/beast/http2_session.hpp"
#include "core/real/beast/http_endpoint.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/beast/watch.hpp"
#include "core/runtime/context_text.hpp"

namespace rushproof {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr HttpLimits limits{16 * 1024, 64 * 1024 * 1024};
constexpr std::size_t calls_max = 10'000;
// Who gives up sooner says nothing about the connection.
constexpr Duration silence_min = std::chrono::milliseconds(100);
constexpr std::size_t read_size = 64 * 1024;

// A connection, from the wish for one to its end.  Everybody who waits for an answer from it is
// told when it ends.
class Link final : public std::enable_shared_from_this<Link> {
public:
    Link(const asio::any_io_executor& executor, const HttpEndpoint& endpoint)
        : endpoint_(endpoint), socket_(executor), resolver_(executor), session_(limits) {}

    // Connects, then reads until the end.
    static Task<void> run(std::shared_ptr<Link> link);
    Http2ClientSession& session() { return session_; }
    void flush_soon();
    // Gets no new requests; ends when it has answered the others.
    void retire();
    // A request was given up.
    void let_go();
    bool retired() const { return retired_ || closed_ || session_.drained(); }
    std::uint64_t heard() const { return heard_; }  // times that something came
    void close();

private:
    void flush();

    HttpEndpoint endpoint_;
    tcp::socket socket_;
    tcp::resolver resolver_;
    Http2ClientSession session_;
    std::string out_;
    std::uint64_t heard_ = 0;
    bool connected_ = false;
    bool closed_ = false;
    bool retired_ = false;
    bool flush_posted_ = false;
    bool write_under_way_ = false;
};

Task<void> Link::run(std::shared_ptr<Link> link) {
    Link& self = *link;
    if (!self.closed_ && co_await connect(self.socket_, self.resolver_, self.endpoint_)) {
        self.connected_ = !self.closed_;
    }
    std::vector<char> bytes(read_size);
    while (self.connected_ && !self.closed_) {
        self.flush_soon();
        if (self.retired() && self.session_.streams() == 0) { break; }
        const auto [error, count] =
            co_await self.socket_.async_read_some(asio::buffer(bytes), await_tuple);
        if (count > 0) { ++self.heard_; }
        if (error || !self.session_.receive({bytes.data(), count})) { break; }
    }
    self.close();
}

// Later, so that all that this turn of the executor has to say goes out in one piece.
void Link::flush_soon() {
    if (flush_posted_ || !connected_ || !session_.has_output()) { return; }
    flush_posted_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
}

void Link::flush() {
    flush_posted_ = false;
    if (write_under_way_ || closed_) { return; }
    out_.clear();
    const bool more = session_.output(out_);
    error_code error;
    const std::size_t sent = out_.empty() ? 0 : socket_.write_some(asio::buffer(out_), error);
    if (error && error != asio::error::would_block) { return; }  // the reader sees it too
    if (sent == out_.size()) {
        if (more) { return flush_soon(); }
        if (session_.over()) { close(); }
        return;
    }
    write_under_way_ = true;
    asio::async_write(socket_, asio::buffer(out_) + sent,
                      [self = shared_from_this()](error_code failed, std::size_t) {
                          if (failed) { return; }
                          self->write_under_way_ = false;
                          self->flush();
                      });
}

void Link::retire() {
    retired_ = true;
    let_go();
}

void Link::let_go() {
    flush_soon();
    if (retired() && session_.streams() == 0) { close(); }
}

void Link::close() {
    if (std::exchange(closed_, true)) { return; }
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    std::optional<Error> why;
    if (heard_ > 0 && !session_.greeted()) {
        why.emplace(ErrorKind::retryable, std::string(no_http2), "the server answers otherwise");
    }
    session_.lose(why);
}

}  // namespace

struct Http2Client::State : std::enable_shared_from_this<State> {
    using Handler = asio::any_completion_handler<void(Result<HttpResponse>)>;
    // Waits for its answer.
    struct Call {
        MonotonicTime deadline;
        Handler handler;
        std::shared_ptr<Link> link;
        Http2Session::Stream stream = 0;
        MonotonicTime began{};
        std::uint64_t heard = 0;  // by the link when it began
    };

    State(asio::any_io_executor its_executor, Clock& its_clock, HttpEndpoint its_endpoint)
        : executor(std::move(its_executor)),
          clock(its_clock),
          endpoint(std::move(its_endpoint)),
          host(endpoint.host_field()),
          watch(clock, [this] { expire(); }) {}

    void begin(const Context& context, HttpRequest request, Handler handler);
    HttpFields fields_of(const Context& context) const;
    Link& link_for_new();
    void resume(Handler handler, Result<HttpResponse> result);
    void finish(std::uint64_t number, Result<HttpResponse> result);
    void give_up(std::uint64_t number);
    void expire();

    asio::any_io_executor executor;
    Clock& clock;
    HttpEndpoint endpoint;
    std::string host;
    std::shared_ptr<Link> link;
    std::map<std::uint64_t, Call> calls;
    std::uint64_t last_number = 0;
    Watch watch;  // of the earliest deadline
};

void Http2Client::State::begin(const Context& context, HttpRequest request, Handler handler) {
    const MonotonicTime at = clock.monotonic();
    if (context.deadline <= at) {
        return resume(std::move(handler), failure(ErrorKind::retryable, "unavailable",
                                                  "there was no time left to ask " + host));
    }
    const std::uint64_t number = ++last_number;
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
        slot.assign([weak = weak_from_this(), number](asio::cancellation_type) {
            if (const auto self = weak.lock()) { self->give_up(number); }
        });
    }
    Link& to = link_for_new();
    const auto stream = calls.size() < calls_max ? to.session().ask(
                                                       host, std::move(request), fields_of(context),
                                                       [this, number](Result<HttpResponse> result) {
                                                           finish(number, std::move(result));
                                                       })
                                                 : std::nullopt;
    if (!stream) {
        return resume(std::move(handler),
                      failure(ErrorKind::retryable, "unavailable",
                              "too many requests to " + host + " are under way"));
    }
    calls.emplace(number,
                  Call{context.deadline, std::move(handler), link, *stream, at, to.heard()});
    to.flush_soon();
    watch.set(context.deadline);
}

HttpFields Http2Client::State::fields_of(const Context& context) const {
    HttpFields fields;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(context.deadline - clock.monotonic());
    fields.emplace_back(deadline_field, std::to_string(std::max<std::int64_t>(left.count(), 0)));
    if (context.trace != TraceId()) {
        fields.emplace_back("traceparent", format_traceparent(context.trace));
    }
    return fields;
}

Link& Http2Client::State::link_for_new() {
    if (!link || link->retired()) {
        link = std::make_shared<Link>(executor, endpoint);
        asio::co_spawn(executor, Link::run(link), asio::detached);
    }
    return *link;
}

// Never inline: whoever waits goes on later.
void Http2Client::State::resume(Handler handler, Result<HttpResponse> result) {
    asio::post(executor, asio::append(std::move(handler), std::move(result)));
}

void Http2Client::State::finish(std::uint64_t number, Result<HttpResponse> result) {
    auto node = calls.extract(number);
    if (node) { resume(std::move(node.mapped().handler), std::move(result)); }
}

void Http2Client::State::give_up(std::uint64_t number) {
    auto node = calls.extract(number);
    if (!node) { return; }
    Call& call = node.mapped();
    const bool sent = call.link->session().cancel(call.stream);
    call.link->let_go();
    resume(std::move(call.handler),
           sent ? failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                          host + " did not answer in time")
                : failure(ErrorKind::retryable, "unavailable",
                          "no request could be sent to " + host + " in time"));
}

void Http2Client::State::expire() {
    const MonotonicTime at = clock.monotonic();
    std::vector<std::uint64_t> expired;
    std::optional<MonotonicTime> next;
    for (const auto& [number, call] : calls) {
        if (call.deadline <= at) {
            expired.push_back(number);
        } else {
            next = std::min(next.value_or(call.deadline), call.deadline);
        }
    }
    for (const std::uint64_t number : expired) {
        const auto found = calls.find(number);
        if (found == calls.end()) { continue; }
        const auto its_link = found->second.link;
        const bool silent =
            its_link->heard() == found->second.heard && at >= found->second.began + silence_min;
        give_up(number);
        if (silent) { its_link->retire(); }
    }
    if (next) { watch.set(*next); }
}

Http2Client::Http2Client(asio::any_io_executor executor, Clock& clock, HttpEndpoint endpoint)
    : state_(std::make_shared<State>(std::move(executor), clock, std::move(endpoint))) {}

Http2Client::~Http2Client() {
    state_->watch.cancel();
    // Their frames own the state, and the state owns them.
    const auto calls = std::exchange(state_->calls, {});
    for (const auto& [number, call] : calls) { call.link->close(); }
    if (state_->link) { state_->link->close(); }
}

Task<Result<HttpResponse>> Http2Client::send(Context context, HttpRequest request) {
    const auto state = state_;
    auto start = [&state, &context, &request](auto handler) {
        state->begin(context, std::move(request), State::Handler(std::move(handler)));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&,
                                            void(Result<HttpResponse>)>(std::move(start),
                                                                        asio::use_awaitable);
}

}  // namespace rushproof
