// Goal: arrivals follow their distribution and their rate exactly, and are the same bits
// everywhere. Method: Kolmogorov-Smirnov tests and counts at fixed seeds, integrals by hand, golden
// values.
#include "simulator/load/arrivals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/base/hash.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::seconds;

constexpr std::int64_t per_second = 1000;

Load constant_load(std::int64_t rate_per_second, Arrivals arrivals) {
    Load load;
    load.name = "flash";
    load.rate = Rate{rate_per_second * per_second};
    load.arrivals = arrivals;
    return load;
}

// 0 to 400/s in 2 s, down to 200/s in 20 s, to nothing in 8 s: 400 + 6000 + 800 arrivals.
Load flash_sale(Arrivals arrivals) {
    Load load;
    load.name = "flash";
    load.executor = Executor::ramping_arrival_rate;
    load.start_time = seconds(10);
    load.stages = {
        {400 * per_second, seconds(2)}, {200 * per_second, seconds(20)}, {0, seconds(8)}};
    load.arrivals = arrivals;
    return load;
}

std::vector<Arrival> all(const Load& load, Duration duration, std::uint64_t seed,
                         LoadShare share = {}) {
    ArrivalSchedule schedule(load, duration, seed, share);
    std::vector<Arrival> arrivals;
    while (const auto arrival = schedule.next()) { arrivals.push_back(*arrival); }
    return arrivals;
}

// The Kolmogorov-Smirnov distance from an exponential distribution with mean 1, times sqrt(n):
// above 1.63 in one of a hundred samples.
double distance_from_exponential(std::vector<double> gaps) {
    std::sort(gaps.begin(), gaps.end());
    const auto n = static_cast<double>(gaps.size());
    double distance = 0;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        const double expected = 1 - std::exp(-gaps[i]);
        distance = std::max(distance, std::abs(static_cast<double>(i) / n - expected));
        distance = std::max(distance, std::abs(static_cast<double>(i + 1) / n - expected));
    }
    return distance * std::sqrt(n);
}

// `integral(t)` is how many arrivals are expected until t ns.
double distance(const std::vector<Arrival>& arrivals,
                const std::function<double(std::int64_t)>& integral) {
    std::vector<double> gaps;
    double previous = 0;
    for (const Arrival& arrival : arrivals) {
        gaps.push_back(integral(arrival.at) - previous);
        previous = integral(arrival.at);
    }
    return distance_from_exponential(std::move(gaps));
}

TEST(Arrivals, PoissonGapsAreExponentialAndTheirNumberIsRight) {
    const auto arrivals = all(constant_load(10'000, Arrivals::poisson), seconds(100), 1);
    EXPECT_NEAR(static_cast<double>(arrivals.size()), 1e6, 4 * std::sqrt(1e6));
    EXPECT_LT(distance(arrivals, [](std::int64_t at) { return static_cast<double>(at) / 1e5; }),
              1.63);
}

TEST(Arrivals, PoissonFollowsTheIntegralOfARamp) {
    Load load = constant_load(0, Arrivals::poisson);
    load.executor = Executor::ramping_arrival_rate;
    load.start_rate = Rate{2'000 * per_second};
    load.stages = {{10'000 * per_second, seconds(10)}, {0, seconds(10)}};
    const auto integral = [](std::int64_t at) {
        const double t = static_cast<double>(at) / 1e9;
        if (t <= 10) { return 2'000 * t + 400 * t * t; }
        return 60'000 + 10'000 * (t - 10) - 500 * (t - 10) * (t - 10);
    };
    const auto arrivals = all(load, seconds(20), 1);
    EXPECT_NEAR(static_cast<double>(arrivals.size()), 110'000, 4 * std::sqrt(110'000.0));
    EXPECT_LT(distance(arrivals, integral), 1.63);
}

TEST(Arrivals, UniformOnesStandInTheMiddleOfTheirShareOfTime) {
    const auto arrivals = all(constant_load(1'000, Arrivals::uniform), seconds(2), 1);
    ASSERT_EQ(arrivals.size(), 2'000u);
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
        EXPECT_EQ(arrivals[i].number, i);
        EXPECT_EQ(arrivals[i].at, static_cast<std::int64_t>(i) * 1'000'000 + 500'000);
    }
}

TEST(Arrivals, RampsHaveExactlyTheArrivalsOfTheirIntegral) {
    const auto arrivals = all(flash_sale(Arrivals::uniform), seconds(45), 1);
    ASSERT_EQ(arrivals.size(), 7'200u);
    const auto until = [&](Duration time) {
        return std::count_if(arrivals.begin(), arrivals.end(),
                             [&](const Arrival& arrival) { return arrival.at < time.count(); });
    };
    EXPECT_EQ(until(seconds(10)), 0);
    EXPECT_EQ(until(seconds(11)), 100);
    EXPECT_EQ(until(seconds(12)), 400);
    EXPECT_EQ(until(seconds(32)), 6'400);
    EXPECT_EQ(until(seconds(36)), 7'000);
    // 200 t^2 / 2 = 1/2 arrivals after 0.0707 s.
    EXPECT_EQ(arrivals.front().at, 10'070'710'679);
}

TEST(Arrivals, TheLastRateStays) {
    Load load = flash_sale(Arrivals::uniform);
    load.stages = {{100 * per_second, seconds(2)}};
    EXPECT_EQ(all(load, seconds(15), 1).size(), 100u + 300u);
    load.stages.clear();
    load.start_rate = Rate{7 * per_second};
    EXPECT_EQ(all(load, seconds(15), 1).size(), 35u);
}

TEST(Arrivals, EndWithTheLoadOrTheRunWhicheverIsFirst) {
    Load load = constant_load(100, Arrivals::uniform);
    load.start_time = seconds(3);
    load.duration = seconds(2);
    EXPECT_EQ(all(load, seconds(10), 1).size(), 200u);
    EXPECT_EQ(all(load, seconds(4), 1).size(), 100u);
    EXPECT_EQ(all(load, seconds(2), 1).size(), 0u);
    EXPECT_EQ(all(constant_load(0, Arrivals::poisson), seconds(10), 1).size(), 0u);
}

TEST(Arrivals, ALongerRunOnlyAddsSome) {
    const Load load = constant_load(100, Arrivals::poisson);
    const auto shorter = all(load, seconds(10), 1);
    const auto longer = all(load, seconds(20), 1);
    ASSERT_GT(longer.size(), shorter.size());
    for (std::size_t i = 0; i < shorter.size(); ++i) { EXPECT_EQ(shorter[i].at, longer[i].at); }
}

TEST(Arrivals, SharesAreDisjointAndMakeUpTheWhole) {
    for (const Arrivals kind : {Arrivals::poisson, Arrivals::uniform}) {
        const Load load = flash_sale(kind);
        const auto whole = all(load, seconds(45), 5);
        std::vector<Arrival> joined;
        for (std::uint32_t part = 0; part < 3; ++part) {
            const auto share = all(load, seconds(45), 5, LoadShare{part, 3});
            joined.insert(joined.end(), share.begin(), share.end());
        }
        std::sort(joined.begin(), joined.end(),
                  [](const Arrival& a, const Arrival& b) { return a.number < b.number; });
        ASSERT_EQ(joined.size(), whole.size());
        for (std::size_t i = 0; i < whole.size(); ++i) {
            EXPECT_EQ(joined[i].number, whole[i].number);
            EXPECT_EQ(joined[i].at, whole[i].at);
        }
    }
}

TEST(Arrivals, AShareOfAPoissonLoadIsPoisson) {
    for (std::uint32_t part = 0; part < 4; ++part) {
        const auto arrivals =
            all(constant_load(10'000, Arrivals::poisson), seconds(20), 9, LoadShare{part, 4});
        EXPECT_NEAR(static_cast<double>(arrivals.size()), 50'000, 4 * std::sqrt(50'000.0));
        // Four samples: each may be above 1.83 in one of four hundred cases.
        EXPECT_LT(distance(arrivals, [](std::int64_t at) { return static_cast<double>(at) / 4e5; }),
                  1.83);
    }
}

TEST(Arrivals, TheLargestRateAndDurationDoNotOverflow) {
    Load load = constant_load(0, Arrivals::uniform);
    load.executor = Executor::ramping_arrival_rate;
    load.stages = {{arrival_rate_max, load_duration_max}};
    ArrivalSchedule schedule(load, load_duration_max, 1);
    std::int64_t previous = -1;
    for (int i = 0; i < 1'000; ++i) {
        const auto arrival = schedule.next();
        ASSERT_TRUE(arrival);
        ASSERT_GT(arrival->at, previous);
        previous = arrival->at;
    }
    // rate * t^2 / (2 * duration) = 999.5
    const double duration = 39.0 * 3600;
    EXPECT_NEAR(static_cast<double>(previous) / 1e9,
                std::sqrt(2 * 999.5 * duration / 2'147'483.648), 1e-6);
}

TEST(Arrivals, GoldenValuesNeverChange) {
    const auto poisson = all(constant_load(1'000, Arrivals::poisson), seconds(10), 7);
    std::uint64_t hash = 0;
    for (const Arrival& arrival : poisson) {
        hash = combine64(hash, static_cast<std::uint64_t>(arrival.at));
    }
    EXPECT_EQ(poisson.size(), 9'909u);
    EXPECT_EQ(hash, 8864675758474834432u);
    hash = 0;
    for (const Arrival& arrival : all(flash_sale(Arrivals::poisson), seconds(45), 7)) {
        hash = combine64(hash, static_cast<std::uint64_t>(arrival.at));
    }
    EXPECT_EQ(hash, 16153744711651031206u);
}

}  // namespace
}  // namespace rushproof::simulator
