// Goal: a call over HTTP behaves as the Rpc port promises: every kind of error arrives as it left,
// the context travels whole, and an instance that cannot be asked is passed over. Method: real
// servers and clients on loopback, in one thread.
#include "core/real/beast/rpc_http.hpp"

#include "core/real/beast/http2_client.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/beast/tests/loopback.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class RpcHttpTest : public Loopback {
protected:
    // One instance: echoes its number, and keeps the context that it was called with.
    struct Instance {
        std::unique_ptr<RpcRouter> router;
        std::unique_ptr<HttpServer> server;
    };

    enum class Speaks : std::uint8_t { http1, both };

    void start(std::size_t count, Speaks speaks = Speaks::both) {
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<RpcMethod> methods;
            methods.push_back({"inventory.v1.Inventory/Where", [this, i](Context its, std::string) {
                                   return where(std::move(its), i);
                               }});
            methods.push_back({"inventory.v1.Inventory/Fail", [this](Context, std::string kind) {
                                   return fail(std::move(kind));
                               }});
            auto& instance = instances.emplace_back();
            instance.router = std::make_unique<RpcRouter>(telemetry);
            instance.router->add(std::move(methods));
            const HttpHandler calls = rpc_handler(*instance.router);
            std::vector<HttpServerCore> cores{
                {context.get_executor(), &clock, calls, speaks == Speaks::both ? calls : nullptr}};
            instance.server = HttpServer::create(std::move(cores), {}, telemetry).value();
            HttpEndpoint endpoint;
            endpoint.host = "127.0.0.1";
            endpoint.port = instance.server->port();
            endpoints.push_back(endpoint);
        }
        rpc = std::make_unique<HttpRpc>(
            context.get_executor(), clock,
            std::map<std::string, std::vector<HttpEndpoint>>{{"inventory", endpoints}});
    }
    ~RpcHttpTest() override {
        rpc.reset();
        for (auto& instance : instances) { stop(instance); }
    }
    void stop(Instance& instance) {
        if (!instance.server) { return; }
        bool drained = false;
        asio::co_spawn(context, instance.server->drain(),
                       [&](std::exception_ptr) { drained = true; });
        pump([&] {
            clock.advance(100ms);
            return drained;
        });
        instance.server.reset();
    }

    Task<Result<std::string>> where(Context its, std::size_t number) {
        contexts.push_back(std::move(its));
        co_return std::to_string(number);
    }
    Task<Result<std::string>> fail(std::string kind) {
        ++failures;
        if (kind == "retryable") {
            co_return failure(ErrorKind::retryable, "lock-timeout", "two\nlines");
        }
        if (kind == "permanent") { co_return failure(ErrorKind::permanent, "not-found", ""); }
        co_return failure(ErrorKind::unknown_outcome, "commit-unknown", "maybe");
    }
    Result<std::string> call(std::string_view method, std::string_view shard,
                             std::string message = {}) {
        return call(context_for(), method, shard, std::move(message));
    }
    Result<std::string> call(Context its, std::string_view method, std::string_view shard,
                             std::string message = {}) {
        return run(rpc->call(std::move(its), RpcTarget{method, shard}, std::move(message)));
    }

    std::vector<Instance> instances;
    std::vector<HttpEndpoint> endpoints;
    std::vector<Context> contexts;
    int failures = 0;
    std::unique_ptr<HttpRpc> rpc;
};

constexpr std::string_view where_method = "inventory.v1.Inventory/Where";
constexpr std::string_view fail_method = "inventory.v1.Inventory/Fail";

TEST_F(RpcHttpTest, CarriesTheContext) {
    start(1);
    Context its = context_for(2s);
    its.idempotency_key = "k-1 \xC3\xBC\r\n%";
    its.principal = "owner/1";
    its.position = "shard 2:1f";
    its.trace.high = 1;
    its.trace.low = 2;
    its.trace.span = 3;
    EXPECT_EQ(call(its, where_method, "SKU-1"), "0");
    ASSERT_EQ(contexts.size(), 1u);
    EXPECT_EQ(contexts[0].idempotency_key, its.idempotency_key);
    EXPECT_EQ(contexts[0].principal, its.principal);
    EXPECT_EQ(contexts[0].position, its.position);
    EXPECT_EQ(contexts[0].trace, its.trace);
    EXPECT_EQ(contexts[0].deadline, its.deadline);
}

TEST_F(RpcHttpTest, CarriesEveryKindOfError) {
    start(2);
    const auto retryable = call(fail_method, "a", "retryable");
    EXPECT_EQ(retryable.error(), Error(ErrorKind::retryable, "lock-timeout", "two\nlines"));
    EXPECT_EQ(call(fail_method, "a", "permanent").error().kind(), ErrorKind::permanent);
    EXPECT_EQ(call(fail_method, "a", "unknown").error().code(), "commit-unknown");
    EXPECT_EQ(failures, 3);
    EXPECT_EQ(call("inventory.v1.Inventory/Nothing", "a").error().kind(), ErrorKind::permanent);
    EXPECT_EQ(call("orders.v1.Orders/Place", "a").error().code(), "unavailable");
}

TEST_F(RpcHttpTest, AnInstanceMaySpeakOnlyHttp1) {
    start(2, Speaks::http1);
    Context its = context_for(2s);
    its.principal = "owner/1";
    for (int i = 0; i < 20; ++i) { EXPECT_TRUE(call(its, where_method, std::to_string(i))); }
    ASSERT_EQ(contexts.size(), 20u);
    EXPECT_EQ(contexts.back().principal, "owner/1");
    EXPECT_EQ(contexts.back().deadline, its.deadline);
    EXPECT_EQ(call(fail_method, "a", "unknown").error().code(), "commit-unknown");
    pass(2min);
    EXPECT_TRUE(call(where_method, "a")) << "it asks for HTTP/2 again, in vain";
}

TEST_F(RpcHttpTest, EqualShardsGoToTheSameInstance) {
    start(3);
    std::map<std::string, int> answers;
    for (int i = 0; i < 60; ++i) {
        const std::string shard = "SKU-" + std::to_string(i % 20);
        const auto first = call(where_method, shard);
        EXPECT_EQ(call(where_method, shard), first);
        ++answers[first.value()];
    }
    EXPECT_EQ(answers.size(), 3u);
}

TEST_F(RpcHttpTest, PassesOverInstancesThatAreGone) {
    start(3);
    stop(instances[0]);
    stop(instances[2]);
    for (int i = 0; i < 10; ++i) { EXPECT_EQ(call(where_method, std::to_string(i)), "1"); }
    stop(instances[1]);
    const auto nobody = call(where_method, "a");
    EXPECT_EQ(nobody.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(nobody.error().code(), "unavailable");
}

TEST_F(RpcHttpTest, TheServerRefusesWhatIsNoCall) {
    start(1);
    Http2Client client(context.get_executor(), clock, endpoints[0]);
    EXPECT_EQ(run(client.send(context_for(), HttpRequest("GET", "/rpc/x")))->status, 404);
    EXPECT_EQ(run(client.send(context_for(), HttpRequest("POST", "/other")))->status, 404);
    HttpRequest bad("POST", "/rpc/inventory.v1.Inventory/Where");
    bad.fields.emplace_back("x-owner", "%zz");
    EXPECT_EQ(run(client.send(context_for(), bad))->status, 400);
    EXPECT_TRUE(contexts.empty());
}

}  // namespace
}  // namespace rushproof
