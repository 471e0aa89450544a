// Goal: the model answers, waits and fails as PostgreSQL does.  Method: every script of
// interleavings.hpp is stepped by hand; after each step the model runs until nothing can move.
#include <gtest/gtest.h>

#include "simulator/models/database/tests/client.hpp"
#include "simulator/models/database/tests/interleavings.hpp"

namespace rushproof::simulator::example {

class InterleavingTest : public testing::TestWithParam<Interleaving> {};

TEST_P(InterleavingTest, answers_as_written) {
    Bench bench;
    for (const ScriptLine& line : parse_script(GetParam().script)) {
        EXPECT_EQ(bench.step(line.session, line.command), line.outcome)
            << line.session << ": " << line.command;
    }
}

INSTANTIATE_TEST_SUITE_P(, InterleavingTest,
                         testing::ValuesIn(interleavings().begin(), interleavings().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace rushproof::simulator::example
