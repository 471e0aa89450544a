// Goal: SqliteDatabase answers as the model does where one transaction writes at a time: rows,
// errors, and who waits for whom.  Method: the cases of cases/ that mean something there, in the
// order that one writer gives them, and random ones from seeds.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conformance/database/one_writer.hpp"
#include "tests/conformance/database/random_case.hpp"
#include "tests/conformance/database/sqlite_engine.hpp"

namespace rushproof::conformance {

namespace {

constexpr std::uint64_t random_cases = 200;

// SQLite does not refuse a locking read in a read-only transaction, so those cases are left out.
bool applies(const Case& recorded) {
    const bool reads_only = std::ranges::any_of(recorded.steps, [](const Step& step) {
        return step.command.find("read_only") != std::string::npos;
    });
    return std::ranges::all_of(recorded.steps, [&](const Step& step) {
        const bool locks = step.command.find("lock") != std::string::npos ||
                           step.command.find("share") != std::string::npos;
        return has_one_writer(step) && !(reads_only && locks);
    });
}

std::vector<Case> recorded_cases() {
    std::vector<Case> result;
    for (auto& [file, cases] : read_cases("tests/conformance/database/cases")) {
        std::ranges::copy_if(cases, std::back_inserter(result), applies);
    }
    return result;
}

}  // namespace

TEST(SqliteCases, are_as_on_a_model_with_one_writer) {
    OneWriterEngine model;
    SqliteEngine sqlite;
    const std::vector<Case> cases = recorded_cases();
    EXPECT_GT(cases.size(), 150U);
    for (const Case& recorded : cases) {
        const Case expected = rearrange(model, recorded);
        EXPECT_EQ(to_text(observe(sqlite, expected)), to_text(expected));
    }
}

TEST(SqliteCases, drawn_at_random_are_too) {
    OneWriterEngine model;
    SqliteEngine sqlite;
    for (std::uint64_t seed = 1; seed <= random_cases; ++seed) {
        const Case expected = draw_case(Mix::one_writer, seed, model);
        EXPECT_EQ(to_text(observe(sqlite, expected)), to_text(expected));
    }
}

// Cases in which it makes no difference whether two may write at once could not find it.
TEST(SqliteCases, tell_one_writer_from_two) {
    OneWriterEngine one;
    ModelEngine two;
    const auto differs = [&](const Case& recorded) {
        return to_text(rearrange(one, recorded)) != to_text(rearrange(two, recorded));
    };
    EXPECT_GT(std::ranges::count_if(recorded_cases(), differs), 100);
}

}  // namespace rushproof::conformance
