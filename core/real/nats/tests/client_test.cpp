// Goal: no answer is ever taken for that to another question, although questions take turns in
// having their answers on one subject; and only the stream itself accepts a message.
// Method: a server of a few lines on a socket, which answers when the test says so.
#include "core/real/nats/client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/ports/telemetry.hpp"
#include "core/real/nats/jetstream.hpp"
#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof::nats {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

class ClientTest : public testing::Test {
protected:
    ClientTest() {
        ServerAddress address;
        address.host = "127.0.0.1";
        address.port = std::to_string(acceptor_.local_endpoint().port());
        client_.emplace(std::make_shared<Client>(io_.get_executor(),
                                                 std::vector<ServerAddress>{address}, telemetry_));
        asio::co_spawn(io_, serve(), asio::detached);
        (*client_)->start();
    }
    ~ClientTest() override {
        client_.reset();
        io_.poll();
    }

    // Greets, answers pings, and keeps where the answers to messages are wanted.
    Task<void> serve() {
        server_ = co_await acceptor_.async_accept(asio::use_awaitable);
        co_await say("INFO {\"max_payload\":1024}\r\n");
        for (std::string read;;) {
            const std::size_t size = co_await asio::async_read_until(
                server_, asio::dynamic_buffer(read), "\r\n", asio::use_awaitable);
            std::istringstream words(read.substr(0, size));
            read.erase(0, size);
            std::string verb;
            std::string subject;
            std::string reply;
            words >> verb >> subject >> reply;
            if (verb == "PING") { co_await say("PONG\r\n"); }
            if (verb == "PUB") { wanted_.push_back(reply); }
        }
    }

    Task<void> say(std::string text) {
        co_await asio::async_write(server_, asio::buffer(text), asio::use_awaitable);
    }

    Task<void> answer(std::string subject, std::string body) {
        co_await say("MSG " + subject + " 1 " + std::to_string(body.size()) + "\r\n" + body +
                     "\r\n");
    }

    Task<void> sleep(milliseconds time) {
        asio::steady_timer timer(io_, time);
        co_await timer.async_wait(asio::use_awaitable);
    }

    // Asks, and waits until the server has the question.
    Task<void> ask(std::optional<Result<Incoming>>& into, Duration within) {
        const std::size_t before = wanted_.size();
        (*client_)->ask(now() + within, Outgoing{"subject", {}, {}},
                        [&into](Result<Incoming> result) { into = std::move(result); });
        while (wanted_.size() == before) { co_await sleep(milliseconds(1)); }
    }

    Task<std::string> body_of(std::optional<Result<Incoming>>& asked) {
        while (!asked) { co_await sleep(milliseconds(1)); }
        co_return *asked ? (*asked)->body : (*asked).error().code();
    }

    void run(Task<void> task) {
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(task), [&](std::exception_ptr error) {
            thrown = error;
            io_.stop();
        });
        io_.run();
        if (thrown) { std::rethrow_exception(thrown); }
    }

    static constexpr auto patience = std::chrono::seconds(30);

    asio::io_context io_{1};
    RealTelemetry telemetry_{LogLevel::error};
    tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    tcp::socket server_{io_};
    Strings wanted_;
    std::optional<ClientHandle> client_;
};

TEST_F(ClientTest, AsksAgainWhereItWasAnsweredForGood) {
    const auto test = [&]() -> Task<void> {
        EXPECT_TRUE(co_await (*client_)->wait_until_connected(now() + patience));
        std::optional<Result<Incoming>> first;
        co_await ask(first, patience);
        co_await answer(wanted_[0], "one");
        EXPECT_EQ(co_await body_of(first), "one");
        (*client_)->reuse((*first)->subject);
        std::optional<Result<Incoming>> second;
        std::optional<Result<Incoming>> third;
        co_await ask(second, patience);
        co_await ask(third, patience);
        EXPECT_EQ(wanted_[1], wanted_[0]);
        EXPECT_NE(wanted_[2], wanted_[0]);
        co_await answer(wanted_[2], "three");
        co_await answer(wanted_[1], "two");
        EXPECT_EQ(co_await body_of(second), "two");
        EXPECT_EQ(co_await body_of(third), "three");
    };
    run(test());
}

TEST_F(ClientTest, AnAnswerThatComesTooLateIsNobodys) {
    const auto test = [&]() -> Task<void> {
        EXPECT_TRUE(co_await (*client_)->wait_until_connected(now() + patience));
        std::optional<Result<Incoming>> late;
        co_await ask(late, milliseconds(1));
        EXPECT_EQ(co_await body_of(late), "deadline-exceeded");
        std::optional<Result<Incoming>> next;
        co_await ask(next, patience);
        EXPECT_NE(wanted_[1], wanted_[0]);
        co_await answer(wanted_[0], "late");
        co_await answer(wanted_[1], "next");
        EXPECT_EQ(co_await body_of(next), "next");
    };
    run(test());
}

TEST(Acceptance, IsTheStreamsOwn) {
    EXPECT_TRUE(read_acceptance(R"({"stream":"ORDERS","seq":7})", "ORDERS"));
    EXPECT_TRUE(read_acceptance(R"({"stream":"ORDERS","seq":7,"duplicate":true})", "ORDERS"));
    for (const char* other : {R"({"stream":"OTHERS","seq":7})", "{}", "thanks", ""}) {
        const auto refused = read_acceptance(other, "ORDERS");
        ASSERT_FALSE(refused) << other;
        EXPECT_EQ(refused.error().kind(), ErrorKind::unknown_outcome);
    }
    const auto full =
        read_acceptance(R"({"error":{"code":503,"description":"maximum messages exceeded"}})", "O");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), "queue-full");
}

}  // namespace
}  // namespace rushproof::nats
