// Goal: what clients send becomes the message that they meant, is accepted before they are told so,
// and every refusal says whether to come again.  Method: an ingest on the fake clock, with a
// processor or a broker that answers as the test wants.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

#include "core/protocol/diplom.pb.h"
#include "core/protocol/ingest.pb.h"
#include "core/protocol/processor.pb.h"
#include "core/runtime/data_message.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/queue_route.hpp"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/ingest/ingest.hpp"

namespace rushproof::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The processor, or what stands for it: keeps what it accepts.
class TestProcessor {
public:
    Result<void> take(Message message) {
        if (!answers.empty()) {
            Result<void> next = std::move(answers.front());
            answers.pop_front();
            if (!next) { return next; }
        }
        messages.push_back(std::move(message));
        return {};
    }
    std::deque<Result<void>> answers;  // the next ones; then all is accepted
    std::vector<Message> messages;
    std::vector<Duration> time_left;
    bool healthy = true;
};

class TestQueue final : public MessageQueue {
public:
    explicit TestQueue(TestProcessor& processor) : processor_(processor) {}
    QueueFeatures features() const override { return {}; }
    Result<void> check(const Message&) const override { return {}; }
    Task<Result<void>> publish(Context, Message message) override {
        co_return processor_.take(std::move(message));
    }
    Task<Result<std::unique_ptr<Consumer>>> join(Context, std::string) override {
        co_return failure(ErrorKind::permanent, "unimplemented", "");
    }
    Task<Result<QueueStats>> stats(Context, std::string) override { co_return QueueStats(); }

private:
    TestProcessor& processor_;
};

class TestQueues final : public Queues {
public:
    explicit TestQueues(TestProcessor& processor) : processor_(processor) {}
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context, std::string_view,
                                                     std::string_view) override {
        if (away) { co_return failure(ErrorKind::retryable, "unavailable", ""); }
        std::shared_ptr<MessageQueue> queue = std::make_shared<TestQueue>(processor_);
        co_return queue;
    }
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context, std::string_view) override {
        co_return failure(ErrorKind::permanent, "not-configured", "");
    }
    bool away = false;

private:
    TestProcessor& processor_;
};

class IngestService : public testing::Test {
protected:
    IngestService() {
        fake_.rpc.handler = [this](Context context, std::string method, std::string request) {
            return answer(std::move(context), std::move(method), std::move(request));
        };
    }

    void start(const std::string& provider = "memory") {
        Options options;
        options.queue.provider = provider;
        route_.provider = provider;
        service_ = make_ingest(environment_, options);
        rpc_.emplace(fake_.world);
        rpc_->add(service_->rpc_methods());
        http_.emplace(fake_.world);
        http_->add(service_->http_routes());
        service_->start();
        fake_.world.run_for(milliseconds(10));
    }

    template <class T>
    T finish(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(fake_.world.executor("test"), std::move(task),
                       [&](const std::exception_ptr& thrown, T value) {
                           if (thrown) { std::rethrow_exception(thrown); }
                           result.emplace(std::move(value));
                       });
        for (int i = 0; i < 1'000 && !result; ++i) { fake_.world.run_for(milliseconds(1)); }
        return result.value();
    }
    Context context() { return Context(fake_.world.monotonic() + seconds(1)); }
    HttpResponse post(const std::string& body, HttpFields fields = {}) {
        HttpRequest request("POST", "/ingest", body);
        request.fields = std::move(fields);
        return finish(http_->answer(context(), std::move(request)));
    }
    HttpResponse get(const std::string& path) {
        return finish(http_->answer(context(), HttpRequest("GET", path)));
    }
    std::string id_in(const HttpResponse& response) {
        std::smatch found;
        const std::regex form(R"re(\{"messageId":"([0-9a-f-]{36})","status":"accepted"\})re");
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_TRUE(std::regex_match(response.body, found, form)) << response.body;
        return found[1];
    }

    TestProcessor processor_;
    // What the processors say of the route.
    QueueRoute route_{
        .epoch = 1, .provider = "memory", .previous = "", .phase = RoutePhase::steady};
    Result<void> lease_;
    TestQueues queues_{processor_};
    FakeEnvironment fake_;
    Environment environment_{fake_.world,           fake_.world, fake_.world, fake_.rpc,
                             fake_.absent_database, fake_.world, queues_};
    std::unique_ptr<Service> service_;
    std::optional<RpcRouter> rpc_;
    std::optional<HttpRouter> http_;

private:
    Task<Result<std::string>> answer(Context context, std::string method, std::string request) {
        if (method == "ingest.v1.Ingest/GetStats") {
            co_return co_await rpc_->answer(std::move(context), method, std::move(request));
        }
        if (method == "processor.v1.Processor/GetStats") {
            ::processor::v1::Stats stats;
            stats.set_healthy(processor_.healthy);
            co_return stats.SerializeAsString();
        }
        if (method == "processor.v1.Processor/Lease") {
            if (!lease_) { co_return failure(lease_.error()); }
            ::processor::v1::Route route;
            route.set_epoch(route_.epoch);
            route.set_provider(route_.provider);
            route.set_previous(route_.previous);
            route.set_phase(std::string(to_string(route_.phase)));
            co_return route.SerializeAsString();
        }
        EXPECT_EQ(method, "processor.v1.Processor/Enqueue");
        processor_.time_left.push_back(context.deadline - fake_.world.monotonic());
        ::processor::v1::Message wire;
        EXPECT_TRUE(wire.ParseFromString(request));
        Message message;
        message.id = wire.id();
        message.key = wire.key();
        message.body = wire.body();
        for (const auto& header : wire.headers()) {
            message.headers.emplace_back(header.name(), header.value());
        }
        RP_CO_CHECK(processor_.take(std::move(message)));
        co_return std::string();
    }
};

TEST_F(IngestService, MakesTheMessageThatWasMeant) {
    start();
    Context traced = context();
    traced.trace = TraceId{1, 2, 3};
    HttpRequest request("POST", "/ingest",
                        R"({"source":"till","data":"hello","metadata":{"b":"2","key":"k"}})");
    const std::string id = id_in(finish(http_->answer(traced, std::move(request))));
    ASSERT_EQ(processor_.messages.size(), 1u);
    const Message& message = processor_.messages[0];
    EXPECT_EQ(message.id, id);
    EXPECT_EQ(message.key, "k");
    EXPECT_EQ(header_of(message, trace_header),
              "00-00000000000000010000000000000002-0000000000000003-01");
    const auto data = parse_data_message(message.body);
    ASSERT_TRUE(data);
    EXPECT_EQ(data->id, id);
    EXPECT_EQ(data->source, "till");
    EXPECT_EQ(data->payload, "hello");
    EXPECT_EQ(data->metadata, (Metadata{{"b", "2"}, {"key", "k"}}));
    EXPECT_GT(data->timestamp, 1'500'000'000);
}

TEST_F(IngestService, TakesEveryMemberAsOptional) {
    start();
    std::set<std::string> ids;
    for (const char* body : {"{}", R"({"source":"s"})", R"({"data":"d","more":1})"}) {
        ids.insert(id_in(post(body)));
    }
    EXPECT_EQ(ids.size(), 3u);
    EXPECT_EQ(processor_.messages[1].key, "s") << "the source, when no key is given";
}

TEST_F(IngestService, KnowsARepeatByItsKey) {
    start();
    const HttpFields alice{{"idempotency-key", "1"}, {"x-owner", "alice"}};
    const HttpFields bob{{"idempotency-key", "1"}, {"x-owner", "bob"}};
    const std::string first = id_in(post("{}", alice));
    EXPECT_EQ(id_in(post("{}", alice)), first);
    EXPECT_NE(id_in(post("{}", bob)), first);
    EXPECT_NE(id_in(post("{}")), id_in(post("{}")));
}

TEST_F(IngestService, RefusesWhatIsNoMessage) {
    start();
    for (const char* body : {"", "x", "[1]", R"({"data":1})", R"({"metadata":{"n":1}})",
                             R"({"metadata":"m"})", R"({"source":"a\u0000b"})"}) {
        const HttpResponse refused = post(body);
        EXPECT_EQ(refused.status, 400) << body;
        EXPECT_EQ(refused.content_type, "application/problem+json");
    }
    const std::string much(data_limits::payload_bytes + 1, 'x');
    EXPECT_EQ(post(R"({"data":")" + much + "\"}").status, 413);
    EXPECT_EQ(finish(http_->answer(context(), HttpRequest("GET", "/ingest"))).status, 405);
    EXPECT_TRUE(processor_.messages.empty());
    EXPECT_EQ(get("/stats").body, R"({"TotalReceived":8,"TotalSent":0,"TotalFailed":8})");
}

TEST_F(IngestService, SaysWhenToComeAgain) {
    start();
    processor_.answers.push_back(failure(ErrorKind::retryable, "queue-full", "full"));
    const HttpResponse full = post("{}");
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.fields.at(0), (std::pair<std::string, std::string>("retry-after", "1")));
    EXPECT_EQ(post("{}").status, 200);
    EXPECT_EQ(get("/stats").body, R"({"TotalReceived":2,"TotalSent":1,"TotalFailed":1})");
    EXPECT_EQ(processor_.messages.size(), 1u) << "what was refused is not there";
}

TEST_F(IngestService, TriesOnceMoreWhenNobodyKnows) {
    start();
    const Error lost(ErrorKind::unknown_outcome, "connection-lost", "");
    processor_.answers.push_back(failure(lost));
    id_in(post("{}"));
    EXPECT_EQ(processor_.messages.size(), 1u);
    processor_.answers.push_back(failure(lost));
    processor_.answers.push_back(failure(ErrorKind::retryable, "queue-full", "full"));
    EXPECT_EQ(post("{}").status, 504) << "the first try may have worked";
}

TEST_F(IngestService, LeavesLessTimeThanItHas) {
    start();
    id_in(post("{}"));
    ASSERT_EQ(processor_.time_left.size(), 1u);
    EXPECT_LT(processor_.time_left[0], seconds(1));
    EXPECT_GE(processor_.time_left[0], milliseconds(900));
}

TEST_F(IngestService, AnswersCalls) {
    start();
    ::ingest::v1::IngestRequest wish;
    wish.set_data("{}");
    wish.set_kind("reserve");
    wish.set_key("SKU-1");
    Context of_alice = context();
    of_alice.principal = "alice";
    of_alice.idempotency_key = "7";
    const auto answer =
        finish(rpc_->answer(of_alice, "ingest.v1.Ingest/Ingest", wish.SerializeAsString()));
    ::ingest::v1::IngestResponse response;
    ASSERT_TRUE(response.ParseFromString(answer.value()));
    ASSERT_EQ(processor_.messages.size(), 1u);
    const Message& message = processor_.messages[0];
    EXPECT_EQ(message.id, response.message_id());
    EXPECT_EQ(message.key, "SKU-1");
    EXPECT_EQ(header_of(message, kind_header), "reserve");
    EXPECT_EQ(header_of(message, owner_header), "alice");
}

TEST_F(IngestService, AnswersThePublicCall) {
    start();
    ::diplom::v1::IngestRequest wish;
    wish.set_source("till");
    wish.set_data(std::string("\0\xff", 2));
    (*wish.mutable_metadata())["key"] = "k";
    const auto answer =
        finish(rpc_->answer(context(), "diplom.v1.IngestService/Ingest", wish.SerializeAsString()));
    ::diplom::v1::IngestResponse response;
    ASSERT_TRUE(response.ParseFromString(answer.value()));
    EXPECT_EQ(response.status(), "accepted");
    ASSERT_EQ(processor_.messages.size(), 1u);
    EXPECT_EQ(processor_.messages[0].id, response.message_id());
    EXPECT_EQ(parse_data_message(processor_.messages[0].body)->payload, wish.data());
}

TEST_F(IngestService, PublishesToABrokerOnceThatIsThere) {
    queues_.away = true;
    start("nats");
    EXPECT_EQ(post("{}").status, 503);
    EXPECT_FALSE(finish(service_->ready(context())));
    queues_.away = false;
    fake_.world.run_for(seconds(2));
    EXPECT_TRUE(finish(service_->ready(context())));
    id_in(post("{}"));
    EXPECT_EQ(processor_.messages.size(), 1u);
    EXPECT_TRUE(processor_.time_left.empty()) << "the processor is not asked";
}

TEST_F(IngestService, TellsWhetherTheProcessorIsWell) {
    start();
    EXPECT_EQ(get("/health").body, R"({"healthy":true})");
    EXPECT_TRUE(finish(service_->ready(context())));
    processor_.healthy = false;
    EXPECT_EQ(get("/health").body, R"({"healthy":false})");
    EXPECT_EQ(get("/health").status, 503);
    EXPECT_FALSE(finish(service_->ready(context())));
}

TEST_F(IngestService, AcceptsNothingOnceItStops) {
    start();
    auto stop = [this]() -> Task<bool> {
        co_await service_->stop();
        co_return true;
    };
    EXPECT_TRUE(finish(stop()));
    EXPECT_EQ(post("{}").status, 503);
    EXPECT_EQ(finish(rpc_->answer(context(), "ingest.v1.Ingest/Ingest", "")).error().code(),
              "stopping");
}

TEST_F(IngestService, FollowsTheRouteAndRefusesWhenItLeadsNowhere) {
    start();
    id_in(post("{}"));
    EXPECT_EQ(processor_.time_left.size(), 1u);
    route_ = {.epoch = 2, .provider = "nats", .previous = "memory", .phase = RoutePhase::moving};
    fake_.world.run_for(seconds(1));
    id_in(post("{}"));
    EXPECT_EQ(processor_.time_left.size(), 1u) << "the broker has it, the processor was not asked";
    EXPECT_EQ(processor_.messages.size(), 2u);
    route_ = {.epoch = 3, .provider = "nats", .previous = "memory", .phase = RoutePhase::stopping};
    fake_.world.run_for(seconds(1));
    EXPECT_EQ(post("{}").status, 503);
    EXPECT_EQ(processor_.messages.size(), 2u);
}

TEST_F(IngestService, PublishesNothingOnceItsLeaseHasRunOut) {
    start();
    id_in(post("{}"));
    lease_ = failure(ErrorKind::retryable, "unavailable", "the processor is away");
    fake_.world.run_for(seconds(1));
    id_in(post("{}"));
    fake_.world.run_for(seconds(4));
    EXPECT_EQ(post("{}").status, 503);
    EXPECT_FALSE(finish(service_->ready(context())));
    lease_ = {};
    id_in(post("{}"));
    EXPECT_EQ(processor_.messages.size(), 3u);
}

TEST_F(IngestService, RefusesOptionsOutOfRange) {
    Options unknown;
    unknown.queue.provider = "pigeon";
    EXPECT_THROW(make_ingest(environment_, unknown), std::invalid_argument);
}

}  // namespace
}  // namespace rushproof::ingest
