// Goal: a tape keeps the unusual choices only, survives being written and read, and names the first
// place where a replay leaves it.  Method: a run of a few made-up choices, replayed exactly and
// not.
#include "simulator/world/tape.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

// Choice i: usual 0, drawn i % 3.
std::vector<std::int64_t> choose(Tape& tape, int count, std::string_view site = "schedule",
                                 std::int64_t drawn_below = 3) {
    std::vector<std::int64_t> chosen;
    for (int i = 0; i < count; ++i) {
        chosen.push_back(tape.choose(Duration(i * 10), site, static_cast<std::uint64_t>(i % 2), 0,
                                     i % drawn_below));
    }
    return chosen;
}

TEST(Tape, KeepsWhatIsNotUsual) {
    Tape tape = Tape::recording();
    choose(tape, 5);
    EXPECT_EQ(tape.text(),
              "rushproof-tape 1\n1 10 schedule 1 1\n2 20 schedule 0 2\n4 40 schedule 0 1\n");
}

TEST(Tape, ReplaysWhatItKept) {
    Tape recorded = Tape::recording();
    const auto chosen = choose(recorded, 50);
    Tape replayed = Tape::parse(recorded.text()).value();
    EXPECT_EQ(choose(replayed, 50, "schedule", 1), chosen) << "what is drawn does not matter";
    EXPECT_EQ(replayed.misalignment(true), std::nullopt);
    EXPECT_EQ(replayed.text(), recorded.text());
}

TEST(Tape, NamesTheFirstDifference) {
    Tape recorded = Tape::recording();
    choose(recorded, 50);
    Tape other_site = Tape::parse(recorded.text()).value();
    choose(other_site, 50, "latency");
    EXPECT_EQ(other_site.misalignment(false),
              "the tape expects choice 1 at site schedule about 1 at 10 ns, but the run came to "
              "choice 1 at site latency about 1 at 10 ns");
    Tape shorter = Tape::parse(recorded.text()).value();
    choose(shorter, 40);
    EXPECT_EQ(shorter.misalignment(false), std::nullopt) << "it may still come";
    EXPECT_EQ(shorter.misalignment(true),
              "the tape expects choice 40 at site schedule about 0 at 400 ns, but the run ended "
              "after 40 choices");
}

TEST(Tape, RefusesWhatIsNoTape) {
    EXPECT_EQ(Tape::parse("").error().code(), "bad-tape");
    EXPECT_EQ(Tape::parse("rushproof-tape 2\n").error().code(), "bad-tape");
    for (const char* line : {"1 10 schedule 1", "1 10 schedule 1 x", "a 10 schedule 1 1",
                             "1 10  1 1", "1 10 schedule 1 1 1", "\n"}) {
        const auto tape = Tape::parse(std::string("rushproof-tape 1\n0 0 schedule 0 1\n") + line);
        ASSERT_FALSE(tape) << line;
        EXPECT_NE(tape.error().message().find("line 3"), std::string::npos);
    }
    EXPECT_FALSE(Tape::parse("rushproof-tape 1\n1 0 schedule 0 1\n1 0 schedule 0 1\n"));
}

}  // namespace
}  // namespace rushproof::simulator
