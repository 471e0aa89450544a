// Goal: a relay passes everything both ways, holds up what it is told to, and delivers it in order
// afterwards; new connections stall as well.
// Method: an echo server behind a relay, and clients that look without waiting whether an answer is
// there.
#include "simulator/live/relay.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace rushproof::simulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Answers every byte with itself, for one client after the other.
class Echo {
public:
    Echo()
        : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          thread_([this] { serve(); }) {}
    ~Echo() {
        tcp::socket last(context_);
        boost::system::error_code error;
        ended_ = true;
        last.connect(acceptor_.local_endpoint(), error);
        thread_.join();
    }
    std::string address() const {
        return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }

private:
    void serve() {
        while (!ended_) {
            tcp::socket client = acceptor_.accept();
            std::array<char, 64> piece;
            boost::system::error_code error;
            while (!error && !ended_) {
                const std::size_t size = client.read_some(asio::buffer(piece), error);
                if (!error) { asio::write(client, asio::buffer(piece.data(), size), error); }
            }
        }
    }

    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

class Client {
public:
    explicit Client(const Relay& relay) : socket_(context_) {
        const auto colon = relay.address().find(':');
        const int port = std::stoi(relay.address().substr(colon + 1));
        socket_.connect(
            tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)));
    }
    void send(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
    // Waits for so many bytes.
    std::string receive(std::size_t size) {
        std::string text(size, '\0');
        asio::read(socket_, asio::buffer(text));
        return text;
    }
    bool has_answer() const { return socket_.available() > 0; }

private:
    asio::io_context context_;
    tcp::socket socket_;
};

TEST(Relay, PassesEverythingBothWays) {
    Echo echo;
    Relays relays;
    Relay* const relay = relays.add(echo.address()).value();
    const std::string text(300'000, 'x');
    Client client(*relay);
    std::thread sender([&] { client.send(text); });
    EXPECT_EQ(client.receive(text.size()), text);
    sender.join();
    EXPECT_EQ(relay->take_touched(), 0u);
}

TEST(Relay, WhatIsHeldUpComesInOrderAfterwards) {
    for (const bool towards_target : {true, false}) {
        Echo echo;
        Relays relays;
        Relay* const relay = relays.add(echo.address()).value();
        Client client(*relay);
        client.send("a");
        EXPECT_EQ(client.receive(1), "a");
        relay->hold(towards_target, !towards_target);
        client.send("b");
        // The relay has what it holds up; nothing of it has come back.
        while (relay->take_touched() == 0) { std::this_thread::yield(); }
        EXPECT_FALSE(client.has_answer());
        client.send("c");
        relay->release();
        EXPECT_EQ(client.receive(2), "bc");
    }
}

TEST(Relay, NewConnectionsStallToo) {
    Echo echo;
    Relays relays;
    Relay* const relay = relays.add(echo.address()).value();
    relay->hold(true, true);
    Client client(*relay);
    client.send("a");
    EXPECT_FALSE(client.has_answer());
    relay->release();
    EXPECT_EQ(client.receive(1), "a");
}

TEST(Relay, SlowLinksDeliverAllTheSame) {
    Echo echo;
    Relays relays;
    Relay* const relay = relays.add(echo.address()).value();
    relay->slow(true, true, std::chrono::milliseconds(1), std::chrono::milliseconds(1));
    Client client(*relay);
    client.send("abc");
    EXPECT_EQ(client.receive(3), "abc");
    EXPECT_GE(relay->take_touched(), 3u);
}

TEST(Relay, AnAddressMustBeOne) {
    Relays relays;
    EXPECT_EQ(relays.add("nowhere").error().message(), "no address: nowhere");
    EXPECT_FALSE(relays.add("127.0.0.1:99999").has_value());
}

}  // namespace
}  // namespace rushproof::simulator
