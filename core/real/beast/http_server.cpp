#include "core/real/beast/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/base/assert.hpp"
#include "core/real/beast/http_connection.hpp"

namespace rushproof {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

// How many connections beyond the limit are told so at a time; more are closed without a word.
constexpr std::size_t turned_away_max = 64;
// When the process is out of file descriptors.
constexpr Duration accept_again_after = std::chrono::milliseconds(100);

}  // namespace

struct HttpServer::State {
    explicit State(asio::any_io_executor executor) : acceptor(executor), ended(executor) {}

    Task<void> accept_all(std::shared_ptr<State> self);
    void accept_backlog();
    void deal(tcp::socket socket, HttpConnections& to);
    HttpConnections& next();
    Task<void> stop_accepting();

    std::uint16_t port = 0;
    std::shared_ptr<HttpServerShared> shared;
    std::vector<std::shared_ptr<HttpConnections>> cores;
    std::size_t dealt = 0;
    tcp::acceptor acceptor;
    bool stopping = false;
    bool accepting = true;
    asio::steady_timer ended;  // cancelled when accepting becomes false
};

Result<std::unique_ptr<HttpServer>> HttpServer::create(std::vector<HttpServerCore> cores,
                                                       HttpServerOptions options,
                                                       Telemetry& telemetry) {
    RP_ASSERT(!cores.empty());
    const auto executor = cores.front().executor;
    auto state = std::make_shared<State>(executor);
    state->shared = std::make_shared<HttpServerShared>(options, telemetry);
    for (HttpServerCore& core : cores) {
        state->cores.push_back(std::make_shared<HttpConnections>(state->shared, std::move(core)));
    }
    try {
        const tcp::endpoint endpoint(asio::ip::make_address(options.address), options.port);
        state->acceptor.open(endpoint.protocol());
        state->acceptor.set_option(tcp::acceptor::reuse_address(true));
        state->acceptor.set_option(tcp::no_delay(true));  // its connections inherit it
        state->acceptor.bind(endpoint);
        state->acceptor.listen();
        state->port = state->acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
        return failure(ErrorKind::permanent, "cannot-listen",
                       "cannot listen on " + options.address + ":" + std::to_string(options.port) +
                           ": " + error.code().message());
    }
    asio::co_spawn(executor, state->accept_all(state), asio::detached);
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const { return state_->port; }

Task<void> HttpServer::drain() {
    const auto state = state_;
    co_await asio::co_spawn(state->acceptor.get_executor(), state->stop_accepting(),
                            asio::use_awaitable);
    for (const auto& core : state->cores) {
        asio::dispatch(core->core().executor, [core] { core->begin_drain(); });
    }
    for (const auto& core : state->cores) {
        co_await asio::co_spawn(core->core().executor, core->emptied(), asio::use_awaitable);
    }
}

Task<void> HttpServer::State::accept_all(std::shared_ptr<State> self) {
    while (!stopping) {
        HttpConnections& to = next();
        auto [error, socket] = co_await acceptor.async_accept(to.core().executor, await_tuple);
        if (!error) {
            deal(std::move(socket), to);
        } else if (error != asio::error::operation_aborted) {
            shared->telemetry.log(LogLevel::warning, "cannot accept a connection",
                                  {{"what", error.message()}});
            co_await sleep_for(*self->cores.front()->core().clock, accept_again_after);
        }
    }
    accept_backlog();
    acceptor.close();
    accepting = false;
    ended.cancel();
}

// The kernel has accepted these for us; closing now would reset them.
void HttpServer::State::accept_backlog() {
    acceptor.non_blocking(true);
    for (error_code error; !error;) {
        HttpConnections& to = next();
        tcp::socket socket(to.core().executor);
        acceptor.accept(socket, error);
        if (!error) { deal(std::move(socket), to); }
    }
}

HttpConnections& HttpServer::State::next() { return *cores[dealt++ % cores.size()]; }

void HttpServer::State::deal(tcp::socket socket, HttpConnections& to) {
    const std::size_t present = shared->connections;
    if (present >= shared->options.connections_max + turned_away_max) { return; }
    const bool refused = present >= shared->options.connections_max;
    asio::dispatch(to.core().executor,
                   [core = to.shared_from_this(), refused, moved = std::move(socket)]() mutable {
                       core->add(std::move(moved), refused);
                   });
}

Task<void> HttpServer::State::stop_accepting() {
    stopping = true;
    error_code ignored;
    acceptor.cancel(ignored);
    while (accepting) {
        ended.expires_at(asio::steady_timer::time_point::max());
        co_await ended.async_wait(await_tuple);
    }
}

}  // namespace rushproof
