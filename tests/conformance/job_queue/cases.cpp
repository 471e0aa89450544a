// Goal: each job is done, or set aside after its last try, and nothing is lost in between.
// Method: few jobs and one or two workers; where a provider may differ, its bench's traits say so.
#include "tests/conformance/job_queue/cases.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/runtime/scope.hpp"

namespace rushproof::conformance {

namespace {

using std::chrono::milliseconds;

template <class T>
T must(Result<T> result, const std::string& what) {
    if (!result) {
        throw std::runtime_error(what + ": " + result.error().code() + ": " +
                                 result.error().message());
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(result); }
}

}  // namespace

void JobConformance::SetUp() {
    bench_ = GetParam().make();
    if (!bench_) { GTEST_SKIP() << GetParam().name << " is not to be had here"; }
    traits_ = bench_->traits();
}

Task<std::shared_ptr<JobQueue>> JobConformance::open() {
    co_return must(co_await bench_->open(), "open");
}

Task<void> JobConformance::put(JobQueue& queue, std::string id) {
    Job job{id, {}, "body of " + id};
    must(co_await queue.put(patient(), std::move(job)), "put");
}

Task<JobDelivery> JobConformance::take(JobQueue& queue) {
    auto taken = must(co_await queue.take(patient()), "take");
    if (!taken) { throw std::runtime_error("no job came"); }
    co_return *std::move(taken);
}

Task<void> JobConformance::done(JobQueue& queue, JobDelivery delivery) {
    must(co_await queue.done(patient(), delivery.number), "done");
}

Task<void> JobConformance::failed(JobQueue& queue, JobDelivery delivery, std::string reason) {
    must(co_await queue.failed(patient(), delivery.number, std::move(reason)), "failed");
}

Task<std::vector<DeadJob>> JobConformance::dead(JobQueue& queue) {
    co_return must(co_await queue.dead(patient(), 100), "dead");
}

Task<JobStats> JobConformance::stats(JobQueue& queue) {
    co_return must(co_await queue.stats(patient()), "stats");
}

Task<std::string> JobConformance::surplus(JobQueue& queue) {
    auto taken = must(co_await queue.take(within(traits_.quiet)), "take");
    co_return taken ? taken->job.id : std::string();
}

Task<void> JobConformance::wear_out(JobQueue& queue, std::string reason) {
    for (std::int64_t attempt = 1; attempt <= traits_.tries; ++attempt) {
        const JobDelivery delivery = co_await take(queue);
        EXPECT_EQ(delivery.attempt, attempt);
        co_await failed(queue, delivery, reason);
    }
}

Task<std::int64_t> JobConformance::dead_becomes(JobQueue& queue, std::int64_t count) {
    const MonotonicTime end = clock().monotonic() + traits_.patience;
    while (true) {
        const JobStats now = co_await stats(queue);
        if (now.dead == count || clock().monotonic() >= end) { co_return now.dead; }
        co_await sleep_for(clock(), milliseconds(20));
    }
}

namespace {

TEST_P(JobConformance, DoesEachJobOnce) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        std::set<std::string> ids;
        for (const char* id : {"a", "b", "c"}) { co_await put(*queue, id); }
        for (int i = 0; i < 3; ++i) {
            const JobDelivery delivery = co_await take(*queue);
            EXPECT_TRUE(ids.insert(delivery.job.id).second) << delivery.job.id;
            EXPECT_EQ(delivery.job.body, "body of " + delivery.job.id);
            EXPECT_EQ(delivery.attempt, 1);
            co_await done(*queue, delivery);
        }
        const std::string more = co_await surplus(*queue);
        EXPECT_EQ(more, "");
    });
}

TEST_P(JobConformance, CarriesEverythingUnchanged) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        std::string binary;
        for (int i = 0; i < 1024; ++i) { binary += static_cast<char>(i % 256); }
        Job odd{"an id/with: odd characters", {}, binary};
        odd.headers.emplace_back("rushproof-kind", "expire");
        odd.headers.emplace_back("note", "Gr\xc3\xbc\xc3\x9f, \"b\"; c");
        Job empty{"empty", {}, ""};
        must(co_await queue->put(patient(), odd), "put");
        must(co_await queue->put(patient(), empty), "put");
        for (int i = 0; i < 2; ++i) {
            const JobDelivery delivery = co_await take(*queue);
            const Job& sent = delivery.job.id == "empty" ? empty : odd;
            EXPECT_EQ(delivery.job.id, sent.id);
            EXPECT_EQ(delivery.job.body, sent.body);
            EXPECT_EQ(delivery.job.headers, sent.headers);
            co_await done(*queue, delivery);
        }
    });
}

TEST_P(JobConformance, TakeKeepsItsDeadlineAndWaitsForAJob) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const MonotonicTime start = clock().monotonic();
        const std::string more = co_await surplus(*queue);
        EXPECT_EQ(more, "");
        EXPECT_GE(clock().monotonic() - start, traits().quiet);
        Scope scope(spawner());
        auto later = [&]() -> Task<void> {
            co_await sleep_for(clock(), milliseconds(100));
            co_await put(*queue, "late");
        };
        scope.start("putter", later());
        const JobDelivery delivery = co_await take(*queue);
        EXPECT_EQ(delivery.job.id, "late");
        co_await done(*queue, delivery);
        co_await scope.join();
    });
}

TEST_P(JobConformance, TriesAgainAfterItsDelay) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        co_await put(*queue, "a");
        const JobDelivery first = co_await take(*queue);
        const MonotonicTime failed_at = clock().monotonic();
        co_await failed(*queue, first, "no luck");
        co_await put(*queue, "b");
        const JobDelivery other = co_await take(*queue);
        EXPECT_EQ(other.job.id, "b");  // is not held up
        co_await done(*queue, other);
        const JobDelivery second = co_await take(*queue);
        EXPECT_EQ(second.job.id, "a");
        EXPECT_EQ(second.job.body, first.job.body);
        EXPECT_EQ(second.attempt, 2);
        EXPECT_GE(clock().monotonic() - failed_at, traits().retry_delay);
        co_await done(*queue, second);
        const JobStats now = co_await stats(*queue);
        EXPECT_EQ(now.retried, 1u);
    });
}

TEST_P(JobConformance, SetsAsideAfterTheLastTry) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        co_await put(*queue, "bad");
        co_await wear_out(*queue, "hopeless");
        const std::int64_t count = co_await dead_becomes(*queue, 1);
        EXPECT_EQ(count, 1);
        const std::string more = co_await surplus(*queue);
        EXPECT_EQ(more, "");
        for (int look = 0; look < 2; ++look) {  // they stay
            const auto found = co_await dead(*queue);
            EXPECT_EQ(found.size(), 1u);
            if (found.size() != 1) { co_return; }
            EXPECT_EQ(found[0].job.id, "bad");
            EXPECT_EQ(found[0].job.body, "body of bad");
            EXPECT_EQ(found[0].reason, "hopeless");
            EXPECT_EQ(found[0].attempts, traits().tries);
        }
    });
}

TEST_P(JobConformance, RevivesTheOldest) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const bool none = must(co_await queue->revive(patient()), "revive");
        EXPECT_FALSE(none);
        for (const char* id : {"a", "b"}) {
            co_await put(*queue, id);
            co_await wear_out(*queue, "no");
        }
        const std::int64_t two = co_await dead_becomes(*queue, 2);
        EXPECT_EQ(two, 2);
        const bool revived = must(co_await queue->revive(patient()), "revive");
        EXPECT_TRUE(revived);
        const JobDelivery again = co_await take(*queue);
        EXPECT_EQ(again.job.id, "a");
        EXPECT_EQ(again.job.body, "body of a");
        EXPECT_EQ(again.attempt, 1);
        co_await done(*queue, again);
        const std::int64_t one = co_await dead_becomes(*queue, 1);
        EXPECT_EQ(one, 1);
        const auto left = co_await dead(*queue);
        EXPECT_TRUE(left.size() == 1 && left[0].job.id == "b");
    });
}

TEST_P(JobConformance, WorkersShareTheJobs) {
    run([&]() -> Task<void> {
        const auto first = co_await open();
        const auto second = co_await open();
        for (const char* id : {"a", "b"}) { co_await put(*first, id); }
        const JobDelivery one = co_await take(*first);
        const JobDelivery other = co_await take(*second);
        EXPECT_NE(one.job.id, other.job.id);
        co_await done(*second, other);
        co_await done(*first, one);
        const std::string more = co_await surplus(*first);
        EXPECT_EQ(more, "");
    });
}

TEST_P(JobConformance, ADeadWorkersJobComesAgain) {
    if (!traits().workers_die) { GTEST_SKIP() << "its workers live and die together"; }
    run([&]() -> Task<void> {
        const auto first = co_await open();
        auto second = co_await open();
        co_await put(*first, "a");
        const JobDelivery held = co_await take(*second);
        EXPECT_EQ(held.job.id, "a");
        second.reset();
        const JobDelivery again = co_await take(*first);
        EXPECT_EQ(again.job.id, "a");
        co_await done(*first, again);
        const std::string more = co_await surplus(*first);
        EXPECT_EQ(more, "");
    });
}

TEST_P(JobConformance, AnUnknownNumberHarmsNothing) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        co_await put(*queue, "a");
        const JobDelivery held = co_await take(*queue);
        const auto not_done = co_await queue->done(patient(), 987'654'321);
        EXPECT_FALSE(not_done.has_value());
        const auto not_failed = co_await queue->failed(patient(), 987'654'321, "why");
        EXPECT_FALSE(not_failed.has_value());
        co_await done(*queue, held);
        const std::string more = co_await surplus(*queue);
        EXPECT_EQ(more, "");
    });
}

TEST_P(JobConformance, CountsWhatWaits) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        for (const char* id : {"a", "b", "c"}) { co_await put(*queue, id); }
        const JobStats before = co_await stats(*queue);
        EXPECT_EQ(before.waiting, 3);
        EXPECT_EQ(before.dead, 0);
        for (int i = 0; i < 3; ++i) {
            const JobDelivery delivery = co_await take(*queue);
            co_await done(*queue, delivery);
        }
        const JobStats after = co_await stats(*queue);
        EXPECT_EQ(after.waiting, 0);
    });
}

TEST_P(JobConformance, RefusesWhatIsTooLarge) {
    if (traits().job_bytes == 0) { GTEST_SKIP() << "it has no bound of its own"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        Job large{"large", {}, std::string(traits().job_bytes + 1, 'x')};
        const auto refused = co_await queue->put(patient(), std::move(large));
        EXPECT_FALSE(refused.has_value());
        if (!refused) {
            EXPECT_EQ(refused.error().code(), "too-large");
            EXPECT_EQ(refused.error().kind(), ErrorKind::permanent);
        }
    });
}

TEST_P(JobConformance, RefusesMoreThanItsCapacity) {
    if (traits().capacity == 0) { GTEST_SKIP() << "it has no bound that can be reached"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        for (std::size_t i = 0; i < traits().capacity; ++i) {
            co_await put(*queue, "id-" + std::to_string(i));
        }
        Job more{"more", {}, ""};
        const auto refused = co_await queue->put(patient(), more);
        EXPECT_FALSE(refused.has_value());
        if (!refused) { EXPECT_EQ(refused.error().code(), "queue-full"); }
        const JobDelivery delivery = co_await take(*queue);
        co_await done(*queue, delivery);
        must(co_await queue->put(patient(), more), "put");
    });
}

// The acknowledgement of the first one may be lost with the server.
TEST_P(JobConformance, SurvivesAKillAsItsTraitsSay) {
    std::string open_one;
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        for (const char* id : {"a", "b"}) { co_await put(*queue, id); }
        const JobDelivery first = co_await take(*queue);
        co_await done(*queue, first);
        const JobDelivery held = co_await take(*queue);
        EXPECT_NE(held.job.id, first.job.id);
        open_one = held.job.id;
    });
    if (!bench().restart()) { GTEST_SKIP() << "it cannot be killed apart from the suite"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        std::string again;
        while (traits().survives_kill && again != open_one) {
            const JobDelivery delivery = co_await take(*queue);
            EXPECT_NE(delivery.job.id, again);
            again = delivery.job.id;
            co_await done(*queue, delivery);
        }
        const std::string more = co_await surplus(*queue);
        EXPECT_TRUE(more.empty() || (traits().survives_kill && more != open_one)) << more;
    });
}

TEST_P(JobConformance, DoesManyAtOnce) {
    run([&]() -> Task<void> {
        constexpr std::size_t count = 60;
        const auto queue = co_await open();
        std::set<std::string> ended;
        auto put_one = [&](std::size_t number) -> Task<void> {
            co_await put(*queue, "id-" + std::to_string(number));
        };
        // Fails each job once.
        auto work = [&]() -> Task<void> {
            const Context context = patient();
            while (ended.size() < count && clock().monotonic() < context.deadline) {
                const auto taken = must(co_await queue->take(within(traits().quiet)), "take");
                if (!taken) { continue; }
                co_await sleep_for(clock(), milliseconds(1));
                if (taken->attempt == 1) {
                    co_await failed(*queue, *taken, "the first time");
                } else {
                    EXPECT_TRUE(ended.insert(taken->job.id).second) << taken->job.id;
                    co_await done(*queue, *taken);
                }
            }
        };
        Scope scope(spawner());
        for (std::size_t i = 0; i < count; ++i) { scope.start("putter", put_one(i)); }
        for (int i = 0; i < 3; ++i) { scope.start("worker", work()); }
        co_await scope.join();
        EXPECT_EQ(ended.size(), count);
        const JobStats now = co_await stats(*queue);
        EXPECT_EQ(now.waiting, 0);
        EXPECT_EQ(now.dead, 0);
    });
}

}  // namespace
}  // namespace rushproof::conformance
