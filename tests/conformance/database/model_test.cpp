// Goal: the model answers, waits and fails as PostgreSQL did, and a model with a mistake would not.
// Method: every case of cases/ runs on the model; what is seen must be what was recorded.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/conformance/database/model_engine.hpp"

namespace rushproof::conformance {

namespace {

struct NamedCase {
    std::string name;
    Case recorded;
};

std::vector<NamedCase> all_cases() {
    std::vector<NamedCase> result;
    for (auto& [file, cases] : read_cases("tests/conformance/database/cases")) {
        for (Case& recorded : cases) {
            std::string name = file + "__" + recorded.name;
            result.push_back({std::move(name), std::move(recorded)});
        }
    }
    return result;
}

void PrintTo(const NamedCase& named, std::ostream* stream) { *stream << named.name; }

}  // namespace

class ModelCase : public testing::TestWithParam<NamedCase> {};

TEST_P(ModelCase, is_as_recorded) {
    ModelEngine engine;
    EXPECT_EQ(to_text(observe(engine, GetParam().recorded)), to_text(GetParam().recorded));
}

// A mistake that no case notices would be one that the suite cannot find.
TEST(ModelMistakes, are_each_found_by_a_case) {
    using simulator::ModelMistake;
    const std::vector<NamedCase> cases = all_cases();
    for (const ModelMistake mistake :
         {ModelMistake::filter_not_checked_again, ModelMistake::repeatable_read_overwrites,
          ModelMistake::sharers_do_not_stop_writers, ModelMistake::skip_locked_waits,
          ModelMistake::insert_ignores_uncommitted_key, ModelMistake::dependency_missed,
          ModelMistake::session_lock_ends_with_transaction}) {
        const auto notices = [mistake](const NamedCase& named) {
            ModelEngine engine(mistake);
            return to_text(observe(engine, named.recorded)) != to_text(named.recorded);
        };
        const auto found = std::count_if(cases.begin(), cases.end(), notices);
        EXPECT_GT(found, 0) << "mistake " << static_cast<int>(mistake);
        std::cout << "mistake " << static_cast<int>(mistake) << ": " << found << " of "
                  << cases.size() << " cases\n";
    }
}

INSTANTIATE_TEST_SUITE_P(, ModelCase, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace rushproof::conformance
