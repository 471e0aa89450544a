// Goal: the service bounds what it holds, keeps the order of keys while its workers change, ends
// with nothing lost, and answers its own HTTP clients as they are used to.  Method: its public
// interface on the fake clock, with an inventory that is slow or away.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>

#include "services/processor/tests/bench.hpp"

namespace rushproof::processor {
namespace {

std::string id_of(int number) { return "m-" + std::to_string(number); }

TEST(Service, RefusesWhatDoesNotFit) {
    Bench bench;
    Options options;
    options.queue.capacity = 10;
    bench.start(options);
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "away");
    };
    int accepted = 0;
    Result<std::string> last;
    for (int i = 1; i <= 20; ++i) {
        last = bench.put(Bench::reserve(id_of(i), "SKU-1"));
        accepted += last ? 1 : 0;
    }
    EXPECT_EQ(accepted, 10);
    EXPECT_EQ(last.error().code(), "queue-full");
    EXPECT_EQ(last.error().kind(), ErrorKind::retryable);
    const HttpResponse full = bench.http("POST", "/enqueue", R"({"id":"a","payload":"eA=="})");
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.fields.at(0).first, "retry-after");
    bench.rpc.refuse = nullptr;
    bench.world.run_for(seconds(10));
    EXPECT_EQ(bench.processed().size(), 10u) << "the refused ones are not there";
}

TEST(Service, KeepsTheOrderOfKeysWhileWorkersChange) {
    Bench bench;
    bench.start();
    int calls = 0;
    bench.rpc.refuse = [&](const std::string&) -> std::optional<Error> {
        if (++calls % 5 != 0) { return std::nullopt; }
        return Error(ErrorKind::retryable, "unavailable", "for a moment");
    };
    std::map<std::string, std::vector<std::string>> expected;
    int number = 0;
    for (const std::int64_t workers : {1, 8, 2, 256, 3}) {
        wire::WorkersRequest request;
        request.set_workers(workers);
        wire::WorkersState state;
        ASSERT_TRUE(
            state.ParseFromString(bench.call("Workers", request.SerializeAsString()).value()));
        EXPECT_EQ(state.workers(), workers);
        for (int i = 0; i < 60; ++i) {
            const std::string sku = "SKU-" + std::to_string(i % 9);
            expected[sku].push_back(id_of(++number));
            ASSERT_TRUE(bench.put(Bench::reserve(id_of(number), sku)));
        }
    }
    bench.world.run_for(seconds(60));
    EXPECT_EQ(bench.processed().size(), 300u);
    std::map<std::string, std::vector<std::string>> seen;
    for (const std::string& id : bench.processed()) {
        seen[bench.outcome(id)->processed().key()].push_back(id);
    }
    EXPECT_EQ(seen, expected);
    wire::WorkersRequest wrong;
    wrong.set_workers(257);
    EXPECT_EQ(bench.call("Workers", wrong.SerializeAsString()).error().code(), "invalid");
}

TEST(Service, FinishesTheWholeQueueThatWouldBeLost) {
    Bench bench;
    bench.start();
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "away");
    };
    for (int i = 1; i <= 500; ++i) {
        ASSERT_TRUE(bench.put(Bench::reserve(id_of(i), "SKU-" + std::to_string(i % 5))));
    }
    bench.rpc.refuse = nullptr;
    ASSERT_TRUE(bench.stop());
    EXPECT_EQ(bench.put(Bench::plain("late")).error().code(), "stopping");
    EXPECT_EQ(bench.http("POST", "/enqueue", R"({"id":"late"})").status, 503);
    bench.start();
    EXPECT_EQ(bench.processed().size(), 500u);
    EXPECT_EQ(bench.world.count("processor_lost_total"), 0u);
}

TEST(Service, LeavesToADurableQueueWhatItDidNotTake) {
    Bench bench;
    bench.start(Bench::over_broker());
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "away");
    };
    for (int i = 1; i <= 2'000; ++i) {
        ASSERT_TRUE(bench.put(Bench::reserve(id_of(i), "SKU-" + std::to_string(i))));
    }
    bench.rpc.refuse = nullptr;
    ASSERT_TRUE(bench.stop());
    const std::size_t left = bench.queues.broker->entries.size();
    EXPECT_GT(left, 0u);
    bench.start(Bench::over_broker());
    bench.world.run_for(seconds(30));
    EXPECT_TRUE(bench.queues.broker->entries.empty());
    EXPECT_EQ(bench.stats().pool().processed(), left) << "acknowledged means done";
}

TEST(Service, EndsWithinItsGraceAndSaysWhatIsLost) {
    Bench bench;
    Options options;
    options.drain_grace = seconds(5);
    bench.start(options);
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "for ever");
    };
    for (int i = 1; i <= 7; ++i) { ASSERT_TRUE(bench.put(Bench::reserve(id_of(i), "SKU-1"))); }
    ASSERT_TRUE(bench.put(Bench::plain("m", "other")));
    ASSERT_TRUE(bench.stop(seconds(6)));
    EXPECT_EQ(bench.world.count("processor_lost_total"), 7u);
}

TEST(Service, WaitsForABrokerThatIsAway) {
    Bench bench;
    bench.queues.away = true;
    bench.start(Bench::over_broker());
    EXPECT_EQ(bench.put(Bench::plain("m")).error().code(), "queue-unavailable");
    EXPECT_FALSE(bench.finish(bench.service->ready(bench.context())));
    EXPECT_EQ(bench.http("GET", "/health").body, R"({"healthy":false})");
    bench.queues.away = false;
    bench.world.run_for(seconds(2));
    EXPECT_TRUE(bench.finish(bench.service->ready(bench.context())));
    EXPECT_EQ(bench.http("GET", "/health").body, R"({"healthy":true})");
    EXPECT_TRUE(bench.put(Bench::plain("m")));
    bench.world.run_for(seconds(1));
    EXPECT_TRUE(bench.outcome("m"));
}

TEST(Service, IsNotReadyWithoutItsDatabase) {
    Bench bench;
    bench.start();
    EXPECT_TRUE(bench.finish(bench.service->ready(bench.context())));
    bench.database.fail_step(1, Fault::refused, true);
    EXPECT_FALSE(bench.finish(bench.service->ready(bench.context())));
    EXPECT_EQ(bench.http("GET", "/health").status, 503);
}

TEST(Service, TellsWhoeverWaitsForAResult) {
    Bench bench;
    bench.start();
    wire::ResultRequest request;
    request.set_message_id("m");
    request.set_wait_us(5'000'000);
    auto put_later = [&]() -> Task<bool> {
        co_await sleep_for(bench.world, milliseconds(300));
        const RpcTarget target{"processor.v1.Processor/Enqueue", {}};
        const std::string bytes = Bench::plain("m").SerializeAsString();
        const auto put = co_await bench.environment.rpc.call(bench.context(), target, bytes);
        co_return put.has_value();
    };
    asio::co_spawn(bench.world.executor("later"), put_later, [](std::exception_ptr, bool) {});
    const MonotonicTime begin = bench.world.monotonic();
    EXPECT_TRUE(bench.outcome("m", seconds(5)));
    EXPECT_LT(bench.world.monotonic() - begin, milliseconds(500));
    EXPECT_FALSE(bench.outcome("never", seconds(1)));
    EXPECT_TRUE(bench.outcome("m", seconds(1)));
}

TEST(Service, TakesMessagesOverHttp) {
    Bench bench;
    bench.start();
    const HttpResponse taken = bench.http(
        "POST", "/enqueue",
        R"({"id":"a","timestamp":1,"source":"s","payload":"aGVsbG8=","metadata":{"k":"v"}})");
    EXPECT_EQ(taken.status, 202);
    EXPECT_TRUE(taken.body.empty());
    EXPECT_EQ(bench.http("POST", "/enqueue", R"({"source":"s"})").status, 202) << "it gets an id";
    EXPECT_EQ(bench.http("GET", "/enqueue").status, 405);
    for (const char* body : {"", "[]", R"({"id":1})", R"({"id":"a b"})", R"({"payload":"%"})",
                             R"({"id":"a","metadata":{"n":1}})"}) {
        EXPECT_EQ(bench.http("POST", "/enqueue", body).status, 400) << body;
    }
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.processed().size(), 2u);
    EXPECT_EQ(bench.outcome("a")->processed().source(), "s");
}

TEST(Service, HasTheStatsThatClientsKnow) {
    Bench bench;
    bench.start();
    ASSERT_EQ(bench.http("POST", "/enqueue", R"({"id":"a"})").status, 202);
    bench.world.run_for(seconds(1));
    const std::string idle = bench.http("GET", "/stats").body;
    EXPECT_TRUE(idle.starts_with(R"({"pool":{"ProcessedCount":1,"ErrorCount":0,"TotalDuration":)"))
        << idle;
    EXPECT_TRUE(
        idle.ends_with(R"(},"queue":{"TotalEnqueued":1,"TotalDequeued":1,"CurrentSize":0}})"))
        << idle;
    bench.world.run_for(seconds(60));
    EXPECT_EQ(bench.http("GET", "/stats").body, idle) << "nothing happened";
}

TEST(Service, TellsPublishersWhereToGo) {
    Bench bench;
    bench.start();
    EXPECT_EQ(bench.call("Lease", "").error().code(), "invalid") << "a publisher without a name";
    wire::LeaseRequest request;
    request.set_publisher("ingest-1");
    wire::Route route;
    ASSERT_TRUE(route.ParseFromString(bench.call("Lease", request.SerializeAsString()).value()));
    EXPECT_EQ(route.provider(), "memory");
    EXPECT_GT(route.epoch(), 0);
    EXPECT_GT(route.lease_us(), 0);
}

TEST(Service, LetsMessagesThatComeFastShareATransaction) {
    Bench bench;
    bench.start();
    for (const char* id : {"first", "b", "c"}) { ASSERT_TRUE(bench.put(Bench::plain(id))); }
    bench.world.run_for(limits::gather * 10);
    const WallTime asked = bench.world.wall();
    ASSERT_TRUE(bench.put(Bench::plain("later")));
    const auto time_of = [&](const std::string& id) {
        const std::chrono::microseconds at(bench.outcome(id)->processed().processed_at_us());
        return WallTime(at);
    };
    EXPECT_EQ(time_of("b") - time_of("first"), limits::gather);
    EXPECT_EQ(time_of("c"), time_of("b"));
    EXPECT_LE(time_of("later") - asked, milliseconds(1)) << "it waits for nobody";
}

TEST(Service, RefusesOptionsOutOfRange) {
    Bench bench;
    Options none;
    none.workers = 0;
    EXPECT_THROW(make_processor(bench.environment, none), std::invalid_argument);
    Options unknown;
    unknown.queue.provider = "pigeon";
    EXPECT_THROW(make_processor(bench.environment, unknown), std::invalid_argument);
}

TEST(Results, AreForgottenWhenNothingCanAskForThem) {
    Bench bench(Engine::sqlite);
    bench.start();
    ASSERT_TRUE(bench.put(Bench::plain("old")));
    bench.world.run_for(seconds(1));
    bench.world.wall_offset += limits::retention;
    ASSERT_TRUE(bench.put(Bench::plain("new")));
    bench.world.run_for(limits::forget_interval + seconds(1));
    EXPECT_EQ(bench.processed(), std::vector<std::string>{"new"});
}

}  // namespace
}  // namespace rushproof::processor
