#include "simulator/live/relay.hpp"

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace rushproof::simulator {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t piece_bytes = 64 * 1024;
// How soon a release is noticed by whoever is held up.
constexpr auto look_again = std::chrono::milliseconds(5);

// One way through a relay.
struct Way {
    std::atomic<bool> held = false;
    std::atomic<std::int64_t> delay = 0;   // ns
    std::atomic<std::int64_t> jitter = 0;  // ns
};

class TcpRelay final : public Relay {
public:
    explicit TcpRelay(asio::io_context& context)
        : context_(context),
          acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          address_("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port())) {}

    const std::string& address() const override { return address_; }

    Result<void> aim_at(const std::string& target) override {
        const auto colon = target.rfind(':');
        ErrorCode error;
        const auto address = asio::ip::make_address(target.substr(0, colon), error);
        const int port = colon == target.npos ? 0 : std::atoi(target.c_str() + colon + 1);
        if (error || port <= 0 || port > 65'535) {
            return failure(ErrorKind::permanent, "cannot-start", "no address: " + target);
        }
        const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(port));
        asio::post(context_, [this, endpoint] {
            const bool first = !target_;
            target_ = endpoint;
            if (first) { asio::co_spawn(context_, accept_all(), asio::detached); }
        });
        return {};
    }

    void hold(bool towards_target, bool towards_client) override {
        if (towards_target) { there_.held = true; }
        if (towards_client) { back_.held = true; }
    }
    void slow(bool towards_target, bool towards_client, Duration delay, Duration jitter) override {
        const auto set = [&](Way& way) {
            way.delay = delay.count();
            way.jitter = jitter.count();
        };
        if (towards_target) { set(there_); }
        if (towards_client) { set(back_); }
    }
    void release() override {
        for (Way* way : {&there_, &back_}) {
            way->held = false;
            way->delay = 0;
            way->jitter = 0;
        }
    }
    std::uint64_t take_touched() override { return touched_.exchange(0); }

private:
    struct Connection {
        explicit Connection(tcp::socket accepted)
            : client(std::move(accepted)), server(client.get_executor()) {}
        tcp::socket client;
        tcp::socket server;
    };
    using Shared = std::shared_ptr<Connection>;

    asio::awaitable<void> accept_all() {
        while (true) {
            ErrorCode error;
            tcp::socket accepted =
                co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
            if (error) { co_return; }
            auto connection = std::make_shared<Connection>(std::move(accepted));
            asio::co_spawn(context_, serve(connection), asio::detached);
        }
    }

    asio::awaitable<void> serve(Shared connection) {
        co_await wait_while_held(there_);
        ErrorCode error;
        co_await connection->server.async_connect(*target_,
                                                  asio::redirect_error(asio::use_awaitable, error));
        if (error) { co_return; }  // closes both: the client sees a reset
        connection->client.set_option(tcp::no_delay(true), error);
        connection->server.set_option(tcp::no_delay(true), error);
        asio::co_spawn(context_, carry(connection, connection->client, connection->server, there_),
                       asio::detached);
        co_await carry(connection, connection->server, connection->client, back_);
    }

    // Until one end closes; then the other end is told.
    asio::awaitable<void> carry(Shared connection, tcp::socket& from, tcp::socket& to, Way& way) {
        std::vector<char> piece(piece_bytes);
        ErrorCode error;
        while (!error) {
            const std::size_t size = co_await from.async_read_some(
                asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
            if (error) { break; }
            if (way.held || way.delay > 0) { touched_ += size; }
            co_await pause(way);
            co_await wait_while_held(way);
            co_await asio::async_write(to, asio::buffer(piece.data(), size),
                                       asio::redirect_error(asio::use_awaitable, error));
        }
        // A partition also hides that the other end is gone.
        co_await wait_while_held(way);
        ErrorCode ignored;
        connection->client.shutdown(tcp::socket::shutdown_both, ignored);
        connection->server.shutdown(tcp::socket::shutdown_both, ignored);
    }

    asio::awaitable<void> pause(const Way& way) {
        const std::int64_t delay = way.delay;
        if (delay <= 0) { co_return; }
        const std::int64_t jitter = way.jitter;
        std::int64_t extra = 0;
        if (jitter > 0) { extra = std::uniform_int_distribution<std::int64_t>(0, jitter)(random_); }
        asio::steady_timer timer(context_, std::chrono::nanoseconds(delay + extra));
        ErrorCode error;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }

    asio::awaitable<void> wait_while_held(const Way& way) {
        while (way.held) {
            asio::steady_timer timer(context_, look_again);
            ErrorCode error;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        }
    }

    asio::io_context& context_;
    tcp::acceptor acceptor_;
    std::optional<tcp::endpoint> target_;  // of the relays' thread
    std::string address_;
    Way there_;
    Way back_;
    std::atomic<std::uint64_t> touched_ = 0;
    std::mt19937_64 random_{1};  // jitter of a live run is no part of its plan
};

}  // namespace

class Relays::Implementation {
public:
    Implementation() : thread_([this] { context_.run(); }) {}
    ~Implementation() {
        context_.stop();
        thread_.join();
    }

    Result<Relay*> add(const std::string& target) {
        try {
            relays_.push_back(std::make_unique<TcpRelay>(context_));
        } catch (const boost::system::system_error& problem) {
            return failure(ErrorKind::permanent, "cannot-start",
                           std::string("no relay: ") + problem.what());
        }
        if (!target.empty()) { RP_CHECK(relays_.back()->aim_at(target)); }
        return relays_.back().get();
    }

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::vector<std::unique_ptr<TcpRelay>> relays_;
    std::thread thread_;
};

Relays::Relays() : implementation_(std::make_unique<Implementation>()) {}
Relays::~Relays() = default;

Result<Relay*> Relays::add(const std::string& target) { return implementation_->add(target); }

}  // namespace rushproof::simulator
