// Goal: latencies are measured from the intended start, and are those that queueing theory
// predicts. Method: whole runs of the driver in virtual time against servers whose answer times
// have closed forms: a server that stalls, M/M/1, M/D/1 and D/D/1; and Little's law from
// independent counters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "simulator/load/tests/fake_shop.hpp"
#include "simulator/load/thresholds.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Serves one request at a time, in order of arrival.
class OneServer {
public:
    explicit OneServer(FakeWorld& world) : world_(world) {}

    Task<Result<HttpResponse>> serve(Duration service_time) {
        const MonotonicTime arrived = world_.monotonic();
        free_at_ = std::max(free_at_, arrived) + service_time;
        const MonotonicTime done = free_at_;
        co_await sleep_until(world_, done);
        ++served_;
        in_system_ += done - arrived;
        co_return stock_of(1);
    }
    void stall_until(MonotonicTime end) { free_at_ = std::max(free_at_, end); }

    std::uint64_t served() const { return served_; }
    Duration time_in_system() const { return in_system_; }

private:
    FakeWorld& world_;
    MonotonicTime free_at_{};
    std::uint64_t served_ = 0;
    Duration in_system_{};
};

Scenario reads(std::int64_t per_second, Duration duration, Arrivals arrivals) {
    Load load;
    load.rate = Rate{per_second * 1'000};
    load.arrivals = arrivals;
    RetryPolicy patient;
    patient.attempt_timeout = seconds(60);
    Scenario scenario = one_load(std::move(load), {ReadStep()}, patient);
    scenario.duration = duration;
    return scenario;
}

double share_off(double measured, double expected) { return measured / expected - 1; }

TEST(Queueing, AStallIsFeltByEveryoneWhoWasMeantToArriveInIt) {
    // An arrival t after the stall begins waits D - t (1 - rho), so the quantile q of a run of
    // length T is D - (1 - q) (1 - rho) T.  A generator that waits for its answers measures a
    // hundredth of that ("coordinated omission").
    constexpr double rho = 0.09;
    constexpr double stall = 1.009;
    constexpr double length = 5;
    for (const Arrivals arrivals : {Arrivals::uniform, Arrivals::poisson}) {
        FakeWorld world;
        OneServer server(world);
        const MonotonicTime begin = world.monotonic() + seconds(2);
        FakeShop shop([&](Context, HttpRequest) {
            if (world.monotonic() >= begin) { server.stall_until(begin + milliseconds(1'009)); }
            return server.serve(microseconds(45));
        });
        const LoadRun run = run_load(world, reads(2'000, seconds(5), arrivals), shop);
        const Histogram latency = summarize(run.metrics, seconds(5)).operations.at(0).latency;
        for (const double q : {0.95, 0.98, 0.99}) {
            const double expected = stall - (1 - q) * (1 - rho) * length;
            const double measured = static_cast<double>(latency.quantile(q)) / 1e9;
            EXPECT_LT(std::abs(share_off(measured, expected)), 0.03) << q << ": " << measured;
        }
    }
}

TEST(Queueing, AClosedLoopHidesTheSameStall) {
    FakeWorld world;
    OneServer server(world);
    const MonotonicTime begin = world.monotonic() + seconds(2);
    FakeShop shop([&](Context, HttpRequest) {
        if (world.monotonic() >= begin) { server.stall_until(begin + milliseconds(1'009)); }
        return server.serve(microseconds(400));
    });
    Load load;
    load.executor = Executor::constant_vus;
    load.vus = 4;
    Scenario scenario = one_load(load, {ReadStep()});
    scenario.duration = seconds(5);
    const LoadRun run = run_load(world, scenario, shop);
    const OperationMetrics reads_made = summarize(run.metrics, seconds(5)).operations.at(0);
    // 4 users who wait 1.6 ms for each other's requests: 2,500 a second, but for the stall.
    EXPECT_NEAR(static_cast<double>(reads_made.started), 2'500 * (5 - 1.009), 10);
    EXPECT_LT(reads_made.latency.quantile(0.99), 2'000'000);
    EXPECT_GT(reads_made.latency.max(), 1'000'000'000);
}

TEST(Queueing, ExponentialServiceHasExponentialResponseTimes) {
    // M/M/1: the response time is exponential with rate mu - lambda.
    constexpr double lambda = 1'000;
    constexpr double mu = 2'500;
    FakeWorld world;
    OneServer server(world);
    RandomStream service = keyed_stream(1, "service");
    FakeShop shop(
        [&](Context, HttpRequest) { return server.serve(service.exponential(microseconds(400))); });
    const LoadRun run = run_load(world, reads(1'000, seconds(60), Arrivals::poisson), shop);
    const Histogram latency = summarize(run.metrics, seconds(60)).operations.at(0).latency;
    for (const double q : {0.5, 0.9, 0.99}) {
        const double expected = -std::log(1 - q) / (mu - lambda);
        const double measured = static_cast<double>(latency.quantile(q)) / 1e9;
        EXPECT_LT(std::abs(share_off(measured, expected)), 0.02) << q << ": " << measured;
    }
}

TEST(Queueing, ConstantServiceHasThePollaczekKhinchineMean) {
    // M/D/1: S (1 + rho / (2 (1 - rho))).
    for (const double rho : {0.4, 0.6}) {
        FakeWorld world;
        OneServer server(world);
        const Duration service(static_cast<std::int64_t>(rho * 1e6));
        FakeShop shop([&](Context, HttpRequest) { return server.serve(service); });
        const LoadRun run = run_load(world, reads(1'000, seconds(20), Arrivals::poisson), shop);
        const double expected = rho * 1e6 * (1 + rho / (2 * (1 - rho)));
        const double measured = summarize(run.metrics, seconds(20)).operations.at(0).latency.mean();
        EXPECT_LT(std::abs(share_off(measured, expected)), 0.03) << rho << ": " << measured;
    }
}

TEST(Queueing, UniformArrivalsBelowCapacityNeverWait) {
    FakeWorld world;
    OneServer server(world);
    FakeShop shop([&](Context, HttpRequest) { return server.serve(microseconds(900)); });
    const LoadRun run = run_load(world, reads(1'000, seconds(5), Arrivals::uniform), shop);
    const OperationMetrics reads_made = summarize(run.metrics, seconds(5)).operations.at(0);
    EXPECT_EQ(reads_made.started, 5'000u);
    EXPECT_EQ(reads_made.latency.min(), 900'000);
    EXPECT_EQ(reads_made.latency.max(), 900'000);
}

TEST(Queueing, LittlesLawHolds) {
    // Time in the system as the server adds it up is the sum of the response times that the
    // generator measured.
    FakeWorld world;
    OneServer server(world);
    RandomStream service = keyed_stream(2, "service");
    FakeShop shop(
        [&](Context, HttpRequest) { return server.serve(service.exponential(microseconds(700))); });
    const LoadRun run = run_load(world, reads(1'000, seconds(5), Arrivals::poisson), shop);
    const OperationMetrics reads_made = summarize(run.metrics, seconds(5)).operations.at(0);
    EXPECT_EQ(reads_made.succeeded, server.served());
    const double from_server =
        static_cast<double>(server.time_in_system().count()) / static_cast<double>(server.served());
    EXPECT_NEAR(reads_made.latency.mean(), from_server, 1);
}

// The clock of a generator whose thread gets no processor for a while.
class BlockedClock final : public Clock {
public:
    BlockedClock(Clock& clock, MonotonicTime begin, MonotonicTime end)
        : clock_(clock), begin_(begin), end_(end) {}

    MonotonicTime monotonic() const override { return clock_.monotonic(); }
    WallTime wall() const override { return clock_.wall(); }
    void wait_until(MonotonicTime at, WaitHandler handler) override {
        clock_.wait_until(at >= begin_ && at < end_ ? end_ : at, std::move(handler));
    }

private:
    Clock& clock_;
    MonotonicTime begin_;
    MonotonicTime end_;
};

TEST(Queueing, TheGeneratorOwnsUpToItsOwnLateness) {
    FakeWorld world;
    FakeShop shop([&](Context, HttpRequest) -> Task<Result<HttpResponse>> {
        co_await sleep_for(world, milliseconds(3));
        co_return stock_of(1);
    });
    const MonotonicTime begin = world.monotonic() + seconds(2);
    BlockedClock blocked(world, begin, begin + milliseconds(50));
    const Scenario scenario = reads(1'000, seconds(5), Arrivals::uniform);
    const LoadRun run = run_load(world, scenario, shop, 1, {}, &blocked);
    ASSERT_EQ(run.metrics.operations.size(), 5'000u);
    // Response time is lag and service time, for each operation, to the nanosecond.
    std::int64_t late = 0;
    for (std::size_t i = 0; i < 5'000; ++i) {
        const OperationSample& operation = run.metrics.operations[i];
        const AttemptSample& attempt = run.metrics.attempts[i];
        EXPECT_EQ(attempt.sent, operation.sent);
        EXPECT_EQ(attempt.done - attempt.sent, 3'000'000);
        const std::int64_t lag = operation.sent - operation.intended;
        const bool in_block =
            operation.intended >= 2'000'000'000 && operation.intended < 2'050'000'000;
        EXPECT_EQ(lag, in_block ? 2'050'000'000 - operation.intended : 0);
        EXPECT_EQ(operation.done - operation.intended, lag + 3'000'000);
        late += in_block ? 1 : 0;
    }
    EXPECT_EQ(late, 50);
    EXPECT_FALSE(generator_doubts(scenario, 1, run.metrics, {}, {}).empty());
    const LoadRun in_time = run_load(world, scenario, shop);
    EXPECT_TRUE(generator_doubts(scenario, 1, in_time.metrics, {}, {}).empty());
}

}  // namespace
}  // namespace rushproof::simulator
