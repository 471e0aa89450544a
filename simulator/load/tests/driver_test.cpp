// Goal: loads start the users that the scenario plans, no more at once than it allows, and neither
// threads nor other loads change what a load does.
// Method: whole runs in virtual time against shops with simple answer times.
#include "simulator/load/driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <stdexcept>

#include "core/base/hash.hpp"
#include "simulator/load/tests/describe.hpp"
#include "simulator/load/tests/fake_shop.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<Result<HttpResponse>> after(Clock& clock, Duration duration, HttpResponse response) {
    co_await sleep_for(clock, duration);
    co_return response;
}

Load users(std::int64_t count) {
    Load load;
    load.executor = Executor::constant_vus;
    load.vus = count;
    return load;
}

Load arrivals(std::string name, std::int64_t per_second, Arrivals kind = Arrivals::poisson) {
    Load load;
    load.name = std::move(name);
    load.rate = Rate{per_second * 1'000};
    load.arrivals = kind;
    return load;
}

// Reads, thinks, reserves one of many SKUs, and chooses: every kind of draw.
Scenario busy_scenario() {
    ThinkStep think;
    think.time.kind = DrawKind::lognormal;
    think.time.mean = milliseconds(100);
    think.time.sigma = 0.5;
    ReserveStep reserve;
    reserve.quantity.values = {{1, 700'000}, {3, 300'000}};
    RetryPolicy retry;
    retry.on_timeout = true;
    retry.on_unavailable = true;
    retry.max = 3;
    retry.attempt_timeout = milliseconds(30);
    Scenario scenario = one_load(arrivals("flash", 200),
                                 {ReadStep(), think, reserve, ChooseStep{600'000, 200'000}}, retry);
    scenario.duration = seconds(3);
    scenario.stock.skus = 100;
    scenario.popularity.kind = PopularityKind::zipf;
    return scenario;
}

// Answers by the request alone: late, in time, busy, sold out.
Task<Result<HttpResponse>> moody(FakeWorld& world, Context context, HttpRequest request) {
    std::uint64_t mood = hash64(request.target, hash64(request.field("idempotency-key")));
    mood =
        combine64(mood, static_cast<std::uint64_t>(world.monotonic().time_since_epoch().count()));
    if (mood % 10 == 0) {
        co_await sleep_until(world, context.deadline);
        co_return no_answer();
    }
    co_await sleep_for(world, Duration(static_cast<std::int64_t>(mood % 20'000'000)));
    if (mood % 10 == 1) { co_return problem_answer(503, "overloaded"); }
    if (mood % 10 == 2) { co_return problem_answer(409, "insufficient-stock"); }
    if (request.method == "GET") { co_return stock_of(1); }
    co_return reservation(request.field("idempotency-key"));
}

// What a load did, as lines that do not depend on the numbers of processes.
std::multiset<std::string> deeds(const LoadRun& run, const std::string& load) {
    std::multiset<std::string> lines;
    for (const Event& event : run.history.events) {
        if (event.subject == no_text) { continue; }
        const std::string line = describe(run.history, event);
        if (line.find(' ' + load + ':') == std::string::npos) { continue; }
        const auto process = line.find(' ');
        lines.insert(line.substr(0, process) + line.substr(line.find(' ', process + 1)));
    }
    return lines;
}

TEST(Driver, ConstantUsersHaveOneRequestEachAtATime) {
    FakeWorld world;
    int in_flight = 0;
    int most = 0;
    FakeShop shop([&](Context, HttpRequest) -> Task<Result<HttpResponse>> {
        most = std::max(most, ++in_flight);
        co_await sleep_for(world, milliseconds(10));
        --in_flight;
        co_return stock_of(1);
    });
    Scenario scenario = one_load(users(3), {ReadStep()});
    scenario.duration = seconds(1);
    const LoadRun run = run_load(world, scenario, shop);
    EXPECT_EQ(most, 3);
    EXPECT_EQ(run.metrics.operations.size(), 300u);
    EXPECT_EQ(run.history.texts.find("3"), std::nullopt);
    EXPECT_TRUE(run.metrics.arrivals.empty());
    EXPECT_EQ(run.took, Duration(seconds(1)));
}

TEST(Driver, UsersWhoAreTurnedAwayDoNotComeBackAtOnce) {
    FakeWorld world;
    int requests = 0;
    FakeShop shop([&](Context, HttpRequest) -> Task<Result<HttpResponse>> {
        ++requests;
        co_return failure(ErrorKind::retryable, "unavailable", "nobody listens");
    });
    Scenario scenario = one_load(users(1), {ReadStep()});
    scenario.duration = seconds(1);
    run_load(world, scenario, shop);
    EXPECT_EQ(requests, 20);
    // Users with nothing to do pass the time all the same.
    scenario.journeys[0].steps = {ChooseStep{1'000'000, 0}};
    EXPECT_EQ(run_load(world, scenario, shop).took, Duration(seconds(1)));
}

TEST(Driver, ArrivalsDoNotWaitForAnswers) {
    FakeWorld world;
    FakeShop shop([&](Context, HttpRequest) { return after(world, seconds(2), stock_of(1)); });
    RetryPolicy patient;
    patient.attempt_timeout = seconds(5);
    Scenario scenario = one_load(arrivals("load", 100, Arrivals::uniform), {ReadStep()}, patient);
    scenario.duration = seconds(1);
    const LoadRun run = run_load(world, scenario, shop);
    ASSERT_EQ(run.metrics.operations.size(), 100u);
    for (std::size_t i = 0; i < 100; ++i) {
        const OperationSample& sample = run.metrics.operations[i];
        EXPECT_EQ(sample.intended, static_cast<std::int64_t>(i) * 10'000'000 + 5'000'000);
        EXPECT_EQ(sample.sent, sample.intended);
        EXPECT_EQ(sample.done - sample.intended, 2'000'000'000);
    }
    EXPECT_EQ(run.took, Duration(milliseconds(2'995)));
}

TEST(Driver, ArrivalsBeyondTheLimitAreShedAndCounted) {
    FakeWorld world;
    FakeShop shop([&](Context, HttpRequest) { return after(world, seconds(2), stock_of(1)); });
    RetryPolicy patient;
    patient.attempt_timeout = seconds(5);
    Scenario scenario = one_load(arrivals("load", 100, Arrivals::uniform), {ReadStep()}, patient);
    scenario.duration = seconds(4);
    scenario.loads[0].max_in_flight = 30;
    const LoadRun run = run_load(world, scenario, shop);
    const RunMetrics metrics = summarize(run.metrics, scenario.duration);
    EXPECT_EQ(metrics.arrivals, 400u);
    // 30 are served at once, and again 2 s later; an answer comes before the arrival of its moment.
    EXPECT_EQ(metrics.operations.at(0).started, 60u);
    EXPECT_EQ(metrics.shed, 340u);
}

TEST(Driver, LoadsOfOneRunDoNotDisturbEachOther) {
    const auto lines_of = [&](const Scenario& scenario, std::uint64_t seed) {
        FakeWorld world;
        FakeShop shop([&](Context context, HttpRequest request) {
            return moody(world, std::move(context), std::move(request));
        });
        return deeds(run_load(world, scenario, shop, seed), "flash");
    };
    const Scenario alone = busy_scenario();
    Scenario both = alone;
    Load other = alone.loads[0];
    other.name = "background";
    both.loads.insert(both.loads.begin(), other);
    EXPECT_GT(lines_of(alone, 1).size(), 1'000u);
    EXPECT_EQ(lines_of(alone, 1), lines_of(both, 1));
    EXPECT_NE(lines_of(alone, 1), lines_of(alone, 2));
}

TEST(Driver, ThreadsShareALoadWithoutChangingIt) {
    const Scenario scenario = busy_scenario();
    const auto run_share = [&](LoadShare share) {
        FakeWorld world;
        FakeShop shop([&](Context context, HttpRequest request) {
            return moody(world, std::move(context), std::move(request));
        });
        return run_load(world, scenario, shop, 1, share);
    };
    const LoadRun whole = run_share({});
    std::vector<History> histories;
    LoadMetrics metrics;
    for (std::uint32_t part = 0; part < 3; ++part) {
        LoadRun run = run_share(LoadShare{part, 3});
        histories.push_back(std::move(run.history));
        metrics.merge(run.metrics);
    }
    LoadRun joined;
    joined.history = merge_histories(std::move(histories));
    EXPECT_EQ(deeds(joined, "flash"), deeds(whole, "flash"));
    const RunMetrics from_parts = summarize(metrics, scenario.duration);
    const RunMetrics from_whole = summarize(whole.metrics, scenario.duration);
    EXPECT_EQ(from_parts.arrivals, from_whole.arrivals);
    ASSERT_EQ(from_parts.operations.size(), from_whole.operations.size());
    for (std::size_t i = 0; i < from_whole.operations.size(); ++i) {
        const OperationMetrics& part = from_parts.operations[i];
        const OperationMetrics& one = from_whole.operations[i];
        EXPECT_EQ(part.attempts, one.attempts);
        EXPECT_EQ(part.latency.quantile(0.99), one.latency.quantile(0.99));
        ASSERT_EQ(part.slices.size(), one.slices.size());
        EXPECT_EQ(part.slices.back().p99, one.slices.back().p99);
    }
}

TEST(Driver, ARunIsTheSameBitsEverywhere) {
    FakeWorld world;
    FakeShop shop([&](Context context, HttpRequest request) {
        return moody(world, std::move(context), std::move(request));
    });
    const LoadRun run = run_load(world, busy_scenario(), shop, 7);
    std::uint64_t hash = 0;
    for (const std::string& line : describe(run.history)) { hash = hash64(line, hash); }
    EXPECT_EQ(run.history.events.size(), 3'010u);
    EXPECT_EQ(hash, 10217474265247957920u);
}

// Leaks and touches of freed memory are for the sanitizers to report.
TEST(Driver, ACrashInTheMiddleLeavesNothing) {
    const Scenario scenario = busy_scenario();
    History history;
    std::unique_ptr<Driver> driver;
    {
        FakeWorld world;
        FakeShop shop([&](Context context, HttpRequest request) {
            return moody(world, std::move(context), std::move(request));
        });
        Recorder recorder(history);
        DriverOptions options;
        options.start = world.monotonic();
        driver =
            std::make_unique<Driver>(scenario, options, ClientWorld{world, world, shop}, recorder);
        asio::co_spawn(world.executor("run"), driver->run(),
                       [](const std::exception_ptr&) { ADD_FAILURE() << "the run ended"; });
        world.run_for(seconds(1));
    }
    EXPECT_GT(history.events.size(), 100u);
}

TEST(Driver, RefusesLoadsThatNameNothing) {
    FakeWorld world;
    FakeShop shop([&](Context, HttpRequest) { return after(world, seconds(1), stock_of(1)); });
    Scenario scenario = one_load(users(1), {ReadStep()});
    scenario.loads[0].journey = "elsewhere";
    EXPECT_THROW(run_load(world, scenario, shop), std::invalid_argument);
    scenario.loads[0].journey = "journey";
    scenario.stock.skus = 0;
    EXPECT_THROW(run_load(world, scenario, shop), std::invalid_argument);
}

}  // namespace
}  // namespace rushproof::simulator
