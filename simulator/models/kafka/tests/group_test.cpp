// Goal: a group gives every partition to one member, waits for those that it has, gives up those
// that are silent, and refuses the offsets of zombies.  Method: members by hand at chosen times.
#include "simulator/models/kafka/group.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

using Partitions = std::set<std::int32_t>;
constexpr MonotonicTime start{};

std::string code(const Result<void>& result) { return result ? "ok" : result.error().code(); }

struct Group {
    explicit Group(std::int32_t partitions = 4, Duration delay = {}) : group(partitions, delay) {}

    std::string join(const std::string& member = "", const Partitions& owned = {},
                     MonotonicTime at = start) {
        return group.join(member, {}, owned, at).value();
    }
    Partitions of(const std::string& member) {
        const auto assignment = group.assignment(member);
        return assignment ? assignment->partitions : Partitions{-1};
    }
    std::string beat(const std::string& member, std::int32_t generation, MonotonicTime at = start) {
        return code(group.heartbeat(member, generation, at));
    }
    std::string commit(const std::string& member, std::int32_t generation,
                       MonotonicTime at = start) {
        return code(group.commit(member, generation, {{0, 5}}, at));
    }

    KafkaGroup group;
};

TEST(KafkaGroup, GivesAllToItsOnlyMember) {
    Group world;
    const auto a = world.join();
    EXPECT_EQ(world.of(a), (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(world.beat(a, 1), "ok");
}

TEST(KafkaGroup, WaitsForFurtherMembersAtFirst) {
    Group world(4, seconds(3));
    const auto a = world.join();
    EXPECT_FALSE(world.group.assignment(a));
    const auto b = world.join();
    world.group.tick(start + seconds(3));
    EXPECT_EQ(world.of(a).size(), 2u);
    EXPECT_EQ(world.of(b).size(), 2u);
    EXPECT_EQ(world.group.generation(), 1);
}

TEST(KafkaGroup, MovesPartitionsInTwoGenerations) {
    Group world;
    const auto a = world.join();
    const auto b = world.join();
    EXPECT_EQ(world.beat(a, 1), "rebalance-in-progress");
    // What it had is still its own, and so are its commits.
    EXPECT_EQ(world.commit(a, 1), "ok");
    world.join(a, {0, 1, 2, 3});
    EXPECT_EQ(world.of(a).size(), 2u);
    EXPECT_EQ(world.of(b), Partitions{});
    const Partitions kept = world.of(a);
    world.join(a, kept);
    world.join(b);
    EXPECT_EQ(world.of(a), kept);
    EXPECT_EQ(world.of(b).size(), 2u);
    EXPECT_EQ(world.group.generation(), 3);
}

TEST(KafkaGroup, DropsWhoIsSilentAndRefusesItsCommits) {
    Group world;
    const auto a = world.join();
    const auto b = world.join();
    world.join(a, {0, 1, 2, 3});
    world.beat(a, 2, start + seconds(30));
    world.group.tick(start + seconds(45));
    EXPECT_FALSE(world.group.has_member(b));
    world.join(a, {0, 1}, start + seconds(45));
    EXPECT_EQ(world.of(a), (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(world.commit(b, 2, start + seconds(46)), "unknown-member");
    EXPECT_EQ(world.beat(b, 2, start + seconds(46)), "unknown-member");
    EXPECT_FALSE(world.group.join(b, {}, {}, start + seconds(46)));
}

TEST(KafkaGroup, RefusesCommitsOfAnOldGeneration) {
    Group world;
    const auto a = world.join();
    world.join(a, {0, 1, 2, 3});
    EXPECT_EQ(world.commit(a, 1), "illegal-generation");
    EXPECT_EQ(world.commit(a, 2), "ok");
    EXPECT_EQ(world.group.committed(), (KafkaOffsets{{0, 5}}));
}

TEST(KafkaGroup, WaitsForAMemberNoLongerThanItsPollInterval) {
    Group world;
    const auto a = world.join();
    const auto b = world.join();
    // It beats, and does not join again: it is busy with what it has.
    for (int i = 0; i <= 5; ++i) {
        const auto at = start + minutes(i) - seconds(1);
        if (i > 0) { world.group.tick(at); }
        for (int s = 0; s < 60; s += 20) {
            EXPECT_EQ(world.beat(a, 1, at + seconds(s)), "rebalance-in-progress");
        }
        EXPECT_EQ(world.of(b), Partitions{-1});
    }
    world.group.tick(start + minutes(5));
    EXPECT_FALSE(world.group.has_member(a));
    EXPECT_EQ(world.of(b), (Partitions{0, 1, 2, 3}));
}

TEST(KafkaGroup, GoesOnWhenAMemberLeaves) {
    Group world;
    const auto a = world.join();
    const auto b = world.join();
    world.join(a, {0, 1, 2, 3});
    const Partitions kept = world.of(a);
    world.join(a, kept);
    world.join(b);
    EXPECT_EQ(world.of(b).size(), 2u);
    world.group.leave(b, start);
    EXPECT_EQ(world.beat(a, world.group.generation()), "rebalance-in-progress");
    world.join(a, kept);
    EXPECT_EQ(world.of(a), (Partitions{0, 1, 2, 3}));
}

TEST(KafkaGroup, IsAgreedUponAgainAfterItsCoordinatorDied) {
    Group world;
    const auto a = world.join();
    world.commit(a, 1);
    const auto late = world.join();  // its rebalance was under way
    world.group.reload(start + minutes(1));
    EXPECT_EQ(world.beat(a, 1, start + minutes(1)), "ok");
    EXPECT_EQ(world.of(a), (Partitions{0, 1, 2, 3}));
    EXPECT_FALSE(world.group.has_member(late));
    EXPECT_EQ(world.group.committed(), (KafkaOffsets{{0, 5}}));
    world.group.tick(start + minutes(1) + seconds(44));
    EXPECT_TRUE(world.group.has_member(a));
}

TEST(KafkaGroup, LosesWithPowerTheOffsetsThatItHadNotSynced) {
    Group world;
    const auto a = world.join();
    world.group.sync();
    world.commit(a, 1);
    world.group.lose_power(start);
    EXPECT_EQ(world.group.committed(), KafkaOffsets{});
}

TEST(KafkaGroup, BalancesForAnyNumberOfMembers) {
    for (std::int32_t partitions = 1; partitions <= 7; ++partitions) {
        for (std::size_t count = 1; count <= 8; ++count) {
            Group world(partitions, seconds(1));
            std::vector<std::string> members;
            for (std::size_t i = 0; i < count; ++i) { members.push_back(world.join()); }
            world.group.tick(start + seconds(1));
            Partitions all;
            std::size_t least = 100;
            std::size_t most = 0;
            for (const auto& member : members) {
                const Partitions has = world.of(member);
                least = std::min(least, has.size());
                most = std::max(most, has.size());
                for (const auto partition : has) { EXPECT_TRUE(all.insert(partition).second); }
            }
            EXPECT_EQ(all.size(), static_cast<std::size_t>(partitions));
            EXPECT_LE(most, least + 1);
        }
    }
}

}  // namespace
}  // namespace rushproof::simulator
