// Goal: PostgreSQL still does what was recorded, and does what the model does on scripts that
// nobody wrote.  Method: every case of cases/ and random ones from seeds run on the server that
// RUSHPROOF_POSTGRES_ADMIN_URL names.  Where two woken sessions race, PostgreSQL has several
// answers: a case may be tried five times, ever more patiently.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "tests/conformance/database/model_engine.hpp"
#include "tests/conformance/database/postgres_engine.hpp"
#include "tests/conformance/database/random_case.hpp"

namespace rushproof::conformance {

namespace {

constexpr std::uint64_t random_cases_of_a_mix = 60;
constexpr int tries = 5;
constexpr int undecided_max = 3;

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
    void TearDown() override {
        std::cout << cases_ << " cases, " << again_ << " tried again, " << undecided_
                  << " undecided\n";
    }

    // Which of two woken sessions goes first is luck, on a busy machine the same luck five times;
    // what was recorded has no such race in it.
    enum class Source : std::uint8_t { recorded, drawn };

    void expect_same(const Case& expected, Source source) {
        ++cases_;
        std::set<std::string> seen;
        for (int i = 0; i < tries; ++i) {
            engine_->be_patient(1 + 4 * i);
            const std::string text = to_text(observe(*engine_, expected));
            if (text == to_text(expected)) { return; }
            seen.insert(text);
            ++again_;
        }
        const bool may_race = source == Source::drawn || seen.size() > 1;
        if (may_race && ++undecided_ <= undecided_max) {
            std::cout << "undecided:\n" << *seen.begin() << "on the model:\n" << to_text(expected);
            return;
        }
        EXPECT_EQ(*seen.begin(), to_text(expected));
    }

    std::unique_ptr<PostgresEngine> engine_;
    int cases_ = 0;
    int again_ = 0;
    int undecided_ = 0;
};

TEST_F(PostgresCases, are_as_recorded) {
    for (const auto& [file, cases] : read_cases("tests/conformance/database/cases")) {
        for (const Case& recorded : cases) { expect_same(recorded, Source::recorded); }
    }
}

TEST_F(PostgresCases, drawn_at_random_are_as_on_the_model) {
    ModelEngine model;
    for (const Mix mix : mixes) {
        for (std::uint64_t seed = 1; seed <= random_cases_of_a_mix; ++seed) {
            expect_same(draw_case(mix, seed, model), Source::drawn);
        }
    }
}

}  // namespace rushproof::conformance
