// Goal: every message that was accepted has its effect once, in the order of its key, or is a dead
// letter with a reason, whatever fails or comes twice.  Method: a processor over the model database
// and SQLite, a broker that delivers again, an inventory and a database that fail.
#include <gtest/gtest.h>

#include <map>

#include "services/processor/store/statements.hpp"
#include "services/processor/tests/bench.hpp"

namespace rushproof::processor {
namespace {

class OfEngine : public testing::TestWithParam<Engine> {
protected:
    Bench bench{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Effects, OfEngine, testing::Values(Engine::model, Engine::sqlite));

TEST_P(OfEngine, LeavesOneRowPerMessage) {
    bench.start();
    for (int i = 1; i <= 50; ++i) {
        ASSERT_TRUE(bench.put(Bench::plain("m-" + std::to_string(i), "k" + std::to_string(i % 7))));
    }
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.processed().size(), 50u);
    const auto outcome = bench.outcome("m-7");
    ASSERT_TRUE(outcome && outcome->has_processed());
    EXPECT_TRUE(outcome->processed().success());
    EXPECT_EQ(outcome->processed().key(), "k0");
    EXPECT_EQ(outcome->processed().source(), "till");
    EXPECT_EQ(outcome->processed().kind(), "plain");
    EXPECT_EQ(outcome->processed().provider(), "memory");
    EXPECT_EQ(bench.stats().pool().processed(), 50u);
    EXPECT_EQ(bench.stats().queue().unfinished(), 0);
    EXPECT_FALSE(bench.outcome("m-51"));
}

TEST_P(OfEngine, KnowsARepeat) {
    bench.start();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(bench.put(Bench::plain("again")));
        bench.world.run_for(milliseconds(100));
    }
    EXPECT_EQ(bench.processed(), std::vector<std::string>{"again"});
    EXPECT_EQ(bench.stats().pool().processed(), 1u);
}

// As a client that publishes to the broker itself sends it, twice: the broker names each
// differently.
TEST_P(OfEngine, KnowsARepeatByTheIdInItsBody) {
    bench.start();
    for (const std::string id : {"STREAM:1", "STREAM:2"}) {
        wire::Message message = Bench::plain(id);
        message.set_body(R"({"id":"its-own","source":"till"})");
        ASSERT_TRUE(bench.put(message));
        bench.world.run_for(milliseconds(100));
    }
    EXPECT_EQ(bench.processed(), std::vector<std::string>{"its-own"});
}

// The process dies between effect and acknowledgement: what it has done comes again.
TEST_P(OfEngine, HasNoSecondEffectWhenAcknowledgementsAreLost) {
    bench.start(Bench::over_broker());
    bench.queues.broker->loses_acknowledgements = true;
    for (int i = 1; i <= 20; ++i) {
        ASSERT_TRUE(bench.put(Bench::plain("m-" + std::to_string(i))));
        ASSERT_TRUE(bench.put(Bench::reserve("r-" + std::to_string(i), "SKU-1")));
    }
    bench.world.run_for(seconds(5));
    EXPECT_EQ(bench.processed().size(), 40u);
    EXPECT_EQ(bench.queues.broker->entries.size(), 40u);
    bench.queues.broker->loses_acknowledgements = false;
    bench.queues.broker->redeliver();
    bench.world.run_for(seconds(5));
    EXPECT_TRUE(bench.queues.broker->entries.empty());
    EXPECT_EQ(bench.processed().size(), 40u);
    EXPECT_EQ(bench.stats().pool().processed(), 40u);
    EXPECT_EQ(bench.rpc.asked.size(), 20u) << "a repeat asks nobody";
}

TEST_P(OfEngine, SetsAsideWhatCannotHaveAnEffect) {
    bench.start();
    wire::Message broken = Bench::plain("broken");
    broken.set_body("no JSON \xff");
    wire::Message odd = Bench::plain("odd");
    Bench::add_header(odd, kind_header, "dance");
    wire::Message empty = Bench::reserve("empty", "SKU-1");
    empty.set_body("{}");
    for (const wire::Message& message :
         {Bench::plain("m-1"), broken, odd, empty, Bench::plain("m-2")}) {
        ASSERT_TRUE(bench.put(message));
    }
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.processed(), (std::vector<std::string>{"m-1", "m-2"}));
    EXPECT_EQ(bench.reason("broken"), "unreadable");
    EXPECT_EQ(bench.reason("odd"), "unknown-kind");
    EXPECT_EQ(bench.reason("empty"), "unreadable");
    EXPECT_EQ(bench.outcome("broken")->dead().body(), "no JSON \xff");
    EXPECT_EQ(bench.stats().pool().errors(), 3u);
    EXPECT_EQ(bench.stats().queue().unfinished(), 0);
}

TEST_P(OfEngine, MakesReservationsForTheirOwners) {
    bench.start();
    bench.rpc.refuse = [](const std::string& sku) -> std::optional<Error> {
        if (sku == "SKU-1") { return std::nullopt; }
        return Error(ErrorKind::permanent, "insufficient-stock", "none left");
    };
    ASSERT_TRUE(bench.put(Bench::reserve("r-1", "SKU-1")));
    ASSERT_TRUE(bench.put(Bench::reserve("r-2", "SKU-2")));
    bench.world.run_for(seconds(1));
    const auto made = bench.outcome("r-1");
    ASSERT_TRUE(made && made->has_processed());
    EXPECT_TRUE(made->processed().success());
    EXPECT_EQ(made->processed().result(),
              R"({"id":"r-r-1","sku":"SKU-1","quantity":2,"owner":"alice"})");
    const auto refused = bench.outcome("r-2");
    ASSERT_TRUE(refused && refused->has_processed()) << "a refusal is a result";
    EXPECT_FALSE(refused->processed().success());
    EXPECT_EQ(refused->processed().error(), "insufficient-stock");
    ASSERT_EQ(bench.rpc.asked.size(), 2u);
    EXPECT_EQ(bench.rpc.asked[0].owner, "alice");
    EXPECT_EQ(bench.rpc.asked[0].key, "r-1");
    EXPECT_EQ(bench.rpc.asked[0].trace, (TraceId{1, 42, 3}));
}

// Inventory forgets what it refused: a second answer could differ from the one that was told.
TEST_P(OfEngine, StandsByARefusal) {
    bench.start(Bench::over_broker());
    bench.queues.broker->loses_acknowledgements = true;
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::permanent, "insufficient-stock", "none left");
    };
    ASSERT_TRUE(bench.put(Bench::reserve("r-1", "SKU-1")));
    bench.world.run_for(seconds(2));
    bench.rpc.refuse = nullptr;  // stock has arrived
    bench.queues.broker->loses_acknowledgements = false;
    bench.queues.broker->redeliver();
    bench.world.run_for(seconds(2));
    EXPECT_TRUE(bench.queues.broker->entries.empty());
    EXPECT_FALSE(bench.outcome("r-1")->processed().success());
    EXPECT_EQ(bench.rpc.asked.size(), 1u);
}

TEST_P(OfEngine, TriesAgainInPlaceUntilInventoryIsBack) {
    bench.start();
    int refusals = 0;
    bench.rpc.refuse = [&](const std::string& sku) -> std::optional<Error> {
        if (sku == "SKU-1" && ++refusals <= 10) {
            return Error(refusals % 2 == 0 ? ErrorKind::retryable : ErrorKind::unknown_outcome,
                         "unavailable", "away");
        }
        return std::nullopt;
    };
    ASSERT_TRUE(bench.put(Bench::reserve("r-1", "SKU-1")));
    ASSERT_TRUE(bench.put(Bench::reserve("r-2", "SKU-1")));
    bench.world.run_for(milliseconds(1));
    ASSERT_TRUE(bench.put(Bench::plain("m-1", "another")));
    bench.world.run_for(seconds(30));
    EXPECT_EQ(bench.processed(), (std::vector<std::string>{"m-1", "r-1", "r-2"}));
}

TEST_P(OfEngine, PublishesADeadLetterAgain) {
    Options without;
    without.reserves = false;
    bench.start(without);
    ASSERT_TRUE(bench.put(Bench::reserve("r-1", "SKU-1")));
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.reason("r-1"), "not-configured");
    ASSERT_TRUE(bench.stop());
    bench.start();  // with an inventory
    wire::DeadLettersRequest list;
    wire::DeadLetters page;
    ASSERT_TRUE(
        page.ParseFromString(bench.call("ListDeadLetters", list.SerializeAsString()).value()));
    ASSERT_EQ(page.items_size(), 1);
    wire::ReplayRequest request;
    request.set_message_id("r-1");
    const auto replayed = bench.call("ReplayDeadLetter", request.SerializeAsString());
    ASSERT_TRUE(replayed) << replayed.error().message();
    wire::DeadLetter letter;
    ASSERT_TRUE(letter.ParseFromString(*replayed));
    EXPECT_EQ(letter.replays(), 1);
    bench.world.run_for(seconds(1));
    EXPECT_TRUE(bench.outcome("r-1")->has_processed());
    ASSERT_TRUE(
        page.ParseFromString(bench.call("ListDeadLetters", list.SerializeAsString()).value()));
    EXPECT_EQ(page.items_size(), 0);
    EXPECT_EQ(bench.call("ReplayDeadLetter", request.SerializeAsString()).error().code(),
              "not-found");
}

TEST_P(OfEngine, ShowsAReplayThatFailedAgain) {
    bench.start();
    wire::Message odd = Bench::plain("odd");
    Bench::add_header(odd, kind_header, "dance");
    ASSERT_TRUE(bench.put(odd));
    bench.world.run_for(seconds(1));
    wire::ReplayRequest request;
    request.set_message_id("odd");
    for (int i = 1; i <= 2; ++i) {
        ASSERT_TRUE(bench.call("ReplayDeadLetter", request.SerializeAsString()));
        bench.world.run_for(seconds(1));
        EXPECT_EQ(bench.outcome("odd")->dead().replays(), i);
        EXPECT_GT(bench.outcome("odd")->dead().replayed_at_us(), 0);
    }
}

TEST(Replay, WaitsWhileTheQueueWouldDropIt) {
    Bench bench;
    bench.start(Bench::over_broker());
    wire::Message odd = Bench::plain("odd");
    Bench::add_header(odd, kind_header, "dance");
    ASSERT_TRUE(bench.put(odd));
    bench.world.run_for(seconds(1));
    bench.queues.broker->drops_repeats_for = seconds(120);
    wire::ReplayRequest request;
    request.set_message_id("odd");
    EXPECT_EQ(bench.call("ReplayDeadLetter", request.SerializeAsString()).error().code(),
              "too-soon");
    bench.world.run_for(seconds(121));
    EXPECT_TRUE(bench.call("ReplayDeadLetter", request.SerializeAsString()));
}

TEST(Effects, SetAsideWhatWasDeliveredTooOften) {
    Bench bench;
    bench.start(Bench::over_broker());
    ASSERT_TRUE(bench.put(Bench::plain("m-1")));
    bench.world.run_for(seconds(1));
    TestBroker::Entry suspect;
    suspect.message.id = "killer";
    suspect.message.body = to_json({"killer", 0, "till", "x", {}});
    suspect.attempts = limits::deliveries;
    bench.queues.broker->entries.emplace(1'000, suspect);
    TestBroker::Entry known = suspect;
    known.message.id = "m-1";
    bench.queues.broker->entries.emplace(1'001, known);
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.reason("killer"), "too-many-deliveries");
    EXPECT_TRUE(bench.outcome("m-1")->has_processed()) << "it had its effect";
    EXPECT_TRUE(bench.queues.broker->entries.empty());
}

TEST(Effects, OfOthersGoOnWhenOneThrows) {
    Bench bench;
    bench.start();
    bench.rpc.refuse = [](const std::string& sku) -> std::optional<Error> {
        if (sku == "SKU-1") { throw std::runtime_error("bang"); }
        return std::nullopt;
    };
    for (const char* sku : {"SKU-1", "SKU-2", "SKU-3"}) {
        ASSERT_TRUE(bench.put(Bench::reserve(std::string("r-") + sku, sku)));
    }
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.reason("r-SKU-1"), "exception");
    EXPECT_TRUE(bench.outcome("r-SKU-2")->has_processed());
    EXPECT_TRUE(bench.outcome("r-SKU-3")->has_processed());
}

// Whatever the database does at whatever step, each message has one row in the end.
TEST_P(OfEngine, HappenOnceWhateverTheDatabaseDoes) {
    for (const Fault fault :
         {Fault::refused, Fault::lost_answer, Fault::never_applied, Fault::applied_later}) {
        // The fake SQLite has one connection, which a late commit would block.
        if (fault == Fault::applied_later && GetParam() == Engine::sqlite) { continue; }
        for (int step = 1; step <= 6; ++step) {
            SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at step " +
                         std::to_string(step));
            Bench failing(GetParam());
            failing.start();
            failing.database.fail_step(step, fault);
            ASSERT_TRUE(failing.put(Bench::plain("m-1")));
            ASSERT_TRUE(failing.put(Bench::reserve("r-1", "SKU-1")));
            failing.world.run_for(seconds(10));
            EXPECT_EQ(failing.processed().size(), 2u);
            for (const auto& asked : failing.rpc.asked) {
                EXPECT_TRUE(asked.method.ends_with("/Reserve")) << "nothing is undone";
            }
            EXPECT_EQ(failing.stats().queue().unfinished(), 0);
        }
    }
}

TEST(Effects, OfABatchThatTheDatabaseRefusesAreTriedApart) {
    Bench bench;
    bench.start(Bench::over_broker());
    for (int i = 1; i <= 8; ++i) {
        TestBroker::Entry entry;
        entry.message.id = "m-" + std::to_string(i);
        entry.message.body = to_json({entry.message.id, 0, "till", "x", {}});
        bench.queues.broker->entries.emplace(static_cast<std::uint64_t>(i), entry);
    }
    bench.database.fail_step(2, Fault::broken);  // the commit of them all
    bench.world.run_for(seconds(1));
    EXPECT_EQ(bench.processed().size(), 8u);
    bench.database.fail_step(2, Fault::broken);
    ASSERT_TRUE(bench.put(Bench::plain("alone")));
    bench.world.run_for(seconds(5));
    EXPECT_EQ(bench.reason("alone"), "statement-failed");
}

// Another processor had the message, too, was refused, and wrote first.
TEST_P(OfEngine, GiveBackAReservationThatTheResultDenies) {
    Bench& one = bench;
    one.start(Bench::over_broker());
    one.rpc.refuse = [&](const std::string& sku) -> std::optional<Error> {
        if (sku != "SKU-1") { return std::nullopt; }
        // While this one asks, the other one writes its result.
        auto write = [&]() -> Task<bool> {
            const auto transaction = co_await one.environment.database.begin(one.context());
            std::vector<Call> calls;
            calls.emplace_back(
                statements::insert_results,
                Row{std::vector<std::string>{"r-1"}, std::vector<std::string>{"SKU-1"},
                    std::vector<std::string>{""}, std::vector<std::string>{"reserve"},
                    std::vector<std::int64_t>{0}, std::vector<std::string>{"insufficient-stock"},
                    std::vector<std::string>{""}, std::vector<std::string>{"nats"}});
            co_return (co_await (*transaction)->commit(std::move(calls))).has_value();
        };
        asio::co_spawn(one.world.executor("other"), write, [](std::exception_ptr, bool) {});
        return std::nullopt;
    };
    ASSERT_TRUE(one.put(Bench::reserve("r-1", "SKU-1")));
    one.world.run_for(seconds(2));
    ASSERT_EQ(one.rpc.asked.size(), 2u);
    EXPECT_TRUE(one.rpc.asked[1].method.ends_with("/Release"));
    EXPECT_FALSE(one.outcome("r-1")->processed().success());
}

}  // namespace
}  // namespace rushproof::processor
