// Goal: work of one key keeps its order and is with one worker at a time, whatever the workers do;
// what a process may have died of is handled alone.  Method: many keys, workers that take and give
// back at random.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "core/base/keyed_random.hpp"
#include "services/processor/domain/lanes.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {
namespace {

Work work_of(const std::string& key, int number, std::int64_t attempt = 1,
             std::string_view kind = plain_kind) {
    Work work;
    work.id = key + "-" + std::to_string(number);
    work.key = key;
    work.kind = kind;
    work.delivery.number = static_cast<std::uint64_t>(number);
    work.delivery.attempt = attempt;
    return work;
}

TEST(Lanes, KeepTheOrderOfEachKeyWhoeverTakesThem) {
    Lanes lanes(8);
    RandomStream random = keyed_stream(1, "lanes");
    std::map<std::string, std::uint64_t> last;
    std::vector<Batch> under_way;
    int added = 0;
    std::size_t done = 0;
    while (done < 5'000) {
        const auto choice = random.below(3);
        if (choice == 0 && added < 5'000) {
            const std::string key = "k" + std::to_string(random.below(20));
            lanes.add(work_of(key, ++added));
        } else if (choice == 1 && under_way.size() < 4) {
            Batch batch = lanes.take(4);
            if (!batch.empty()) { under_way.push_back(std::move(batch)); }
        } else if (!under_way.empty()) {
            const std::size_t index = random.below(under_way.size());
            std::set<std::string> elsewhere;
            for (std::size_t i = 0; i < under_way.size(); ++i) {
                if (i == index) { continue; }
                for (const Work& work : under_way[i].work) { elsewhere.insert(work.key); }
            }
            for (const Work& work : under_way[index].work) {
                EXPECT_FALSE(elsewhere.contains(work.key)) << "a key with two workers";
                EXPECT_LT(last[work.key], work.delivery.number) << work.key;
                last[work.key] = work.delivery.number;
            }
            done += under_way[index].work.size();
            lanes.give_back(under_way[index].lanes);
            under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(index));
        }
    }
    EXPECT_EQ(lanes.waiting(), 0u);
    EXPECT_FALSE(lanes.has_work());
}

TEST(Lanes, GiveAWorkerEverythingThatNeedsNoCall) {
    Lanes lanes(64);
    for (int i = 1; i <= 100; ++i) { lanes.add(work_of("k" + std::to_string(i), i)); }
    EXPECT_EQ(lanes.take(4).work.size(), 100u);
    EXPECT_TRUE(lanes.take(4).empty());
}

TEST(Lanes, ShareWhatNeedsCallsAmongWorkers) {
    Lanes lanes(64);
    for (int i = 1; i <= 8; ++i) { lanes.add(work_of("k" + std::to_string(i), i, 1, "reserve")); }
    EXPECT_EQ(lanes.take(4).work.size(), 2u);
    lanes.add(work_of("plain", 9));
    for (const Work& work : lanes.take(1).work) { EXPECT_TRUE(work.needs_call()); }
}

TEST(Lanes, HandleASuspectAlone) {
    Lanes lanes(64);
    lanes.add(work_of("a", 1, limits::deliveries_unsuspected + 1));
    lanes.add(work_of("a", 2));
    lanes.add(work_of("b", 3));
    const Batch suspect = lanes.take(1);
    ASSERT_EQ(suspect.work.size(), 1u);
    EXPECT_EQ(suspect.work[0].id, "a-1");
    EXPECT_EQ(lanes.take(1).work.size(), 1u) << "lane a is taken";
    lanes.give_back(suspect.lanes);
    EXPECT_EQ(lanes.take(1).work.at(0).id, "a-2");
}

TEST(Lanes, LetOnlyATransactionGrow) {
    Lanes lanes(64);
    EXPECT_FALSE(lanes.can_grow());
    lanes.add(work_of("a", 1));
    EXPECT_TRUE(lanes.can_grow());
    const Batch taken = lanes.take(1);
    lanes.add(work_of("a", 2));
    EXPECT_FALSE(lanes.can_grow()) << "the lane is taken";
    lanes.give_back(taken.lanes);
    EXPECT_TRUE(lanes.can_grow());
    for (std::size_t i = 0; i < limits::batch; ++i) { lanes.add(work_of("a", 3)); }
    EXPECT_FALSE(lanes.can_grow()) << "it is full";

    Lanes calls(64);
    calls.add(work_of("a", 1, 1, "reserve"));
    EXPECT_FALSE(calls.can_grow());
    Lanes suspects(64);
    suspects.add(work_of("a", 1, limits::deliveries_unsuspected + 1));
    EXPECT_FALSE(suspects.can_grow());
}

TEST(Lanes, SpreadWhatHasNoKey) {
    Lanes lanes(64);
    for (int i = 1; i <= 200; ++i) {
        Work work = work_of("", i);
        work.id = "id-" + std::to_string(i);
        lanes.add(std::move(work));
    }
    const Batch batch = lanes.take(1);
    EXPECT_GT(batch.lanes.size(), 40u);
}

}  // namespace
}  // namespace rushproof::processor
