// Goal: every operation of a journey is recorded as what its user can know of it, no more.
// Method: one user in virtual time against a shop whose answers are scripted.
#include "simulator/load/buyer.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "simulator/load/tests/describe.hpp"
#include "simulator/load/tests/fake_shop.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

// One arrival, half a second after the start, of a journey that retries everything.
class OneBuyer : public testing::Test {
protected:
    enum class Reply { works, insufficient, unavailable, conflict, broken, absent, silence };

    static RetryPolicy retry(std::int64_t max) {
        RetryPolicy policy;
        policy.on_timeout = true;
        policy.on_unavailable = true;
        policy.on_conflict = true;
        policy.max = max;
        policy.attempt_timeout = milliseconds(200);
        policy.jitter = false;
        return policy;
    }

    static ReserveStep reserve(KeyPolicy key = KeyPolicy::per_step) {
        ReserveStep step;
        step.key = key;
        step.quantity.min = 2;
        step.quantity.max = 2;
        return step;
    }
    static ThinkStep think(Duration time) {
        ThinkStep step;
        step.time.mean = time;
        return step;
    }
    static ChooseStep always_confirm() { return ChooseStep{1'000'000, 0}; }
    static ChooseStep always_release() { return ChooseStep{0, 1'000'000}; }

    Lines run(std::vector<Step> steps, RetryPolicy policy) {
        Load load;
        load.name = "flash";
        load.rate = Rate{1'000};
        load.arrivals = Arrivals::uniform;
        load.duration = seconds(1);
        load.read_your_writes = !careless_;
        const Scenario scenario = one_load(std::move(load), std::move(steps), policy);
        FakeShop shop([this](Context context, HttpRequest request) {
            return answer(std::move(context), std::move(request));
        });
        run_ = run_load(world_, scenario, shop);
        return describe(run_.history);
    }

    Task<Result<HttpResponse>> answer(Context context, HttpRequest request) {
        // What follows a scripted list works.
        const Reply reply = replies_.empty() ? Reply::works : replies_.front();
        if (!replies_.empty()) { replies_.pop_front(); }
        requests_.push_back(request);
        if (reply == Reply::silence) {
            co_await sleep_until(world_, context.deadline);
            co_return no_answer();
        }
        co_await sleep_for(world_, milliseconds(10));
        switch (reply) {
            case Reply::insufficient: co_return problem_answer(409, "insufficient-stock", refusal_);
            case Reply::unavailable: co_return problem_answer(503, "overloaded");
            case Reply::conflict: co_return problem_answer(409, "conflict");
            case Reply::absent: co_return problem_answer(404, "not-found");
            case Reply::broken: co_return problem_answer(409, "not-held");
            default: break;
        }
        if (request.target.starts_with("/api/v1/stock")) { co_return stock_of(7); }
        HttpResponse response =
            reservation("id-of-" + std::string(request.field("idempotency-key")));
        if (!position_.empty()) { response.fields.emplace_back("rushproof-position", position_); }
        co_return response;
    }

    OperationMetrics metrics(std::size_t index = 0) const {
        return summarize(run_.metrics, seconds(10)).operations.at(index);
    }

    FakeWorld world_;
    LoadRun run_;
    std::string position_;
    bool careless_ = false;
    std::deque<Reply> replies_;
    std::string refusal_ = "SKU-1: not enough is available";
    std::vector<HttpRequest> requests_;
};

TEST_F(OneBuyer, ReadsThinksReservesAndConfirms) {
    const Lines lines =
        run({ReadStep(), think(milliseconds(300)), reserve(), always_confirm()}, retry(0));
    EXPECT_EQ(lines, (Lines{
                         "500000000 0 invoke read SKU-1 - 0",
                         "510000000 0 ok read SKU-1 - 7",
                         "810000000 0 invoke reserve SKU-1 flash:0:2 2",
                         "820000000 0 ok reserve SKU-1 flash:0:2 2",
                         "820000000 0 invoke confirm SKU-1 flash:0:2 2",
                         "830000000 0 ok confirm SKU-1 flash:0:2 2",
                     }));
    EXPECT_EQ(requests_.back().target, "/api/v1/reservations/id-of-flash%3A0%3A2/confirm");
    EXPECT_EQ(requests_[1].field("x-owner"), "flash:0");
    EXPECT_EQ(run_.observed.size(), lines.size());
    EXPECT_EQ(metrics().operation, "reserve");
    EXPECT_EQ(metrics().succeeded, 1u);
    EXPECT_EQ(metrics().latency.max(), 10'000'000);
    EXPECT_EQ(run_.took, Duration(seconds(1)) - milliseconds(170));
}

TEST_F(OneBuyer, ReleasesOrAbandons) {
    EXPECT_EQ(run({reserve(), always_release()}, retry(0)).back(),
              "520000000 0 ok release SKU-1 flash:0:0 2");
    EXPECT_EQ(run({reserve(), ChooseStep()}, retry(0)).size(), 2u);
}

TEST_F(OneBuyer, RefusalIsAnAnswer) {
    replies_ = {Reply::insufficient};
    const Lines lines = run({reserve(), always_confirm()}, retry(3));
    EXPECT_EQ(lines, (Lines{
                         "500000000 0 invoke reserve SKU-1 flash:0:0 2",
                         "510000000 0 fail reserve SKU-1 flash:0:0 2 insufficient",
                     }));
    EXPECT_EQ(metrics().refused, 1u);
    EXPECT_EQ(metrics().failed, 0u);
}

ReserveManyStep basket_of(std::int64_t items) {
    ReserveManyStep step;
    step.items.min = items;
    step.items.max = items;
    return step;
}

// There is one SKU, so the items add up.
TEST_F(OneBuyer, ABasketIsHeldAndConfirmedAsOneReservation) {
    EXPECT_EQ(run({basket_of(3), always_confirm()}, retry(0)),
              (Lines{
                  "500000000 0 invoke basket - flash:0:0 0 [3 SKU-1]",
                  "510000000 0 ok basket - flash:0:0 0 [3 SKU-1]",
                  "510000000 0 invoke confirm - flash:0:0 0",
                  "520000000 0 ok confirm - flash:0:0 0",
              }));
    EXPECT_EQ(requests_[0].target, "/api/v1/baskets");
    EXPECT_EQ(requests_[1].target, "/api/v1/reservations/id-of-flash%3A0%3A0/confirm");
    EXPECT_EQ(metrics().operation, "basket");
    EXPECT_EQ(metrics().succeeded, 1u);
}

TEST_F(OneBuyer, ARefusedBasketTellsOfTheSkuThatTheRefusalNames) {
    replies_ = {Reply::insufficient};
    refusal_ = "SKU-1: not enough is available";
    EXPECT_EQ(run({basket_of(2)}, retry(0)).back(),
              "510000000 0 fail basket SKU-1 flash:0:0 0 [2 SKU-1] insufficient");
    EXPECT_EQ(metrics().refused, 1u);
    replies_ = {Reply::insufficient};
    refusal_ = "SKU-12: not enough is available";
    EXPECT_EQ(run({basket_of(2)}, retry(0)).back(),
              "510000000 0 fail basket - flash:0:0 0 [2 SKU-1] other");
    EXPECT_EQ(metrics().refused, 1u);
}

TEST_F(OneBuyer, ABasketThatIsNotAtomicIsOneReserveAfterTheOther) {
    ReserveManyStep step = basket_of(2);
    step.atomic = false;
    EXPECT_EQ(run({step, always_release()}, retry(0)),
              (Lines{
                  "500000000 0 invoke reserve SKU-1 flash:0:0:0 1",
                  "510000000 0 ok reserve SKU-1 flash:0:0:0 1",
                  "510000000 0 invoke reserve SKU-1 flash:0:0:1 1",
                  "520000000 0 ok reserve SKU-1 flash:0:0:1 1",
                  "520000000 0 invoke release SKU-1 flash:0:0:0 1",
                  "530000000 0 ok release SKU-1 flash:0:0:0 1",
                  "530000000 0 invoke release SKU-1 flash:0:0:1 1",
                  "540000000 0 ok release SKU-1 flash:0:0:1 1",
              }));
}

TEST_F(OneBuyer, FindsAndExtendsWhatItReserved) {
    EXPECT_EQ(run({FindStep(), ExtendStep(), reserve(), ExtendStep(), always_confirm(), FindStep()},
                  retry(0)),
              (Lines{
                  "500000000 0 invoke reserve SKU-1 flash:0:2 2",
                  "510000000 0 ok reserve SKU-1 flash:0:2 2",
                  "510000000 0 invoke extend SKU-1 flash:0:2 2",
                  "520000000 0 ok extend SKU-1 flash:0:2 2",
                  "520000000 0 invoke confirm SKU-1 flash:0:2 2",
                  "530000000 0 ok confirm SKU-1 flash:0:2 2",
                  "530000000 0 invoke find - flash:0:2 0",
                  "540000000 0 ok find - flash:0:2 1",
              }));
    EXPECT_EQ(requests_[1].target, "/api/v1/reservations/id-of-flash%3A0%3A2/extend");
    EXPECT_EQ(requests_[3].target, "/api/v1/reservations/id-of-flash%3A0%3A2");
    replies_ = {Reply::works, Reply::absent};
    EXPECT_EQ(run({reserve(), FindStep()}, retry(0)).back(), "520000000 0 ok find - flash:0:0 0");
    replies_ = {Reply::works, Reply::silence};
    EXPECT_EQ(run({reserve(), FindStep()}, retry(0)).back(),
              "710000000 0 fail find - flash:0:0 0 other");
}

TEST_F(OneBuyer, SendsBackThePositionOfItsLastWrite) {
    position_ = "1f";
    run({ReadStep(), reserve(), FindStep()}, retry(0));
    ASSERT_EQ(requests_.size(), 3u);
    EXPECT_EQ(requests_[0].field("rushproof-position"), "");
    EXPECT_EQ(requests_[2].field("rushproof-position"), "1f");
    requests_.clear();
    careless_ = true;
    run({reserve(), FindStep()}, retry(0));
    EXPECT_EQ(requests_.back().field("rushproof-position"), "");
}

TEST_F(OneBuyer, RetriesAreOneOperationWithOneKey) {
    replies_ = {Reply::unavailable, Reply::conflict, Reply::silence};
    const Lines lines = run({reserve()}, retry(3));
    // 10 + 50 + 10 + 100 + 200 + 200 + 10 ms.
    EXPECT_EQ(lines, (Lines{
                         "500000000 0 invoke reserve SKU-1 flash:0:0 2",
                         "1080000000 0 ok reserve SKU-1 flash:0:0 2",
                     }));
    ASSERT_EQ(requests_.size(), 4u);
    for (const HttpRequest& request : requests_) {
        EXPECT_EQ(request.field("idempotency-key"), "flash:0:0");
    }
    EXPECT_EQ(metrics().started, 1u);
    EXPECT_EQ(metrics().attempts, 4u);
    EXPECT_EQ(metrics().latency.max(), 580'000'000);
    EXPECT_EQ(metrics().service_time.max(), 200'000'000);
}

TEST_F(OneBuyer, RetriesOnlyWhatThePolicyNames) {
    for (const Reply reply : {Reply::unavailable, Reply::conflict, Reply::silence}) {
        RetryPolicy policy = retry(3);
        policy.on_unavailable = reply != Reply::unavailable;
        policy.on_conflict = reply != Reply::conflict;
        policy.on_timeout = reply != Reply::silence;
        replies_ = {reply};
        requests_.clear();
        run({reserve()}, policy);
        EXPECT_EQ(requests_.size(), 1u);
    }
    replies_ = {Reply::broken};
    requests_.clear();
    EXPECT_EQ(run({reserve()}, retry(3)).back(),
              "510000000 0 fail reserve SKU-1 flash:0:0 2 other");
    EXPECT_EQ(requests_.size(), 1u);
    EXPECT_EQ(metrics().failed, 1u);
}

TEST_F(OneBuyer, GivesUpAfterTheLastRetry) {
    replies_ = {Reply::unavailable, Reply::unavailable, Reply::unavailable};
    EXPECT_EQ(run({reserve()}, retry(2)).back(),
              "680000000 0 fail reserve SKU-1 flash:0:0 2 other");
    EXPECT_EQ(metrics().failed, 1u);
    EXPECT_EQ(metrics().attempts, 3u);
}

TEST_F(OneBuyer, WithoutAnAnswerTheUserGoesOnUnderANewNumber) {
    replies_ = {Reply::silence};
    const Lines lines = run({reserve(), ReadStep(), always_confirm()}, retry(0));
    EXPECT_EQ(lines, (Lines{
                         "500000000 0 invoke reserve SKU-1 flash:0:0 2",
                         "700000000 0 info reserve SKU-1 flash:0:0 2",
                         "700000000 1 invoke read SKU-1 - 0",
                         "710000000 1 ok read SKU-1 - 7",
                     }));
    EXPECT_EQ(metrics().unknown, 1u);
}

TEST_F(OneBuyer, ARefusalAfterSilenceProvesNothing) {
    for (const Reply last : {Reply::insufficient, Reply::broken, Reply::unavailable}) {
        replies_ = {Reply::silence, last};
        EXPECT_EQ(run({reserve()}, retry(1)).back(), "760000000 0 info reserve SKU-1 flash:0:0 2");
        EXPECT_EQ(metrics().unknown, 1u);
    }
    replies_ = {Reply::works, Reply::silence, Reply::broken};
    EXPECT_EQ(run({reserve(), always_confirm()}, retry(1)).back(),
              "770000000 0 info confirm SKU-1 flash:0:0 2");
}

TEST_F(OneBuyer, ARefusalAfterKnownFailuresIsOne) {
    replies_ = {Reply::unavailable, Reply::insufficient};
    EXPECT_EQ(run({reserve()}, retry(1)).back(),
              "570000000 0 fail reserve SKU-1 flash:0:0 2 insufficient");
}

TEST_F(OneBuyer, AReadWithoutAnAnswerHadNoEffect) {
    replies_ = {Reply::silence};
    const Lines lines = run({ReadStep(), reserve()}, retry(0));
    EXPECT_EQ(lines[1], "700000000 0 fail read SKU-1 - 0 other");
    EXPECT_EQ(lines[2], "700000000 0 invoke reserve SKU-1 flash:0:1 2");
    EXPECT_EQ(metrics(1).operation, "read");
    EXPECT_EQ(metrics(1).unknown, 1u);
}

TEST_F(OneBuyer, AKeyPerAttemptMakesEachAttemptAnOperation) {
    replies_ = {Reply::silence, Reply::unavailable};
    const Lines lines = run({reserve(KeyPolicy::per_attempt), always_confirm()}, retry(2));
    EXPECT_EQ(lines, (Lines{
                         "500000000 0 invoke reserve SKU-1 flash:0:0 2",
                         "700000000 0 info reserve SKU-1 flash:0:0 2",
                         "750000000 1 invoke reserve SKU-1 flash:0:0:1 2",
                         "760000000 1 fail reserve SKU-1 flash:0:0:1 2 other",
                         "860000000 1 invoke reserve SKU-1 flash:0:0:2 2",
                         "870000000 1 ok reserve SKU-1 flash:0:0:2 2",
                         "870000000 1 invoke confirm SKU-1 flash:0:0:2 2",
                         "880000000 1 ok confirm SKU-1 flash:0:0:2 2",
                     }));
    EXPECT_EQ(metrics().started, 1u);
    EXPECT_EQ(metrics().latency.max(), 370'000'000);
}

TEST_F(OneBuyer, AKeyPerBuyerIsOneReservationHoweverOftenItIsSent) {
    const std::vector<Step> twice = {reserve(KeyPolicy::per_buyer), reserve(KeyPolicy::per_buyer),
                                     always_confirm()};
    EXPECT_EQ(run(twice, retry(0)), (Lines{
                                        "500000000 0 invoke reserve SKU-1 flash:0 2",
                                        "510000000 0 ok reserve SKU-1 flash:0 2",
                                        "520000000 0 invoke confirm SKU-1 flash:0 2",
                                        "530000000 0 ok confirm SKU-1 flash:0 2",
                                    }));
    EXPECT_EQ(requests_.size(), 3u);
    // The first may have worked; the second tells its identifier.
    replies_ = {Reply::silence};
    EXPECT_EQ(run(twice, retry(0)), (Lines{
                                        "500000000 0 invoke reserve SKU-1 flash:0 2",
                                        "700000000 0 info reserve SKU-1 flash:0 2",
                                        "710000000 1 invoke confirm SKU-1 flash:0 2",
                                        "720000000 1 ok confirm SKU-1 flash:0 2",
                                    }));
    // The first certainly had no effect, so the second is an operation.
    replies_ = {Reply::insufficient};
    EXPECT_EQ(run(twice, retry(0)).size(), 6u);
}

TEST_F(OneBuyer, AskingForSomethingElseUnderAKeyIsAnOperation) {
    ReserveStep more = reserve(KeyPolicy::per_buyer);
    more.quantity.min = more.quantity.max = 3;
    const std::vector<Step> both = {reserve(KeyPolicy::per_buyer), more};
    replies_ = {Reply::works, Reply::broken};
    EXPECT_EQ(run(both, retry(0)), (Lines{
                                       "500000000 0 invoke reserve SKU-1 flash:0 2",
                                       "510000000 0 ok reserve SKU-1 flash:0 2",
                                       "510000000 0 invoke reserve SKU-1 flash:0 3",
                                       "520000000 0 fail reserve SKU-1 flash:0 3 other",
                                   }));
    // While nobody knows whether the first worked, it is asked for again.
    replies_ = {Reply::silence};
    EXPECT_EQ(run(both, retry(0)), (Lines{
                                       "500000000 0 invoke reserve SKU-1 flash:0 2",
                                       "700000000 0 info reserve SKU-1 flash:0 2",
                                   }));
    EXPECT_EQ(requests_.back().body, requests_[requests_.size() - 2].body);
}

TEST_F(OneBuyer, NothingStartsAfterTheEndAndWhatRunsHasSomeTimeLeft) {
    RetryPolicy patient = retry(100);
    patient.attempt_timeout = seconds(4);
    replies_ = {Reply::silence, Reply::silence, Reply::silence, Reply::silence, Reply::silence};
    const Lines lines = run({reserve(), ReadStep()}, patient);
    // The scenario ends after 10 s, the patience of the driver after 15 s.
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1], "15000000000 0 info reserve SKU-1 flash:0:0 2");
    EXPECT_EQ(run_.took, Duration(seconds(15)));
    replies_.clear();
    EXPECT_EQ(run({ReadStep(), think(seconds(10)), ReadStep()}, patient).size(), 2u);
    EXPECT_LT(run_.took, Duration(seconds(1)));
}

}  // namespace
}  // namespace rushproof::simulator
