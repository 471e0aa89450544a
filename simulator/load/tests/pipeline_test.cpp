// Goal: what users send through the pipeline is recorded as what they can know of it; the audit
// brings every effect into the history in its order; an operator tells how a switch ended.
// Method: one user, one audit or one operator in virtual time against a scripted pipeline.
#include <gtest/gtest.h>

#include <deque>

#include "simulator/load/audit.hpp"
#include "simulator/load/operator.hpp"
#include "simulator/load/pipeline_client.hpp"
#include "simulator/load/tests/describe.hpp"
#include "simulator/load/tests/fake_shop.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

const std::string first_id = message_id_of("flash:0", "flash:0:0");
const std::string reserve_id = message_id_of("flash:0", "flash:0:0", "reserve");

HttpResponse accepted(std::string_view id, int status = 200) {
    return HttpResponse(status,
                        R"({"messageId":")" + std::string(id) + R"(","status":"accepted"})");
}

class PipelineTest : public testing::Test {
protected:
    PipelineTest()
        : shop_([this](Context context, HttpRequest request) {
              return answer(std::move(context), std::move(request));
          }) {}

    // The next answer; an empty one is silence.
    void reply(HttpResponse response) { replies_.emplace_back(std::move(response)); }
    void stay_silent() { replies_.emplace_back(); }

    Lines run(std::vector<Step> steps, std::int64_t retries) {
        RetryPolicy policy;
        policy.on_timeout = true;
        policy.on_unavailable = true;
        policy.max = retries;
        policy.attempt_timeout = milliseconds(200);
        policy.jitter = false;
        Load load;
        load.name = "flash";
        load.rate = Rate{1'000};
        load.arrivals = Arrivals::uniform;
        load.duration = seconds(1);
        run_ = run_load(world_, one_load(std::move(load), std::move(steps), policy), shop_);
        return describe(run_.history);
    }

    Task<Result<HttpResponse>> answer(Context context, HttpRequest request) {
        requests_.push_back(request);
        co_await sleep_for(world_, milliseconds(10));
        if (replies_.empty()) { co_return problem_answer(404, "not-processed"); }
        auto next = std::move(replies_.front());
        replies_.pop_front();
        if (next) { co_return *std::move(next); }
        co_await sleep_until(world_, context.deadline);
        co_return no_answer();
    }

    FakeWorld world_;
    FakeShop shop_;
    LoadRun run_;
    std::deque<std::optional<HttpResponse>> replies_;
    std::vector<HttpRequest> requests_;
};

IngestStep ingest(std::string key) {
    IngestStep step;
    step.key = std::move(key);
    step.bytes = 3;
    return step;
}

ReserveStep queued_reserve() {
    ReserveStep step;
    step.queued = true;
    return step;
}

TEST_F(PipelineTest, ARetryIsTheSameMessage) {
    stay_silent();
    reply(problem_answer(503, "queue-full"));
    reply(accepted(first_id));
    EXPECT_EQ(run({ingest("k")}, 3), (Lines{
                                         "500000000 0 invoke enqueue k " + first_id + " 0",
                                         "870000000 0 ok enqueue k " + first_id + " 0",
                                     }));
    ASSERT_EQ(requests_.size(), 3u);
    for (const HttpRequest& request : requests_) {
        EXPECT_EQ(request.field("idempotency-key"), "flash:0:0");
        EXPECT_EQ(request.field("x-owner"), "flash:0");
        EXPECT_EQ(request.target, "/api/v1/ingest");
        EXPECT_NE(request.body.find(R"("data":"xxx")"), std::string::npos) << request.body;
        EXPECT_NE(request.body.find(R"("key":"k")"), std::string::npos) << request.body;
    }
}

TEST_F(PipelineTest, WhatNobodyAnswersIsUnknownAndWhatIsRefusedIsNot) {
    stay_silent();
    EXPECT_EQ(run({ingest("k")}, 0).back(), "700000000 0 info enqueue k " + first_id + " 0");
    reply(problem_answer(503, "queue-full"));
    EXPECT_EQ(run({ingest("k")}, 0).back().substr(10), "0 fail enqueue k " + first_id + " 0 other");
    // Somebody else's id is no answer to this message.
    reply(accepted("other"));
    EXPECT_EQ(run({ingest("k")}, 0).back().substr(10), "0 info enqueue k " + first_id + " 0");
}

TEST_F(PipelineTest, AKeyPerAttemptMakesAMessagePerAttempt) {
    IngestStep step = ingest("k");
    step.idempotency = KeyPolicy::per_attempt;
    const std::string second_id = message_id_of("flash:0", "flash:0:0:1");
    stay_silent();
    reply(accepted(second_id));
    const Lines lines = run({step}, 1);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[1], "700000000 0 info enqueue k " + first_id + " 0");
    EXPECT_EQ(lines[3].substr(10), "1 ok enqueue k " + second_id + " 0");
}

TEST_F(PipelineTest, AQueuedReserveWaitsForItsResult) {
    reply(accepted(reserve_id, 202));
    reply(problem_answer(404, "not-processed"));
    reply(HttpResponse(200, R"({"messageId":"m","state":"processed","success":true,)"
                            R"("result":{"id":"r-1","state":"held"}})"));
    reply(reservation("r-1"));
    EXPECT_EQ(run({queued_reserve(), ChooseStep{1'000'000, 0}}, 0),
              (Lines{
                  "500000000 0 invoke reserve SKU-1 " + reserve_id + " 1",
                  "500000000 1 invoke enqueue SKU-1 " + reserve_id + " 0",
                  "510000000 1 ok enqueue SKU-1 " + reserve_id + " 0",
                  "540000000 0 ok reserve SKU-1 " + reserve_id + " 1",
                  "540000000 0 invoke confirm SKU-1 " + reserve_id + " 1",
                  "550000000 0 ok confirm SKU-1 " + reserve_id + " 1",
              }));
    EXPECT_EQ(requests_[0].field("prefer"), "respond-async");
    EXPECT_EQ(requests_[1].target, "/api/v1/messages/" + reserve_id);
    EXPECT_EQ(requests_[3].target, "/api/v1/reservations/r-1/confirm");
}

TEST_F(PipelineTest, AQueuedReserveMayBeRefusedOrSetAside) {
    reply(accepted(reserve_id, 202));
    reply(HttpResponse(200, R"({"state":"processed","success":false,)"
                            R"("error":"insufficient-stock"})"));
    EXPECT_EQ(run({queued_reserve()}, 0).back(),
              "520000000 0 fail reserve SKU-1 " + reserve_id + " 1 insufficient");
    // What it was to do may have been done.
    reply(accepted(reserve_id, 202));
    reply(HttpResponse(200, R"({"state":"dead","reason":"too-many-crashes"})"));
    EXPECT_EQ(run({queued_reserve()}, 0).back().substr(10),
              "0 info reserve SKU-1 " + reserve_id + " 1");
    // Never accepted: neither is.
    reply(problem_answer(503, "queue-full"));
    const Lines lines = run({queued_reserve()}, 0);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_NE(lines[2].find("fail reserve"), std::string::npos) << lines[2];
    EXPECT_NE(lines[3].find("fail enqueue"), std::string::npos) << lines[3];
}

class PipelineAuditTest : public PipelineTest {
protected:
    PipelineAuditTest() {
        options_.start = world_.monotonic();
        options_.wall_start = WallTime();
        options_.quiet_from = world_.monotonic();
        options_.deadline = world_.monotonic() + seconds(120);
        options_.pipeline = true;
        Recorder recorder(history_);
        for (const std::string message : {"m-1", "m-2"}) {
            const auto sent =
                recorder.invoke(1, recorder.take_process(), Function::enqueue, "k", message, 0);
            recorder.ok(2, sent);
        }
    }

    static std::string row(int number, std::string_view id, std::string_view time) {
        return R"({"number":)" + std::to_string(number) + R"(,"messageId":")" + std::string(id) +
               R"(","key":"k","processedAt":"1970-01-01T00:00:)" + std::string(time) + R"(Z"})";
    }
    static std::string divergence(std::string_view id, std::string_view lacking) {
        return R"({"messageId":")" + std::string(id) + R"(","lacking":")" + std::string(lacking) +
               R"(","reason":"r","recordedAt":"1970-01-01T00:00:02.000000Z"})";
    }
    static HttpResponse items(const std::string& rows) {
        return HttpResponse(200, R"({"items":[)" + rows + "]}");
    }
    bool run_audit() {
        return world_.finish(audit(world_, shop_, options_, history_)).value().has_value();
    }
    Lines effects() const {
        Lines lines = describe(history_);
        std::erase_if(lines, [](const std::string& line) {
            return line.find(" process ") == std::string::npos;
        });
        return lines;
    }

    AuditOptions options_;
    History history_;
};

TEST_F(PipelineAuditTest, WaitsForWhatWasAcceptedAndKeepsTheOrderOfEffects) {
    reply(items(row(1, "m-2", "05.000000")));
    reply(items(""));
    reply(items(""));
    // The clock of the database went back, the numbers did not.
    reply(items(row(4, "m-1", "04.000000")));
    reply(items(""));
    reply(items(""));
    ASSERT_TRUE(run_audit());
    EXPECT_EQ(effects(), (Lines{
                             "5000000000 effects ok process k m-2 0",
                             "5000000001 effects ok process k m-1 0",
                         }));
    EXPECT_EQ(requests_[3].query("after"), "1");
    EXPECT_TRUE(history_.audited);
    EXPECT_FALSE(history_.compared);
}

TEST_F(PipelineAuditTest, WhatWasSetAsideIsToldAndDivergencesAreAskedFor) {
    options_.parts = {"memory", "nats", "kafka"};
    reply(items(row(1, "m-1", "05.000000")));
    reply(items(""));
    reply(items(R"({"messageId":"m-2","key":"k","deadAt":"1970-01-01T00:00:03.000000Z"})"));
    reply(items(""));
    reply(items(divergence("m-1", "kafka,nats")));
    reply(items(divergence("m-2", "memory,nats,kafka")));
    reply(items(""));
    ASSERT_TRUE(run_audit());
    EXPECT_EQ(requests_[5].query("after"), "m-1");
    EXPECT_EQ(effects(), (Lines{
                             "3000000000 dead-letters invoke process k m-2 0",
                             "3000000000 dead-letters fail process k m-2 0 other",
                             "5000000000 effects ok process k m-1 0",
                         }));
    EXPECT_TRUE(history_.compared);
    ASSERT_EQ(history_.divergences.size(), 2u);
    EXPECT_EQ(history_.divergences[0].on, "memory");
    EXPECT_EQ(history_.divergences[0].missing, "nats,kafka");
    EXPECT_EQ(history_.divergences[0].state, DivergenceState::open);
    EXPECT_EQ(history_.divergences[0].at, 2'000'000'000);
    EXPECT_EQ(history_.divergences[1].on, "none for certain");
}

TEST_F(PipelineAuditTest, WhatNeverComesIsNotWaitedForForEver) {
    const Duration before(world_.monotonic().time_since_epoch());
    for (int i = 0; i < 100; ++i) { reply(items("")); }
    ASSERT_TRUE(run_audit());
    EXPECT_TRUE(effects().empty());
    EXPECT_LT(Duration(world_.monotonic().time_since_epoch()) - before, seconds(17));
}

class OperatorTest : public PipelineTest {
protected:
    static HttpResponse queue(int epoch, std::string_view provider, std::string_view phase,
                              std::string_view switches = "") {
        return HttpResponse(200, R"({"epoch":)" + std::to_string(epoch) + R"(,"provider":")" +
                                     std::string(provider) + R"(","phase":")" + std::string(phase) +
                                     R"(","switches":[)" + std::string(switches) + "]}");
    }
    QueueSwitch operate() {
        SwitchTask task;
        task.id = "move";
        task.to = "nats";
        task.start = world_.monotonic();
        task.deadline = world_.monotonic() + seconds(1);
        return world_.finish(switch_queue(world_, shop_, task)).value();
    }
};

TEST_F(OperatorTest, ASwitchEndsWhenTheRouteIsSteadyAgain) {
    reply(queue(1, "memory", "steady"));
    reply(HttpResponse(202, "{}"));
    reply(queue(2, "nats", "moving"));
    reply(queue(4, "nats", "steady", R"({"carried":35})"));
    const QueueSwitch change = operate();
    EXPECT_EQ(change.outcome, EventType::ok);
    EXPECT_EQ(change.from, "memory");
    EXPECT_EQ(change.epoch, 1);
    EXPECT_EQ(change.carried_over, 35);
    EXPECT_EQ(change.ended - change.began, 60'000'000);
    EXPECT_EQ(evidence_of(change), "switched from memory in 0.060 s, 35 messages carried over");
    // What is not done in time is taken back while somebody still looks.
    EXPECT_EQ(requests_[1].body, R"({"to":"nats","within_ms":742})");
}

TEST_F(OperatorTest, OneThatIsRolledBackOrRefusedHasFailed) {
    reply(queue(1, "memory", "steady"));
    stay_silent();
    reply(queue(5, "memory", "steady", R"({"carried":3,"reason":"nats is away"})"));
    QueueSwitch change = operate();
    EXPECT_EQ(change.outcome, EventType::fail);
    EXPECT_EQ(change.error, "nats is away");

    reply(queue(5, "nats", "steady"));
    reply(problem_answer(409, "already-there", "messages go there already"));
    change = operate();
    EXPECT_EQ(change.outcome, EventType::fail);
    EXPECT_EQ(change.error, "messages go there already");
}

TEST_F(OperatorTest, WithoutAnEndNobodyKnows) {
    reply(queue(1, "memory", "steady"));
    reply(HttpResponse(202, "{}"));
    for (int i = 0; i < 100; ++i) { reply(queue(2, "nats", "draining")); }
    const QueueSwitch change = operate();
    EXPECT_EQ(change.outcome, EventType::info);
    EXPECT_EQ(evidence_of(change), "");
}

}  // namespace
}  // namespace rushproof::simulator
