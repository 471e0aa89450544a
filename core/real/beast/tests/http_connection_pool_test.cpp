// Goal: whatever a server does, the caller learns exactly what it may conclude: nothing was sent,
// or the outcome is unknown, or the whole answer; and no answer ever reaches the wrong request.
// Method: a server that follows a script, on loopback, in the same thread and by a manual clock.
#include "core/real/beast/http_connection_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "core/real/beast/tests/loopback.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class HttpConnectionPoolTest : public Loopback {
protected:
    HttpConnectionPoolTest() {
        acceptor.open(tcp::v4());
        acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        acceptor.listen();
        endpoint.host = "127.0.0.1";
        endpoint.port = acceptor.local_endpoint().port();
        asio::co_spawn(context, accept_all(), asio::detached);
    }
    ~HttpConnectionPoolTest() override {
        pool.reset();
        acceptor.close();
        peers.clear();
        settle();
    }

    void open_pool(HttpPoolOptions options = {}) {
        pool =
            std::make_unique<HttpConnectionPool>(context.get_executor(), clock, endpoint, options);
    }
    Task<void> accept_all() {
        for (;;) {
            auto [error, socket] =
                co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
            if (error) { co_return; }
            socket.non_blocking(true);
            peers.push_back(std::make_unique<tcp::socket>(std::move(socket)));
        }
    }

    // A call under way, and later its result.
    struct Call {
        std::optional<HttpExchange> exchange;
    };
    std::shared_ptr<Call> start(HttpRequest request, Duration patience = 5s) {
        auto call = std::make_shared<Call>();
        asio::co_spawn(context, pool->exchange(context_for(patience), std::move(request)),
                       [call](std::exception_ptr failed, HttpExchange exchange) {
                           if (!failed) { call->exchange = std::move(exchange); }
                       });
        return call;
    }
    void finish(const std::shared_ptr<Call>& call) {
        pump([&] { return call->exchange.has_value(); });
    }
    static const Error& error_of(const std::shared_ptr<Call>& call) {
        return call->exchange->result.error();
    }
    static const std::string& body_of(const std::shared_ptr<Call>& call) {
        return call->exchange->result->body;
    }

    // What connection number `peer` has received, once it contains `text`.
    std::string await_request(std::size_t peer, std::string_view text) {
        std::string received;
        pump([&] {
            if (peers.size() <= peer) { return false; }
            char buffer[4096];
            boost::system::error_code error;
            received.append(buffer, peers[peer]->read_some(asio::buffer(buffer), error));
            return received.find(text) != std::string::npos;
        });
        return received;
    }
    void reply(std::size_t peer, std::string_view bytes) {
        asio::write(*peers[peer], asio::buffer(bytes));
    }

    tcp::acceptor acceptor{context};
    HttpEndpoint endpoint;
    std::deque<std::unique_ptr<tcp::socket>> peers;
    std::unique_ptr<HttpConnectionPool> pool;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: a/b\r\n\r\nok";

TEST(HttpEndpoint, ParsesUrls) {
    EXPECT_EQ(HttpEndpoint::parse("http://inventory:8080")->host, "inventory");
    EXPECT_EQ(HttpEndpoint::parse("http://inventory:8080/")->port, 8080);
    EXPECT_EQ(HttpEndpoint::parse("http://a")->port, 80);
    EXPECT_EQ(HttpEndpoint::parse("http://[::1]:81")->host, "::1");
    EXPECT_EQ(HttpEndpoint::parse("http://[::1]:81")->port, 81);
    for (const char* bad : {"", "a:1", "https://a", "http://", "http://a:b", "http://a:",
                            "http://a/b", "http://a:70000", "http://[::1", "http://u@a"}) {
        EXPECT_FALSE(HttpEndpoint::parse(bad)) << bad;
    }
}

TEST_F(HttpConnectionPoolTest, SendsAndReceives) {
    HttpPoolOptions options;
    options.pass_deadline = true;
    open_pool(options);
    HttpRequest request("POST", "/a b", "body");
    request.queries.emplace_back("x", "1&2");
    request.fields.emplace_back("idempotency-key", "k\r\nevil: 1");
    auto call = start(std::move(request), 1500ms);
    const std::string received = await_request(0, "body");
    EXPECT_EQ(received,
              "POST /a%20b?x=1%262 HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(endpoint.port) +
                  "\r\nidempotency-key: k  evil: 1\r\nx-deadline-ms: 1500\r\n"
                  "content-length: 4\r\n\r\nbody");
    reply(0,
          "HTTP/1.1 201 Created\r\nContent-Type: text/x\r\nLocation: /a/1\r\n"
          "Content-Length: 3\r\n\r\nyes");
    finish(call);
    const HttpResponse& response = *call->exchange->result;
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.body, "yes");
    EXPECT_EQ(response.content_type, "text/x");
    ASSERT_EQ(response.fields.size(), 1u);
    EXPECT_EQ(response.fields[0].first, "location");
    EXPECT_EQ(response.fields[0].second, "/a/1");
}

TEST_F(HttpConnectionPoolTest, TellsTheFourTimes) {
    HttpPoolOptions options;
    options.connections_max = 1;
    open_pool(options);
    auto first = start(HttpRequest("GET", "/1"));
    await_request(0, "/1");
    const auto queued = clock.monotonic();
    auto second = start(HttpRequest("GET", "/2"));
    settle();
    clock.advance(10ms);
    reply(0, ok);
    await_request(0, "/2");
    clock.advance(20ms);
    reply(0, ok.substr(0, 5));
    settle();
    clock.advance(30ms);
    reply(0, ok.substr(5));
    finish(second);
    const HttpTimes& times = second->exchange->times;
    EXPECT_EQ(times.queued - queued, 0ms);
    EXPECT_EQ(times.sent - queued, 10ms);
    EXPECT_EQ(times.first_byte - queued, 30ms);
    EXPECT_EQ(times.done - queued, 60ms);
    EXPECT_EQ(pool->connects(), 1u);
}

TEST_F(HttpConnectionPoolTest, ReadsAnswersOfEveryShape) {
    open_pool();
    const auto ask = [&](const char* method, const std::string& bytes) {
        auto call = start(HttpRequest(method, "/"));
        await_request(peers.size() - (pool->connects() == peers.size() ? 1 : 0), "\r\n\r\n");
        reply(peers.size() - 1, bytes);
        finish(call);
        EXPECT_TRUE(call->exchange->result) << bytes;
        return body_of(call);
    };
    auto warm = start(HttpRequest("GET", "/"));
    await_request(0, "\r\n\r\n");
    reply(0, ok);
    finish(warm);
    EXPECT_EQ(ask("GET",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
              "abc");
    EXPECT_EQ(ask("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "");
    EXPECT_EQ(ask("DELETE", "HTTP/1.1 204 No Content\r\n\r\n"), "");
    EXPECT_EQ(ask("PUT", "HTTP/1.1 100 Continue\r\n\r\n" + ok), "ok");
    EXPECT_EQ(pool->connects(), 1u);
    auto until_end = start(HttpRequest("GET", "/"));
    await_request(0, "\r\n\r\n");
    reply(0, "HTTP/1.1 200 OK\r\n\r\nall of it");
    peers[0]->close();
    finish(until_end);
    EXPECT_EQ(body_of(until_end), "all of it");
}

TEST_F(HttpConnectionPoolTest, NobodyListening) {
    acceptor.close();
    open_pool();
    auto call = start(HttpRequest("POST", "/"));
    finish(call);
    EXPECT_EQ(error_of(call).kind(), ErrorKind::retryable);
    EXPECT_EQ(error_of(call).code(), "unavailable");
    EXPECT_EQ(call->exchange->times.sent, MonotonicTime());
}

TEST_F(HttpConnectionPoolTest, LostAfterSending) {
    open_pool();
    for (const std::string& part : {std::string(), ok.substr(0, 4), ok.substr(0, ok.size() - 1)}) {
        auto call = start(HttpRequest("POST", "/"));
        const std::size_t peer = pool->connects();
        await_request(peer, "\r\n\r\n");
        reply(peer, part);
        peers[peer]->close();
        finish(call);
        EXPECT_EQ(error_of(call).kind(), ErrorKind::unknown_outcome) << part;
        EXPECT_EQ(error_of(call).code(), "connection-lost") << part;
    }
    EXPECT_EQ(pool->connects(), 3u);
}

TEST_F(HttpConnectionPoolTest, AnAnswerThatIsNotHttpLeavesTheOutcomeUnknown) {
    open_pool();
    auto call = start(HttpRequest("POST", "/"));
    await_request(0, "\r\n\r\n");
    reply(0, "SSH-2.0-OpenSSH\r\n");
    finish(call);
    EXPECT_EQ(error_of(call).code(), "connection-lost");
}

TEST_F(HttpConnectionPoolTest, AConnectionThatWasClosedWhileIdleIsReplaced) {
    open_pool();
    auto first = start(HttpRequest("POST", "/1"));
    await_request(0, "/1");
    reply(0, ok);
    finish(first);
    peers[0]->close();
    settle();
    auto second = start(HttpRequest("POST", "/2"));
    await_request(1, "/2");
    reply(1, ok);
    finish(second);
    EXPECT_EQ(body_of(second), "ok");
    EXPECT_EQ(pool->connects(), 2u);
}

TEST_F(HttpConnectionPoolTest, AReusedConnectionThatDiesAfterSendingIsNotTriedAgain) {
    open_pool();
    auto first = start(HttpRequest("POST", "/1"));
    await_request(0, "/1");
    reply(0, ok);
    finish(first);
    auto second = start(HttpRequest("POST", "/2"));
    await_request(0, "/2");
    peers[0]->close();
    finish(second);
    EXPECT_EQ(error_of(second).code(), "connection-lost");
    EXPECT_EQ(pool->connects(), 1u);
}

TEST_F(HttpConnectionPoolTest, ClosesWhenTheServerSaysSoOrTalksTooMuch) {
    open_pool();
    auto first = start(HttpRequest("GET", "/1"));
    await_request(0, "/1");
    reply(0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    finish(first);
    auto second = start(HttpRequest("GET", "/2"));
    await_request(1, "/2");
    reply(1, ok + ok);
    finish(second);
    auto third = start(HttpRequest("GET", "/3"));
    await_request(2, "/3");
    reply(2, ok);
    finish(third);
    EXPECT_EQ(body_of(third), "ok");
}

TEST_F(HttpConnectionPoolTest, LateAfterSending) {
    open_pool();
    auto call = start(HttpRequest("POST", "/late"), 100ms);
    await_request(0, "/late");
    clock.advance(99ms);
    settle();
    EXPECT_FALSE(call->exchange);
    clock.advance(1ms);
    finish(call);
    EXPECT_EQ(error_of(call).kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(error_of(call).code(), "deadline-exceeded");
    // The late answer belongs to nobody: the next request gets a connection of its own.
    auto next = start(HttpRequest("GET", "/next"));
    await_request(1, "/next");
    reply(1, ok);
    finish(next);
    EXPECT_EQ(body_of(next), "ok");
}

TEST_F(HttpConnectionPoolTest, LateBeforeAConnectionWasFree) {
    HttpPoolOptions options;
    options.connections_max = 1;
    open_pool(options);
    auto busy = start(HttpRequest("POST", "/busy"));
    await_request(0, "/busy");
    auto late = start(HttpRequest("POST", "/late"), 100ms);
    settle();
    EXPECT_EQ(pool->waiting(), 1u);
    clock.advance(100ms);
    finish(late);
    EXPECT_EQ(error_of(late).kind(), ErrorKind::retryable);
    EXPECT_EQ(error_of(late).code(), "unavailable");
    EXPECT_EQ(pool->waiting(), 0u);
    reply(0, ok);
    finish(busy);
    EXPECT_EQ(body_of(busy), "ok");
}

TEST_F(HttpConnectionPoolTest, AnEarlierDeadlineIsSeenAmongLaterOnes) {
    open_pool();
    auto patient = start(HttpRequest("GET", "/patient"), 10s);
    auto hasty = start(HttpRequest("GET", "/hasty"), 1s);
    await_request(0, "/patient");
    await_request(1, "/hasty");
    clock.advance(1s);
    finish(hasty);
    EXPECT_EQ(error_of(hasty).code(), "deadline-exceeded");
    EXPECT_FALSE(patient->exchange);
    clock.advance(9s);
    finish(patient);
    EXPECT_EQ(error_of(patient).code(), "deadline-exceeded");
}

TEST_F(HttpConnectionPoolTest, ServesWaitersInOrderAndBoundsThem) {
    HttpPoolOptions options;
    options.connections_max = 1;
    options.waiters_max = 3;
    open_pool(options);
    std::vector<std::shared_ptr<Call>> calls;
    for (int i = 0; i < 5; ++i) {
        calls.push_back(start(HttpRequest("GET", "/" + std::to_string(i))));
        settle();
    }
    finish(calls[4]);
    EXPECT_EQ(error_of(calls[4]).code(), "unavailable");
    for (int i = 0; i < 4; ++i) {
        await_request(0, "GET /" + std::to_string(i));
        reply(0, ok);
        finish(calls[static_cast<std::size_t>(i)]);
    }
    EXPECT_EQ(pool->connects(), 1u);
}

TEST_F(HttpConnectionPoolTest, AWaiterCanBeCancelled) {
    HttpPoolOptions options;
    options.connections_max = 1;
    open_pool(options);
    auto busy = start(HttpRequest("GET", "/busy"));
    await_request(0, "/busy");
    asio::cancellation_signal cancel;
    bool cancelled = false;
    auto handler = [&](std::exception_ptr failed, Result<HttpResponse>) {
        cancelled = failed != nullptr;
    };
    asio::co_spawn(context, pool->send(context_for(), HttpRequest("GET", "/never")),
                   asio::bind_cancellation_slot(cancel.slot(), std::move(handler)));
    settle();
    cancel.emit(asio::cancellation_type::terminal);
    pump([&] { return cancelled; });
    EXPECT_EQ(pool->waiting(), 0u);
    reply(0, ok);
    finish(busy);
}

TEST_F(HttpConnectionPoolTest, MayBeDestroyedWithCallsUnderWay) {
    HttpPoolOptions options;
    options.connections_max = 1;
    open_pool(options);
    auto sent = start(HttpRequest("GET", "/sent"));
    auto waiting = start(HttpRequest("GET", "/waiting"));
    await_request(0, "/sent");
    pool.reset();
    peers.clear();
    settle();
    EXPECT_EQ(waiting.use_count(), 1);  // its frame is gone
}

TEST_F(HttpConnectionPoolTest, OpensAheadOfUse) {
    open_pool();
    EXPECT_TRUE(run(pool->open(context_for(), 3)));
    EXPECT_EQ(pool->connects(), 3u);
    auto call = start(HttpRequest("GET", "/"));
    pump([&] { return peers.size() == 3; });
    settle();
    EXPECT_EQ(pool->connects(), 3u);
    acceptor.close();
    HttpEndpoint nobody = endpoint;
    HttpConnectionPool cold(context.get_executor(), clock, nobody);
    EXPECT_EQ(run(cold.open(context_for(), 1)).error().code(), "unavailable");
}

}  // namespace
}  // namespace rushproof
