// Goal: an answer that comes in pieces arrives whole, in the form that the client's HTTP has, and
// ends with its last piece, with the client, or with the server.  Method: raw loopback sockets and
// a clock moved by hand.
#include <boost/asio/co_spawn.hpp>

#include "core/real/beast/http_server.hpp"
#include "core/real/beast/tests/loopback.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class HttpStreamTest : public Loopback {
protected:
    HttpStreamTest() {
        HttpHandler handler = [this](Context, HttpRequest request) {
            return answer(std::move(request));
        };
        std::vector<HttpServerCore> cores{{context.get_executor(), &clock, std::move(handler)}};
        server_ = HttpServer::create(std::move(cores), {}, telemetry).value();
    }
    ~HttpStreamTest() override {
        start_drain();
        pump([&] {
            clock.advance(100ms);
            return drained_;
        });
    }
    void start_drain() {
        if (std::exchange(draining_, true)) { return; }
        asio::co_spawn(context, server_->drain(), [&](std::exception_ptr) { drained_ = true; });
    }

    // "first", then a piece every second: "three" of them, or for "ever"; "/throw" breaks.
    Task<HttpResponse> answer(HttpRequest request) {
        HttpResponse response(200, "first;", "text/plain");
        response.stream = [this, target = request.target] { return next(target); };
        pieces_ = 0;
        co_return response;
    }
    Task<std::string> next(std::string target) {
        ++pieces_;
        co_await sleep_for(clock, 1s);
        if (target == "/throw") { throw std::runtime_error("secret"); }
        if (target == "/three" && pieces_ > 3) { co_return std::string(); }
        co_return "piece " + std::to_string(pieces_) + ";";
    }

    void get(RawClient& client, const std::string& target, const std::string& version = "1.1",
             const std::string& method = "GET") {
        client.send(method + " " + target + " HTTP/" + version + "\r\nHost: test\r\n\r\n");
    }
    void pump_with_time(const std::function<bool()>& done) {
        pump([&] {
            clock.advance(10ms);
            return done();
        });
    }

    std::unique_ptr<HttpServer> server_;
    int pieces_ = 0;
    bool draining_ = false;
    bool drained_ = false;
};

TEST_F(HttpStreamTest, ComesInChunksAndLeavesTheConnectionOpen) {
    RawClient client(server_->port());
    get(client, "/three");
    pump([&] { return client.has("6\r\nfirst;\r\n"); });
    EXPECT_EQ(client.count("transfer-encoding: chunked"), 1u);
    EXPECT_EQ(client.count("content-length"), 0u);
    EXPECT_FALSE(client.has("piece")) << "each piece is sent when it is there";
    pump_with_time([&] { return client.has("\r\n0\r\n\r\n"); });
    EXPECT_TRUE(client.received.ends_with(
        "6\r\nfirst;\r\n8\r\npiece 1;\r\n8\r\npiece 2;\r\n8\r\npiece 3;\r\n0\r\n\r\n"));
    get(client, "/three");
    pump_with_time([&] {
        client.look();
        return client.count("\r\n0\r\n\r\n") == 2;
    });
    EXPECT_FALSE(client.closed);
}

TEST_F(HttpStreamTest, EndsWithTheConnectionForOldClients) {
    RawClient client(server_->port());
    get(client, "/three", "1.0");
    pump_with_time([&] { return client.ended(); });
    EXPECT_EQ(client.count("chunked"), 0u);
    EXPECT_EQ(client.count("connection: close"), 1u);
    EXPECT_TRUE(client.received.ends_with("\r\n\r\nfirst;piece 1;piece 2;piece 3;"));
}

TEST_F(HttpStreamTest, HasNoBodyForHead) {
    RawClient client(server_->port());
    get(client, "/three", "1.1", "HEAD");
    pump([&] { return client.has("\r\n\r\n"); });
    EXPECT_FALSE(client.has("first"));
    EXPECT_EQ(pieces_, 0);
}

TEST_F(HttpStreamTest, EndsWhenTheServerDrains) {
    RawClient client(server_->port());
    get(client, "/ever");
    pump_with_time([&] { return client.has("piece 2;"); });
    start_drain();
    pump_with_time([&] { return drained_; });
    EXPECT_TRUE(client.has("\r\n0\r\n\r\n")) << "what began is ended in good form";
    EXPECT_TRUE(client.ended());
}

TEST_F(HttpStreamTest, EndsWhenTheClientHasGone) {
    {
        RawClient client(server_->port());
        get(client, "/ever");
        pump_with_time([&] { return client.has("piece 1;"); });
        client.socket.close();
    }
    int still = 0;
    pump_with_time([&] {
        if (pieces_ != still) { still = pieces_; }
        clock.advance(2s);
        settle();
        return pieces_ == still;
    });
    EXPECT_LT(pieces_, 10);
}

TEST_F(HttpStreamTest, IsCutOffWhenItBreaks) {
    RawClient client(server_->port());
    get(client, "/throw");
    pump_with_time([&] { return client.ended(); });
    EXPECT_FALSE(client.has("0\r\n\r\n")) << "the client can tell that it is not whole";
    EXPECT_FALSE(client.has("secret"));
}

}  // namespace
}  // namespace rushproof
