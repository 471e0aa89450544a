// Tests that run with every strategy, on the model database and on our SQL alike.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "services/inventory/tests/bench.hpp"
#include "services/inventory/tests/memory_sqlite.hpp"

namespace rushproof::inventory {

enum class Engine : std::uint8_t { model, sqlite };

class OnEveryEngine : public testing::TestWithParam<std::tuple<Engine, Strategy>> {
protected:
    explicit OnEveryEngine(Options options = {}) : bench_(world_, database(), with(options)) {}

    Database& database() {
        return std::get<Engine>(GetParam()) == Engine::model ? model_.database() : sqlite_;
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    MemorySqlite sqlite_{[this] { return world_.wall(); }};
    Bench bench_;

private:
    static Options with(Options options) {
        options.strategy = std::get<Strategy>(GetParam());
        return options;
    }
};

inline auto every_engine_and_strategy() {
    return testing::Combine(testing::Values(Engine::model, Engine::sqlite),
                            testing::ValuesIn(all_strategies()));
}

// GoogleTest takes no dashes.
inline std::string word_of(Strategy strategy) {
    std::string name(to_string(strategy));
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

inline std::string name_of(const testing::TestParamInfo<OnEveryEngine::ParamType>& info) {
    const bool model = std::get<Engine>(info.param) == Engine::model;
    return (model ? "model_" : "sqlite_") + word_of(std::get<Strategy>(info.param));
}

}  // namespace rushproof::inventory
