// Goal: whatever becomes of the connection to a server, every call ends, once, with what is known
// of it; and the next one finds its way.  Method: real servers on loopback that the test starts,
// drains and silences, in one thread, with a clock that it moves by hand.
#include "core/real/beast/http2_client.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <list>

#include "core/real/beast/http2_session.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/beast/tests/loopback.hpp"
#include "core/runtime/resumption.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class Http2ClientTest : public Loopback {
protected:
    using Answer = Resumption<HttpResponse>;

    void serve(std::uint16_t port = 0, HttpServerOptions options = {}) {
        options.port = port;
        const HttpHandler handler = [this](Context its, HttpRequest request) {
            return handle(std::move(its), std::move(request));
        };
        std::vector<HttpServerCore> cores{{context.get_executor(), &clock, handler, handler}};
        server = HttpServer::create(std::move(cores), options, telemetry).value();
        endpoint.host = "127.0.0.1";
        endpoint.port = server->port();
    }
    // Answers "echo" at once, everything else when the test says so.
    Task<HttpResponse> handle(Context its, HttpRequest request) {
        contexts.push_back(std::move(its));
        if (request.body != "wait") { co_return HttpResponse(200, request.body); }
        auto start = [this](Answer answer) { held.push_back(std::move(answer)); };
        co_return co_await suspend<HttpResponse>(std::move(start));
    }
    void answer_all() {
        for (Answer& answer : held) { answer(HttpResponse(200, "waited")); }
        held.clear();
    }
    void begin_drain() {
        asio::co_spawn(context, server->drain(), [this](std::exception_ptr) { drained = true; });
    }
    void stop() {
        begin_drain();
        pump([&] {
            clock.advance(100ms);
            return drained;
        });
        server.reset();
        drained = false;
    }
    ~Http2ClientTest() override {
        answer_all();
        client.reset();
        if (server) { stop(); }
    }
    void open() { client = std::make_unique<Http2Client>(context.get_executor(), clock, endpoint); }

    struct Call {
        std::optional<Result<HttpResponse>> result;
        asio::cancellation_signal stop;
    };
    Call& start(std::string body, Duration within = 5s) {
        Call& call = calls.emplace_back();
        asio::co_spawn(
            context,
            client->send(context_for(within), HttpRequest("POST", "/rpc/x", std::move(body))),
            asio::bind_cancellation_slot(call.stop.slot(),
                                         [&call](std::exception_ptr, Result<HttpResponse> result) {
                                             EXPECT_FALSE(call.result);
                                             call.result.emplace(std::move(result));
                                         }));
        return call;
    }
    Result<HttpResponse> finish(Call& call) {
        pump([&] { return call.result.has_value(); });
        return *call.result;
    }
    Result<HttpResponse> ask(std::string body) { return finish(start(std::move(body))); }

    std::unique_ptr<HttpServer> server;
    HttpEndpoint endpoint;
    std::vector<Context> contexts;
    std::list<Answer> held;
    std::list<Call> calls;
    bool drained = false;
    std::unique_ptr<Http2Client> client;
};

TEST_F(Http2ClientTest, ManyCallsShareAConnection) {
    HttpServerOptions options;
    options.connections_max = 1;
    serve(0, options);
    open();
    std::vector<Call*> started;
    started.reserve(3'000);
    for (int i = 0; i < 3'000; ++i) { started.push_back(&start(std::to_string(i))); }
    for (int i = 0; i < 3'000; ++i) {
        const auto result = finish(*started[static_cast<std::size_t>(i)]);
        ASSERT_TRUE(result) << result.error().code();
        EXPECT_EQ(result->body, std::to_string(i));
    }
    EXPECT_EQ(contexts.size(), 3'000u);
}

TEST_F(Http2ClientTest, ASlowAnswerHoldsUpNoOther) {
    serve();
    open();
    Call& slow = start("wait");
    pump([&] { return held.size() == 1; });
    EXPECT_EQ(ask("echo")->body, "echo");
    EXPECT_FALSE(slow.result);
    answer_all();
    EXPECT_EQ(finish(slow)->body, "waited");
}

TEST_F(Http2ClientTest, ThePeerLearnsHowMuchTimeIsLeft) {
    serve();
    open();
    EXPECT_TRUE(finish(start("echo", 1500ms)));
    ASSERT_EQ(contexts.size(), 1u);
    EXPECT_EQ(contexts[0].deadline, clock.monotonic() + 1500ms);
}

TEST_F(Http2ClientTest, NobodyListens) {
    serve();
    open();
    stop();
    const auto result = ask("echo");
    EXPECT_EQ(result.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(result.error().code(), "unavailable");
}

TEST_F(Http2ClientTest, FindsAServerThatCameBack) {
    serve();
    open();
    EXPECT_TRUE(ask("echo"));
    stop();
    EXPECT_FALSE(ask("echo"));
    serve(endpoint.port);
    EXPECT_TRUE(ask("echo"));
}

TEST_F(Http2ClientTest, AStoppingServerAnswersWhatItHas) {
    serve();
    open();
    Call& slow = start("wait", 60s);
    pump([&] { return held.size() == 1; });
    begin_drain();
    settle();
    pass(10s);  // longer than its grace
    EXPECT_FALSE(drained);
    EXPECT_FALSE(slow.result);
    EXPECT_EQ(ask("echo").error().code(), "unavailable");  // it accepts no new connection
    answer_all();
    EXPECT_EQ(finish(slow)->body, "waited");
    pump([&] { return drained; });  // the client leaves at once
    server.reset();
    drained = false;
}

TEST_F(Http2ClientTest, TimeRunsOut) {
    serve();
    open();
    Call& slow = start("wait", 100ms);
    Call& patient = start("wait", 5s);
    pump([&] { return held.size() == 2; });
    clock.advance(100ms);
    const auto result = finish(slow);
    EXPECT_EQ(result.error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(result.error().code(), "deadline-exceeded");
    EXPECT_FALSE(patient.result);
    answer_all();
    EXPECT_TRUE(finish(patient));
}

TEST_F(Http2ClientTest, LeavesAConnectionThatIsSilent) {
    tcp::acceptor deaf(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    deaf.non_blocking(true);
    endpoint.host = "127.0.0.1";
    endpoint.port = deaf.local_endpoint().port();
    open();
    std::list<tcp::socket> accepted;
    for (std::size_t connections = 1; connections < 4; ++connections) {
        Call& call = start("echo", 100ms);
        pump([&] {
            boost::system::error_code error;
            tcp::socket socket(context);
            deaf.accept(socket, error);
            if (!error) { accepted.push_back(std::move(socket)); }
            return accepted.size() == connections;
        });
        settle();
        clock.advance(100ms);
        EXPECT_EQ(finish(call).error().code(), "unavailable");  // nothing was sent to it
    }
}

TEST_F(Http2ClientTest, WithoutTimeNothingIsSent) {
    serve();
    open();
    EXPECT_EQ(finish(start("echo", 0ms)).error().code(), "unavailable");
    EXPECT_TRUE(contexts.empty());
}

// It goes on sending PING, and never leaves by itself.
TEST_F(Http2ClientTest, AClientThatLingersDoesNotHoldUpTheServer) {
    serve();
    RawClient raw(endpoint.port);
    raw.send(http2_preface);
    raw.send(std::string_view("\0\0\0\4\0\0\0\0\0", 9));
    settle();
    begin_drain();
    for (int i = 0; i < 100 && !drained; ++i) {
        if (!raw.ended()) {
            raw.send(
                std::string_view("\0\0\x8\6\0\0\0\0\0"
                                 "12345678",
                                 17));
        }
        pass(100ms);
    }
    EXPECT_TRUE(drained);
    server.reset();
    drained = false;
}

TEST_F(Http2ClientTest, ACancelledCallEnds) {
    serve();
    open();
    Call& call = start("wait");
    pump([&] { return held.size() == 1; });
    call.stop.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(finish(call).error().kind(), ErrorKind::unknown_outcome);
    EXPECT_TRUE(ask("echo"));
}

TEST_F(Http2ClientTest, GoesAwayWithCallsUnderWay) {
    serve();
    open();
    start("wait");
    pump([&] { return held.size() == 1; });
    client.reset();
    settle();
    EXPECT_FALSE(calls.front().result);
}

TEST_F(Http2ClientTest, AnIdleConnectionIsClosedAndReplaced) {
    HttpServerOptions options;
    options.idle_timeout = 1s;
    serve(0, options);
    open();
    EXPECT_TRUE(ask("echo"));
    pass(3s);
    EXPECT_TRUE(ask("echo"));
}

TEST_F(Http2ClientTest, KeepsToWhatTheServerWantsAtATime) {
    HttpServerOptions options;
    options.requests_in_flight_max = 1;
    serve(0, options);
    open();
    Call& first = start("wait");
    pump([&] { return held.size() == 1; });
    Call& second = start("echo");  // the client waits for its turn, as the server asked
    settle();
    EXPECT_FALSE(second.result);
    answer_all();
    EXPECT_TRUE(finish(first));
    EXPECT_TRUE(finish(second));
}

TEST_F(Http2ClientTest, AServerWithoutItSaysSo) {
    serve();
    open();
    stop();
    const HttpHandler handler = [this](Context its, HttpRequest request) {
        return handle(std::move(its), std::move(request));
    };
    HttpServerOptions options;
    options.port = endpoint.port;
    std::vector<HttpServerCore> cores{{context.get_executor(), &clock, handler}};
    server = HttpServer::create(std::move(cores), options, telemetry).value();
    const auto result = ask("echo");
    EXPECT_EQ(result.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(result.error().code(), no_http2);
    EXPECT_TRUE(contexts.empty());
}

TEST_F(Http2ClientTest, WhoeverBeginsARequestAndStopsIsRefused) {
    HttpServerOptions options;
    options.body_timeout = 1s;
    serve(0, options);
    RawClient raw(endpoint.port);
    // SETTINGS; then HEADERS of POST / to http://a, without the end of the stream.
    raw.send(http2_preface);
    raw.send(std::string_view("\0\0\0\4\0\0\0\0\0\0\0\6\1\4\0\0\0\1\x83\x86\x84\x41\1a", 24));
    pass(3s);
    // RST_STREAM: REFUSED_STREAM.
    pump([&] { return raw.has(std::string_view("\0\0\4\3\0\0\0\0\1\0\0\0\7", 13)); });
    EXPECT_TRUE(contexts.empty());
    pass(200s);
    pump([&] { return raw.ended(); });  // the server is not kept by it
}

// As telnet does, and networks that cut a packet.
TEST_F(Http2ClientTest, ThePrefaceMayComeInPieces) {
    serve();
    RawClient raw(endpoint.port);
    for (const char c : http2_preface) {
        raw.send(std::string_view(&c, 1));
        settle();
    }
    pump([&] {
        raw.look();
        return raw.received.size() >= 9;
    });
    EXPECT_EQ(raw.received[3], 4) << "the first frame is SETTINGS";
}

// Behind a proxy of HTTP/1.1 that would be a way to requests that it does not let through.
TEST_F(Http2ClientTest, TheBodyOfARequestIsNoPreface) {
    serve();
    for (const std::string& body : {std::string("PRI"), std::string(http2_preface)}) {
        RawClient old(endpoint.port);
        old.send("P");
        settle();
        old.send("OST /x HTTP/1.1\r\nhost: a\r\ncontent-length: " + std::to_string(body.size()) +
                 "\r\n\r\n");
        settle();
        old.send(body);
        pump([&] { return old.has("\r\n\r\n" + body); });
    }
    RawClient pipelined(endpoint.port);
    pipelined.send("GET /x HTTP/1.1\r\nhost: a\r\n\r\n" + std::string(http2_preface));
    pump([&] { return pipelined.has("HTTP/1.1 200") && pipelined.has("HTTP/1.1 400"); });
}

}  // namespace
}  // namespace rushproof
