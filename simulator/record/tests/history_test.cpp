// Goal: texts keep their numbers and are found again, however many there are.
// Method: intern past several growths, in both directions, and compare.
#include "simulator/record/history.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

TEST(TextTable, NumbersTextsInOrderOfAppearance) {
    TextTable table;
    EXPECT_FALSE(table.find("r-0").has_value());
    for (TextId id = 0; id < 5'000; ++id) {
        EXPECT_EQ(table.intern("r-" + std::to_string(id)), id);
    }
    for (TextId id = 0; id < 5'000; ++id) {
        const std::string text = "r-" + std::to_string(id);
        EXPECT_EQ(table.intern(text), id);
        EXPECT_EQ(table.find(text), id);
        EXPECT_EQ(table.text(id), text);
    }
    EXPECT_EQ(table.size(), 5'000u);
    EXPECT_FALSE(table.find("r-5000").has_value());
    EXPECT_EQ(table.intern(""), 5'000u);
}

TEST(TextTable, ACopyIsIndependent) {
    TextTable table;
    table.intern("a");
    TextTable copy = table;
    copy.intern("b");
    EXPECT_EQ(table.size(), 1u);
    EXPECT_EQ(copy.text(*copy.find("a")), "a");
}

TEST(Words, AreReadBack) {
    for (const auto type : {EventType::invoke, EventType::ok, EventType::fail, EventType::info}) {
        EXPECT_EQ(parse_event_type(to_string(type)), type);
    }
    for (const auto function : {Function::reserve, Function::expire, Function::process}) {
        EXPECT_EQ(parse_function(to_string(function)), function);
    }
    EXPECT_FALSE(parse_function("lock").has_value());
    static_assert(sizeof(Event) == 40);
}

}  // namespace
}  // namespace rushproof::simulator
