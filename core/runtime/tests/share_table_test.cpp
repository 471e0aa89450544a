// Goal: shares are spread evenly, belong to one member at a time, and leave only those who gave
// them back, left, or are silent.
// Method: the decisions alone, with times of the test's own.
#include "core/runtime/share_table.hpp"

#include <gtest/gtest.h>

namespace rushproof {
namespace {

using Shares = std::set<std::size_t>;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime at(Duration time) { return MonotonicTime(seconds(1000) + time); }

TEST(ShareTable, TheFirstTakesAll) {
    const ShareTurn turn = take_turn({}, "a", 4, {}, {});
    EXPECT_EQ(turn.mine, (Shares{0, 1, 2, 3}));
    EXPECT_TRUE(turn.spare.empty());
}

TEST(ShareTable, ASecondOneGetsHalfOnceItIsReleased) {
    ShareTable table = take_turn({}, "a", 4, {}, {}).table;
    const ShareTurn arrives = take_turn(table, "b", 4, {}, {});
    EXPECT_TRUE(arrives.mine.empty());
    ShareTurn owner = take_turn(arrives.table, "a", 4, {}, {});
    EXPECT_EQ(owner.spare, (Shares{2, 3}));
    owner = take_turn(owner.table, "a", 4, {}, {2, 3});
    EXPECT_EQ(owner.mine, (Shares{0, 1}));
    EXPECT_TRUE(owner.spare.empty());
    EXPECT_EQ(take_turn(owner.table, "b", 4, {}, {}).mine, (Shares{2, 3}));
}

TEST(ShareTable, NobodyTakesWhatAnotherOneOwns) {
    ShareTable table;
    for (int round = 0; round < 20; ++round) {
        for (const char* member : {"a", "b", "c"}) {
            const ShareTable before = table;
            const ShareTurn turn = take_turn(table, member, 8, {}, {});
            for (std::size_t share = 0; share < before.owners.size(); ++share) {
                const std::string& owner = before.owners[share];
                if (!owner.empty()) { EXPECT_EQ(turn.table.owners[share], owner); }
            }
            // What is spare is idle, and released at once.
            table = take_turn(turn.table, member, 8, {}, turn.spare).table;
        }
    }
    std::map<std::string, int> owned;
    for (const std::string& owner : table.owners) { ++owned[owner]; }
    EXPECT_EQ(owned.size(), 3u);
    for (const auto& [owner, count] : owned) { EXPECT_LE(count, 3) << owner; }
}

TEST(ShareTable, TheDeadAndThoseWhoLeftLoseTheirs) {
    ShareTable table = take_turn({}, "a", 2, {}, {}).table;
    EXPECT_EQ(take_turn(leave(table, "a"), "b", 2, {}, {}).mine, (Shares{0, 1}));
    const ShareTurn turn = take_turn(table, "b", 2, {"a"}, {});
    EXPECT_EQ(turn.mine, (Shares{0, 1}));
    EXPECT_FALSE(turn.table.members.contains("a"));
}

TEST(ShareTable, TheTableIsText) {
    const ShareTable table = take_turn({}, "a \"quoted\"", 3, {}, {}).table;
    const auto read = read_share_table(write_share_table(table));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, table);
    EXPECT_EQ(*read_share_table(""), ShareTable());
    for (const char* text :
         {"{", "[]", "{\"members\":{}}", "{\"members\":{\"a\":\"x\"},\"owners\":[]}",
          "{\"members\":{},\"owners\":[1]}"}) {
        EXPECT_FALSE(read_share_table(text)) << text;
    }
}

TEST(ShareTable, SilenceIsDeathOnlyWhileWeLook) {
    ShareWatch watch(seconds(4), seconds(1));
    ShareTable table;
    table.members = {{"a", 1}, {"me", 1}};
    for (int tick = 0; tick < 8; ++tick) {
        EXPECT_TRUE(watch.look(table, "me", at(milliseconds(500 * tick))).empty());
    }
    EXPECT_EQ(watch.look(table, "me", at(seconds(4))), std::set<std::string>{"a"});
    // A beat, and it lives.
    ++table.members["a"];
    EXPECT_TRUE(watch.look(table, "me", at(milliseconds(4500))).empty());
    // We were away: it gets the whole time again.
    EXPECT_TRUE(watch.look(table, "me", at(seconds(20))).empty());
    EXPECT_TRUE(watch.look(table, "me", at(milliseconds(20500))).empty());
}

}  // namespace
}  // namespace rushproof
