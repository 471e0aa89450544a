// Goal: the server speaks HTTP/1.1 correctly under every split of the bytes, keeps its limits, and
// loses no request when it drains.
// Method: raw loopback sockets and a clock moved by hand, all in one thread; no test waits for real
// time to pass.
#include "core/real/beast/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>

#include "core/real/beast/tests/loopback.hpp"
#include "core/real/os/cores.hpp"
#include "core/real/os/real_clock.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class HttpServerTest : public Loopback {
protected:
    void start(HttpServerOptions options = {}) {
        HttpHandler handler = [this](Context its_context, HttpRequest request) {
            return answer(std::move(its_context), std::move(request));
        };
        std::vector<HttpServerCore> cores{{context.get_executor(), &clock, std::move(handler)}};
        server = HttpServer::create(std::move(cores), std::move(options), telemetry).value();
    }
    ~HttpServerTest() override {
        gate.cancel();
        if (server) { drain(); }
    }
    void drain() {
        bool drained = false;
        start_drain(drained);
        pump([&] {
            clock.advance(10ms);
            return drained;
        });
    }
    void start_drain(bool& drained) {
        asio::co_spawn(context, server->drain(), [&](std::exception_ptr) { drained = true; });
    }

    // Echoes; "/wait" answers when the gate opens, "/throw" throws, "/large" is 8 MiB.
    Task<HttpResponse> answer(Context its_context, HttpRequest request) {
        contexts.push_back(its_context);
        requests.push_back(request);
        if (request.target == "/throw") { throw std::runtime_error("secret"); }
        if (request.target == "/wait") {
            co_await gate.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        if (request.target == "/large") {
            co_return HttpResponse(200, std::string(8 << 20, 'x'), "text/plain");
        }
        HttpResponse response(200, request.method + " " + request.target + " " + request.body + ";",
                              "text/plain");
        response.fields.emplace_back("x-test", "a\r\nb: c");
        co_return response;
    }

    // Sends on a connection of its own and expects this status and the end of the connection.
    void expect_refused(const std::string& bytes, int status) {
        RawClient client(server->port());
        client.send(bytes);
        pump([&] { return client.ended(); });
        const std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
        EXPECT_EQ(client.received.substr(0, line.size()), line) << bytes;
        EXPECT_TRUE(client.closed) << "reset: " << bytes;
        EXPECT_EQ(client.count("content-type: application/problem+json"), 1u) << bytes;
        EXPECT_EQ(client.count("connection: close"), 1u) << bytes;
    }

    asio::steady_timer gate{context, asio::steady_timer::time_point::max()};
    std::vector<Context> contexts;
    std::vector<HttpRequest> requests;
    std::unique_ptr<HttpServer> server;
};

const std::string post =
    "POST /a?b=%20c HTTP/1.1\r\nHost: test\r\nIdempotency-Key: k-1\r\nContent-Length: 5\r\n\r\n"
    "hello";
const std::string chunked =
    "POST /c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
const std::string empty_chunked =
    "POST /e HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

TEST_F(HttpServerTest, ReadsARequestHoweverItIsSplit) {
    start();
    RawClient client(server->port());
    std::size_t answers = 0;
    for (const std::string& request : {post, chunked, empty_chunked}) {
        for (std::size_t split = 0; split <= request.size(); ++split) {
            client.send(request.substr(0, split));
            settle();
            client.send(request.substr(split));
            ++answers;
            pump([&] {
                client.look();
                return client.count(";") == answers;
            });
        }
    }
    EXPECT_EQ(client.count("POST /a?b=%20c hello;"), post.size() + 1);
    EXPECT_EQ(client.count("POST /c abcde;"), chunked.size() + 1);
    EXPECT_EQ(client.count("POST /e ;"), empty_chunked.size() + 1);
}

TEST_F(HttpServerTest, AnswersByteByByte) {
    start();
    RawClient client(server->port());
    for (const char byte : post + empty_chunked + chunked) {
        client.send(std::string_view(&byte, 1));
        settle();
    }
    pump([&] {
        client.look();
        return client.count(";") == 3;
    });
    EXPECT_LT(client.received.find("hello;"), client.received.find("abcde;"));
}

TEST_F(HttpServerTest, AnswersAPipelineInOrder) {
    start();
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 200; ++i) {
        bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n";
    }
    client.send(bytes);
    pump([&] {
        client.look();
        return client.count(";") == 200;
    });
    std::size_t last = 0;
    for (int i = 0; i < 200; ++i) {
        const auto at = client.received.find("GET /" + std::to_string(i) + " ;");
        ASSERT_NE(at, std::string::npos);
        EXPECT_GE(at, last);
        last = at;
    }
}

TEST_F(HttpServerTest, PassesOnWhatHandlersMaySee) {
    start();
    RawClient client(server->port());
    client.send(
        "PUT http://test/x?y=1 HTTP/1.1\r\nHost: test\r\nX-Owner: me\r\nCookie: secret\r\n"
        "traceparent: 00-0000000000000001000000000000000a-00000000000000ff-01\r\n"
        "X-Deadline-Ms: 250\r\nContent-Length: 0\r\n\r\n");
    pump([&] { return client.has(";"); });
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].method, "PUT");
    EXPECT_EQ(requests[0].target, "/x?y=1");
    EXPECT_EQ(requests[0].field("x-owner"), "me");
    EXPECT_EQ(requests[0].field("cookie"), "");
    EXPECT_EQ(requests[0].fields.size(), 2u);
    EXPECT_EQ(contexts[0].trace.high, 1u);
    EXPECT_EQ(contexts[0].trace.low, 10u);
    EXPECT_EQ(contexts[0].trace.span, 255u);
    EXPECT_EQ(contexts[0].deadline, clock.monotonic() + 250ms);
}

TEST_F(HttpServerTest, GivesEveryRequestADeadlineThatCallersCanOnlyShorten) {
    HttpServerOptions options;
    options.request_timeout = 3s;
    start(options);
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nHost: test\r\nx-deadline-ms: 60000\r\n\r\n");
    pump([&] { return contexts.size() == 2; });
    EXPECT_EQ(contexts[0].deadline, clock.monotonic() + 3s);
    EXPECT_EQ(contexts[1].deadline, clock.monotonic() + 3s);
}

TEST_F(HttpServerTest, AnswersWithDateAndWithoutInjectedFields) {
    start();
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return client.has(";"); });
    EXPECT_TRUE(
        client.has("HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 01:00:00 GMT\r\n"
                   "content-type: text/plain\r\ncontent-length: 7\r\n"
                   "x-test: a  b: c\r\n\r\nGET / ;"))
        << client.received;
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
    start();
    RawClient client(server->port());
    client.send("HEAD /h HTTP/1.1\r\nHost: test\r\n\r\nGET /g HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return client.has("GET /g ;"); });
    EXPECT_EQ(client.count("content-length: 8"), 2u);
    EXPECT_EQ(client.count("GET /h ;"), 0u);
}

TEST_F(HttpServerTest, KeepsOldClientsOnlyWhenTheyAskForIt) {
    start();
    RawClient asks(server->port());
    asks.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    pump([&] { return asks.has(";"); });
    EXPECT_TRUE(asks.has("connection: keep-alive"));
    RawClient other(server->port());
    other.send("GET / HTTP/1.0\r\n\r\n");
    pump([&] { return other.ended(); });
    EXPECT_TRUE(other.has("connection: close"));
}

TEST_F(HttpServerTest, SaysContinueBeforeABodyThatWaitsForIt) {
    start();
    RawClient client(server->port());
    client.send(
        "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    pump([&] { return client.has("HTTP/1.1 100 Continue\r\n\r\n"); });
    EXPECT_EQ(client.count("200 OK"), 0u);
    client.send("hi");
    pump([&] { return client.has("POST / hi;"); });
    EXPECT_EQ(client.count("100 Continue"), 1u);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
    start();
    const std::string host = "Host: test\r\n";
    expect_refused("NONSENSE\r\n\r\n", 400);
    expect_refused("GET / HTTP/2.0\r\n" + host + "\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\n" + host + host + "\r\n", 400);
    expect_refused("GET x HTTP/1.1\r\n" + host + "\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\n" + host + "bad header\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\n" + host + "X-Deadline-Ms: soon\r\n\r\n", 400);
    expect_refused("POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400);
    expect_refused("POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                   400);
    expect_refused(
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        400);
    expect_refused("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
                   400);
    expect_refused("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501);
    expect_refused("POST / HTTP/1.1\r\n" + host + "Expect: miracles\r\n\r\n", 417);
    EXPECT_TRUE(requests.empty());
}

TEST_F(HttpServerTest, RefusesAHeaderOverItsLimitAndTakesOneAtIt) {
    start();
    const std::string begin = "GET / HTTP/1.1\r\nHost: test\r\nX-Padding: ";
    const std::string end = "\r\n\r\n";
    const std::size_t most = HttpServerOptions().header_bytes_max - begin.size() - end.size();
    RawClient client(server->port());
    client.send(begin + std::string(most, 'a') + end);
    pump([&] { return client.has("GET / ;"); });
    expect_refused(begin + std::string(most + 1, 'a') + end, 431);
    expect_refused(begin + std::string(100'000, 'a') + end, 431);
    std::string many = "GET / HTTP/1.1\r\nHost: test\r\n";
    for (int i = 0; i < 2'000; ++i) { many += "a: b\r\n"; }
    expect_refused(many + "\r\n", 431);
}

TEST_F(HttpServerTest, RefusesABodyOverItsLimit) {
    HttpServerOptions options;
    options.body_bytes_max = 1000;
    start(options);
    const std::string begin = "POST / HTTP/1.1\r\nHost: test\r\n";
    expect_refused(begin + "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413);
    expect_refused(begin + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'b'), 413);
    expect_refused(begin + "Content-Length: 99999999999999\r\n\r\n", 413);
    expect_refused(begin + "Transfer-Encoding: chunked\r\n\r\n258\r\n" + std::string(600, 'b') +
                       "\r\n258\r\n" + std::string(600, 'b') + "\r\n",
                   413);
    EXPECT_TRUE(requests.empty());
}

TEST_F(HttpServerTest, EndsRequestsThatDoNotArrive) {
    HttpServerOptions options;
    options.header_timeout = 100ms;
    options.body_timeout = 200ms;
    start(options);
    RawClient slow_header(server->port());
    RawClient slow_body(server->port());
    slow_header.send("GET / HT");
    slow_body.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc");
    settle();
    pass(90ms);
    slow_header.send("TP/1.1\r\n");  // a byte now and then does not help
    settle();
    EXPECT_FALSE(slow_header.ended());
    pass(60ms);
    pump([&] { return slow_header.ended(); });
    EXPECT_TRUE(slow_header.has("HTTP/1.1 408 Request Timeout"));
    EXPECT_FALSE(slow_body.ended());
    pass(200ms);
    pump([&] { return slow_body.ended(); });
    EXPECT_TRUE(slow_body.has("HTTP/1.1 408 Request Timeout"));
    EXPECT_TRUE(requests.empty());
}

TEST_F(HttpServerTest, ClosesIdleConnectionsWithoutAWord) {
    HttpServerOptions options;
    options.idle_timeout = 100ms;
    start(options);
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return client.has(";"); });
    const std::size_t before = client.received.size();
    pass(90ms);
    EXPECT_FALSE(client.ended());
    pass(60ms);
    pump([&] { return client.ended(); });
    EXPECT_TRUE(client.closed);
    EXPECT_EQ(client.received.size(), before);
}

TEST_F(HttpServerTest, GivesUpOnAClientThatDoesNotRead) {
    HttpServerOptions options;
    options.body_timeout = 100ms;
    start(options);
    RawClient client(server->port());
    client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return requests.size() == 1; });
    settle();
    pass(200ms);
    bool drained = false;
    start_drain(drained);
    pump([&] { return drained; });
    server.reset();
}

TEST_F(HttpServerTest, SendsLargeAnswersInAsManyPiecesAsItTakes) {
    start();
    RawClient client(server->port());
    client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] {
        client.look();
        return client.received.size() > (8u << 20);
    });
    EXPECT_EQ(client.received.substr(client.received.size() - 4), "xxxx");
}

TEST_F(HttpServerTest, EndsAfterTheLastAnswerWithoutLosingAnyOfIt) {
    start();
    for (const std::string& more : {std::string(), std::string("\r\n")}) {
        RawClient client(server->port());
        client.send("GET /large HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n" + more);
        pump([&] { return client.ended(); });
        EXPECT_TRUE(client.closed) << "reset";
        EXPECT_GT(client.received.size(), 8u << 20);
    }
}

TEST_F(HttpServerTest, TurnsAwayConnectionsOverItsLimit) {
    HttpServerOptions options;
    options.connections_max = 2;
    start(options);
    auto first = std::make_unique<RawClient>(server->port());
    RawClient second(server->port());
    first->send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return first->has(";"); });
    settle();
    RawClient third(server->port());
    pump([&] { return third.ended(); });
    EXPECT_TRUE(third.has("HTTP/1.1 503 Service Unavailable"));
    EXPECT_EQ(third.count("retry-after: 1"), 1u);
    first.reset();
    third.socket.close();
    settle();
    RawClient fourth(server->port());
    fourth.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return fourth.has("200 OK"); });
}

TEST_F(HttpServerTest, RefusesRequestsOverWhatMayBeUnderWay) {
    HttpServerOptions options;
    options.requests_in_flight_max = 1;
    start(options);
    RawClient first(server->port());
    first.send("GET /wait HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return requests.size() == 1; });
    RawClient second(server->port());
    second.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return second.has("HTTP/1.1 503 "); });
    EXPECT_EQ(second.count("retry-after: 1"), 1u);
    gate.cancel();
    pump([&] { return first.has("GET /wait ;"); });
    second.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return second.has("GET / ;"); });
}

TEST_F(HttpServerTest, LimitsTheRateOfAClient) {
    HttpServerOptions options;
    options.rate_limit_per_client = HttpRateLimit{0.5, 2};
    start(options);
    RawClient client(server->port());
    const std::string request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send(request + request + request);
    pump([&] { return client.has("HTTP/1.1 429 Too Many Requests"); });
    EXPECT_EQ(client.count(";"), 2u);
    EXPECT_EQ(client.count("retry-after: 2"), 1u);
    clock.advance(2s);
    client.send(request);
    pump([&] {
        client.look();
        return client.count(";") == 3;
    });
}

TEST_F(HttpServerTest, AnswersForAHandlerThatThrows) {
    start();
    RawClient client(server->port());
    client.send("GET /throw HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n");
    testing::internal::CaptureStderr();
    pump([&] { return client.has("GET / ;"); });
    EXPECT_NE(testing::internal::GetCapturedStderr().find("secret"), std::string::npos);
    EXPECT_TRUE(client.has("HTTP/1.1 500 Internal Server Error"));
    EXPECT_FALSE(client.has("secret"));
}

TEST_F(HttpServerTest, DrainingFinishesWhatWasAccepted) {
    start();
    RawClient in_flight(server->port());
    RawClient half_read(server->port());
    RawClient idle(server->port());
    in_flight.send(
        "GET /wait HTTP/1.1\r\nHost: test\r\n\r\nGET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    half_read.send("GET /half HTTP/1.1\r\nHo");
    idle.send("GET /before HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return idle.has(";") && requests.size() == 2; });
    settle();
    RawClient in_backlog(server->port());  // nobody has accepted it yet
    bool drained = false;
    start_drain(drained);
    settle();
    clock.advance(10ms);
    settle();

    in_backlog.send("GET /backlog HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return in_backlog.has("GET /backlog ;"); });
    EXPECT_TRUE(in_backlog.has("connection: close"));
    half_read.send("st: test\r\n\r\n");
    pump([&] { return half_read.has("GET /half ;"); });
    EXPECT_TRUE(half_read.has("connection: close"));
    idle.send("GET /after HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return idle.has("GET /after ;"); });
    EXPECT_EQ(idle.count("connection: close"), 1u);

    EXPECT_FALSE(drained);
    gate.cancel();
    pump([&] { return in_flight.has("GET /next ;"); });
    EXPECT_TRUE(in_flight.has("GET /wait ;"));
    EXPECT_EQ(in_flight.count("connection: close"), 1u);  // not on the first of the two
    for (RawClient* client : {&in_flight, &half_read, &idle, &in_backlog}) {
        pump([&] { return client->ended(); });
        EXPECT_TRUE(client->closed);
        client->socket.close();
    }
    pump([&] { return drained; });
    EXPECT_THROW(RawClient late(server->port()), boost::system::system_error);
    server.reset();
}

TEST_F(HttpServerTest, DrainingClosesIdleConnectionsAfterTheGraceOnly) {
    start();
    RawClient idle(server->port());
    settle();
    bool drained = false;
    start_drain(drained);
    settle();
    pass(900ms);
    EXPECT_FALSE(idle.ended());
    pass(400ms);
    pump([&] { return idle.ended() && drained; });
    EXPECT_TRUE(idle.received.empty());
    server.reset();
}

// The last look: the request is in the kernel when the grace ends, unread.
TEST_F(HttpServerTest, ARequestThatComesAsTheGraceEndsIsAnswered) {
    start();
    RawClient client(server->port());
    settle();
    bool drained = false;
    start_drain(drained);
    settle();
    clock.advance(2s);
    client.send("GET /late HTTP/1.1\r\nHost: test\r\n\r\n");
    pump([&] { return client.ended(); });
    EXPECT_TRUE(client.has("GET /late ;"));
    client.socket.close();
    pump([&] { return drained; });
    server.reset();
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
    start();
    HttpServerOptions options;
    options.port = server->port();
    const HttpHandler handler;
    auto second =
        HttpServer::create({{context.get_executor(), &clock, handler}}, options, telemetry);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), "cannot-listen");
    EXPECT_NE(second.error().message().find("already in use"), std::string::npos);
    options.address = "nowhere";
    EXPECT_FALSE(
        HttpServer::create({{context.get_executor(), &clock, handler}}, options, telemetry));
}

TEST(HttpServerOnCores, DealsConnectionsOutAndDrainsThemAll) {
    RealTelemetry telemetry(LogLevel::error);
    Cores cores(2);
    std::vector<std::unique_ptr<RealClock>> clocks;
    std::vector<HttpServerCore> places;
    for (std::size_t i = 0; i < cores.size(); ++i) {
        clocks.push_back(std::make_unique<RealClock>(cores[i].get_executor()));
        HttpHandler handler = [i](Context, HttpRequest) -> Task<HttpResponse> {
            co_return HttpResponse(200, "core " + std::to_string(i) + ";");
        };
        places.push_back({cores[i].get_executor(), clocks[i].get(), std::move(handler)});
    }
    HttpServerOptions options;
    options.drain_grace = 20ms;
    auto server = HttpServer::create(std::move(places), options, telemetry).value();
    std::string received;
    std::thread client([&] {
        std::vector<std::unique_ptr<RawClient>> clients;
        clients.reserve(4);
        for (int i = 0; i < 4; ++i) {
            clients.push_back(std::make_unique<RawClient>(server->port()));
        }
        for (auto& each : clients) {
            each->send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            while (!each->has(";")) { std::this_thread::yield(); }
            received += each->received.substr(each->received.find("\r\n\r\n") + 4);
        }
        asio::co_spawn(cores[0], server->drain(), [&](std::exception_ptr) { cores.stop(); });
        for (auto& each : clients) {
            while (!each->ended()) { std::this_thread::yield(); }
        }
    });
    cores.run();
    client.join();
    EXPECT_EQ(received, "core 0;core 1;core 0;core 1;");
}

}  // namespace
}  // namespace rushproof
