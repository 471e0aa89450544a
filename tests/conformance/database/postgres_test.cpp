// Goal: PostgreSQL still does what was recorded, and does what the model does on scripts that
// nobody wrote.  Method: every case of cases/ and random ones from seeds run on the server that
// RUSHPROOF_POSTGRES_ADMIN_URL names, one woken session at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/conformance/database/model_engine.hpp"
#include "tests/conformance/database/postgres_engine.hpp"
#include "tests/conformance/database/random_case.hpp"

namespace rushproof::conformance {

namespace {

constexpr std::uint64_t random_cases_of_a_mix = 100;
// Of a case in which time passes: a timeout may come late on a machine that does something else,
// or come before what a case wants to have done by then.  Of any case: the server may be so slow
// that it was not waited for.
constexpr int tries = 5;

bool takes_time(const Case& expected) {
    return std::ranges::any_of(expected.steps,
                               [](const Step& step) { return step.command.starts_with("pass "); });
}

}  // namespace

class PostgresCases : public testing::Test {
protected:
    void SetUp() override {
        const char* connection = std::getenv("RUSHPROOF_POSTGRES_ADMIN_URL");
        if (connection == nullptr) {
            GTEST_SKIP() << "RUSHPROOF_POSTGRES_ADMIN_URL names no server";
        }
        engine_ = std::make_unique<PostgresEngine>(connection);
    }
    void expect_same(const Case& expected) {
        std::string seen = to_text(observe(*engine_, expected));
        const auto may_be_late = [&] {
            return seen != to_text(expected) &&
                   (takes_time(expected) || seen.find("is still busy") != std::string::npos);
        };
        for (int i = 1; i < tries && may_be_late(); ++i) {
            seen = to_text(observe(*engine_, expected));
        }
        EXPECT_EQ(seen, to_text(expected));
    }

    std::unique_ptr<PostgresEngine> engine_;
};

TEST_F(PostgresCases, are_as_recorded) {
    for (const auto& [file, cases] : read_cases("tests/conformance/database/cases")) {
        for (const Case& recorded : cases) { expect_same(recorded); }
    }
}

TEST_F(PostgresCases, drawn_at_random_are_as_on_the_model) {
    ModelEngine model;
    for (const Mix mix : mixes) {
        for (std::uint64_t seed = 1; seed <= random_cases_of_a_mix; ++seed) {
            expect_same(draw_case(mix, seed, model));
        }
    }
}

}  // namespace rushproof::conformance
