// A TCP relay in front of a server that can be closed at an awkward moment.
#pragma once
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "core/ports/task.hpp"

namespace rushproof::postgres {

// Serves one connection at a time, on the caller's context.
class Gate {
public:
    using tcp = asio::ip::tcp;

    Gate(const asio::any_io_executor& executor, std::uint16_t server)
        : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          server_(asio::ip::address_v4::loopback(), server) {
        asio::co_spawn(executor, accept(), asio::detached);
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    // What the client sends from now on arrives; then both sides see the connection break, the
    // client without an answer.
    void lose_next_answer() { losing_ = true; }
    void stop() {
        acceptor_.close();
        cut();
    }

private:
    static constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

    struct Link {
        explicit Link(const asio::any_io_executor& executor) : client(executor), server(executor) {}
        tcp::socket client;
        tcp::socket server;
    };

    Task<void> accept() {
        while (acceptor_.is_open()) {
            link_ = std::make_shared<Link>(acceptor_.get_executor());
            const auto link = link_;
            const auto [error] = co_await acceptor_.async_accept(link->client, await_tuple);
            if (error) { break; }
            const auto [refused] = co_await link->server.async_connect(server_, await_tuple);
            if (refused) { break; }
            asio::co_spawn(acceptor_.get_executor(), relay(link, true), asio::detached);
            co_await relay(link, false);
        }
    }
    Task<void> relay(std::shared_ptr<Link> link, bool to_server) {
        tcp::socket& from = to_server ? link->client : link->server;
        tcp::socket& to = to_server ? link->server : link->client;
        std::array<char, 16384> buffer;
        while (true) {
            const auto [error, count] =
                co_await from.async_read_some(asio::buffer(buffer), await_tuple);
            if (error || (losing_ && !to_server)) { break; }
            const auto [failed, written] =
                co_await asio::async_write(to, asio::buffer(buffer.data(), count), await_tuple);
            if (failed) { break; }
        }
        losing_ = false;
        cut();
    }
    void cut() {
        if (!link_) { return; }
        boost::system::error_code ignored;
        link_->client.close(ignored);
        link_->server.close(ignored);
    }

    tcp::acceptor acceptor_;
    tcp::endpoint server_;
    std::shared_ptr<Link> link_;
    bool losing_ = false;
};

}  // namespace rushproof::postgres
