#include "core/real/beast/http_connection_pool.hpp"

#include <algorithm>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "core/real/beast/http_reader.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/beast/http_text.hpp"
#include "core/real/beast/watch.hpp"
#include "core/runtime/context_text.hpp"

namespace rushproof {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

struct Connection {
    Connection(const asio::any_io_executor& executor, HttpLimits limits)
        : socket(executor), resolver(executor), reader(limits) {}

    // False also when the server has closed it, or said something that nobody asked for.
    bool usable() {
        if (!socket.is_open()) { return false; }
        char byte = 0;
        error_code error;
        socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
        return error == asio::error::would_block;
    }
    void close() {
        error_code ignored;
        resolver.cancel();
        socket.close(ignored);
    }

    tcp::socket socket;
    tcp::resolver resolver;
    HttpResponseReader reader;
    std::string out;
};

// A call under way.  Lives in its coroutine's frame, and in the list by which the pool's watch
// finds it.
class Operation {
public:
    Operation(std::list<Operation*>& all, MonotonicTime its_deadline)
        : deadline(its_deadline), all_(all), place_(all.insert(all.end(), this)) {}
    ~Operation() { all_.erase(place_); }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    MonotonicTime deadline;
    bool expired = false;
    Connection* connection = nullptr;
    HttpTimes times;

private:
    std::list<Operation*>& all_;
    std::list<Operation*>::iterator place_;
};

}  // namespace

struct HttpConnectionPool::State : std::enable_shared_from_this<State> {
    using Handler = asio::any_completion_handler<void(error_code)>;
    struct Waiter {
        Operation* operation;
        Handler handler;
    };

    State(asio::any_io_executor its_executor, Clock& its_clock, HttpEndpoint its_endpoint,
          HttpPoolOptions its_options);

    MonotonicTime now() const { return clock.monotonic(); }

    Task<bool> acquire(Operation& operation);
    void release(Connection& connection);
    void stop_waiting(const Operation& operation, error_code why);
    void resume(Waiter waiter, error_code why);

    void expire();

    Task<bool> open(Connection& connection);
    void format(std::string& out, const Context& context, const HttpRequest& request) const;
    Task<std::size_t> write(Operation& operation);
    Task<bool> read(Operation& operation);
    Task<Result<HttpResponse>> talk(Operation& operation, Context context, HttpRequest request);
    Task<Result<void>> open_all(Context context, std::size_t count);

    asio::any_io_executor executor;
    Clock& clock;
    HttpEndpoint endpoint;
    HttpPoolOptions options;
    std::string host_field;
    std::uint64_t connects = 0;

    std::vector<std::unique_ptr<Connection>> connections;
    std::deque<Connection*> free;  // open ones first
    std::list<Operation*> operations;
    std::list<Waiter> waiting;

    Watch watch;  // of the earliest deadline
};

namespace {

// Gives a connection back when the call is over, and closes it unless the call went well.
template <class Pool>
class Lease {
public:
    Lease(Pool& pool, Connection& connection) : pool_(pool), connection_(connection) {}
    ~Lease() {
        if (!reusable_) { connection_.close(); }
        pool_.release(connection_);
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    void keep() { reusable_ = true; }

private:
    Pool& pool_;
    Connection& connection_;
    bool reusable_ = false;
};

tl::unexpected<Error> unavailable(std::string message) {
    return failure(ErrorKind::retryable, "unavailable", std::move(message));
}

}  // namespace

HttpConnectionPool::State::State(asio::any_io_executor its_executor, Clock& its_clock,
                                 HttpEndpoint its_endpoint, HttpPoolOptions its_options)
    : executor(std::move(its_executor)),
      clock(its_clock),
      endpoint(std::move(its_endpoint)),
      options(its_options),
      host_field(endpoint.host_field()),
      watch(clock, [this] { expire(); }) {}

// True: operation.connection is set, open or not.
Task<bool> HttpConnectionPool::State::acquire(Operation& operation) {
    if (free.empty() && connections.size() < options.connections_max) {
        const HttpLimits limits{options.header_bytes_max, options.body_bytes_max};
        free.push_back(
            connections.emplace_back(std::make_unique<Connection>(executor, limits)).get());
    }
    if (!free.empty()) {
        operation.connection = free.front();
        free.pop_front();
        co_return true;
    }
    if (waiting.size() >= options.waiters_max) { co_return false; }
    auto start = [this, &operation](auto handler) {
        Handler erased(std::move(handler));
        auto slot = asio::get_associated_cancellation_slot(erased);
        waiting.push_back(Waiter{&operation, std::move(erased)});
        if (slot.is_connected()) {
            slot.assign([this, &operation](asio::cancellation_type) {
                stop_waiting(operation, asio::error::operation_aborted);
            });
        }
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(error_code)>(
        std::move(start), asio::use_awaitable);
    co_return operation.connection != nullptr;
}

void HttpConnectionPool::State::release(Connection& connection) {
    if (!waiting.empty()) {
        waiting.front().operation->connection = &connection;
        Waiter waiter = std::move(waiting.front());
        waiting.pop_front();
        resume(std::move(waiter), {});
    } else if (connection.socket.is_open()) {
        free.push_front(&connection);
    } else {
        free.push_back(&connection);
    }
}

void HttpConnectionPool::State::stop_waiting(const Operation& operation, error_code why) {
    const auto found = std::find_if(waiting.begin(), waiting.end(), [&](const Waiter& waiter) {
        return waiter.operation == &operation;
    });
    if (found == waiting.end()) { return; }
    Waiter waiter = std::move(*found);
    waiting.erase(found);
    resume(std::move(waiter), why);
}

void HttpConnectionPool::State::resume(Waiter waiter, error_code why) {
    asio::post(executor, asio::append(std::move(waiter.handler), why));
}

void HttpConnectionPool::State::expire() {
    const MonotonicTime at = now();
    std::optional<MonotonicTime> next;
    for (Operation* operation : operations) {
        if (operation->deadline > at) {
            next = std::min(next.value_or(operation->deadline), operation->deadline);
        } else if (!operation->expired) {
            operation->expired = true;
            if (operation->connection != nullptr) {
                operation->connection->close();
            } else {
                stop_waiting(*operation, {});
            }
        }
    }
    if (next) { watch.set(*next); }
}

Task<bool> HttpConnectionPool::State::open(Connection& connection) {
    connection.close();
    const bool connected = co_await connect(connection.socket, connection.resolver, endpoint);
    if (connected) { ++connects; }
    co_return connected;
}

void HttpConnectionPool::State::format(std::string& out, const Context& context,
                                       const HttpRequest& request) const {
    out = request.method;
    out += ' ';
    out += target_of(request);
    out += " HTTP/1.1\r\nhost: ";
    out += host_field;
    for (const auto& [name, value] : request.fields) { append_field(out, name, value); }
    if (context.trace != TraceId()) {
        append_field(out, "traceparent", format_traceparent(context.trace));
    }
    if (options.pass_deadline) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(context.deadline - now());
        append_field(out, deadline_field, std::to_string(std::max<std::int64_t>(left.count(), 0)));
    }
    const bool bodiless = request.method == "GET" || request.method == "HEAD";
    if (!bodiless || !request.body.empty()) {
        append_field(out, "content-length", std::to_string(request.body.size()));
    }
    out += "\r\n\r\n";
    out += request.body;
}

// How many bytes the kernel took.
Task<std::size_t> HttpConnectionPool::State::write(Operation& operation) {
    Connection& connection = *operation.connection;
    operation.times.sent = now();
    error_code error;
    std::size_t written = connection.socket.write_some(asio::buffer(connection.out), error);
    if (written < connection.out.size() && (!error || error == asio::error::would_block)) {
        const auto rest = asio::buffer(connection.out) + written;
        const auto [failed, more] =
            co_await asio::async_write(connection.socket, rest, await_tuple);
        written += more;
    }
    co_return written;
}

Task<bool> HttpConnectionPool::State::read(Operation& operation) {
    Connection& connection = *operation.connection;
    HttpTimes& times = operation.times;
    ReadState state = ReadState::need_more;
    while (state == ReadState::need_more) {
        const auto [error, count] =
            co_await connection.socket.async_read_some(connection.reader.prepare(), await_tuple);
        if (count > 0 && times.first_byte == MonotonicTime()) { times.first_byte = now(); }
        connection.reader.commit(count);
        if (error == asio::error::eof) {
            state = connection.reader.end();
        } else if (error) {
            state = ReadState::failed;
        } else {
            state = connection.reader.advance();
        }
    }
    co_return state == ReadState::ready;
}

Task<Result<HttpResponse>> HttpConnectionPool::State::talk(Operation& operation, Context context,
                                                           HttpRequest request) {
    if (!co_await acquire(operation)) {
        co_return unavailable("no connection to " + host_field + " was free in time");
    }
    Connection& connection = *operation.connection;
    Lease<State> lease(*this, connection);
    std::size_t written = 0;
    for (bool reused = true; written == 0 && reused;) {
        reused = connection.usable();
        if (operation.expired || (!reused && !co_await open(connection))) {
            co_return unavailable("cannot connect to " + host_field);
        }
        format(connection.out, context, request);
        connection.reader.expect(request.method == "HEAD" ? HttpResponseReader::Body::none
                                                          : HttpResponseReader::Body::as_announced);
        written = co_await write(operation);
    }
    if (written == 0) { co_return unavailable(host_field + " closed the connection"); }

    const bool answered = co_await read(operation);
    if (!answered) {
        co_return operation.expired
            ? failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                      host_field + " did not answer in time")
            : failure(ErrorKind::unknown_outcome, "connection-lost",
                      "the connection to " + host_field + " was lost before the answer was whole");
    }
    ReceivedResponse received = connection.reader.take();
    if (received.keep_alive && !connection.reader.buffered() && written == connection.out.size()) {
        lease.keep();
    }
    co_return std::move(received.response);
}

// Holds every connection until the last is open, so that each is another one.
Task<Result<void>> HttpConnectionPool::State::open_all(Context context, std::size_t count) {
    std::list<Operation> opening;
    std::list<Lease<State>> leases;
    watch.set(context.deadline);
    while (leases.size() < std::min(count, options.connections_max)) {
        Operation& operation = opening.emplace_back(operations, context.deadline);
        if (!co_await acquire(operation)) {
            co_return unavailable("no connection to " + host_field + " was free in time");
        }
        auto& lease = leases.emplace_back(*this, *operation.connection);
        if (!operation.connection->usable() && !co_await open(*operation.connection)) {
            co_return unavailable("cannot connect to " + host_field);
        }
        lease.keep();
    }
    co_return Result<void>();
}

HttpConnectionPool::HttpConnectionPool(asio::any_io_executor executor, Clock& clock,
                                       HttpEndpoint endpoint, HttpPoolOptions options)
    : state_(std::make_shared<State>(std::move(executor), clock, std::move(endpoint), options)) {}

HttpConnectionPool::~HttpConnectionPool() {
    state_->watch.cancel();
    // Their frames own the state, and the state owns them.
    const auto waiting = std::exchange(state_->waiting, {});
}

Task<HttpExchange> HttpConnectionPool::exchange(Context context, HttpRequest request) {
    const auto state = state_;
    Operation operation(state->operations, context.deadline);
    operation.times.queued = state->now();
    state->watch.set(context.deadline);
    auto result = co_await state->talk(operation, std::move(context), std::move(request));
    operation.times.done = state->now();
    HttpExchange exchanged{std::move(result), operation.times};
    co_return exchanged;
}

Task<Result<HttpResponse>> HttpConnectionPool::send(Context context, HttpRequest request) {
    auto exchanged = co_await exchange(std::move(context), std::move(request));
    co_return std::move(exchanged.result);
}

Task<Result<void>> HttpConnectionPool::open(Context context, std::size_t count) {
    const auto state = state_;
    co_return co_await state->open_all(std::move(context), count);
}

std::size_t HttpConnectionPool::waiting() const { return state_->waiting.size(); }
std::uint64_t HttpConnectionPool::connects() const { return state_->connects; }

}  // namespace rushproof
