// Goal: keys sort as their values do, indexes find what each snapshot shows, and version chains
// stay short.  Method: a Table by itself, then an engine under one old snapshot.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/models/database/engine.hpp"
#include "simulator/models/database/tests/client.hpp"

namespace rushproof::simulator::example {

namespace {

Value bytes(std::string data) {
    Bytes result;
    result.data = std::move(data);
    return result;
}

Key key(const Table& table, Value first, Value second) {
    Row row;
    row.push_back(std::move(first));
    row.push_back(std::move(second));
    return table.key_of(row);
}

}  // namespace

TEST(TableKeys, sort_as_their_values_do) {
    ModelTable definition;
    definition.name = "pairs";
    definition.columns = {"first", "second"};
    definition.key_columns = 2;
    const Table table(definition);
    const std::string zero("\0", 1);
    const std::vector<Key> keys = {
        key(table, INT64_MIN, ""),
        key(table, std::int64_t{-1}, ""),
        key(table, std::int64_t{0}, ""),
        key(table, std::int64_t{0}, zero),
        key(table, std::int64_t{0}, zero + "a"),
        key(table, std::int64_t{0}, "a"),
        key(table, std::int64_t{0}, "a" + zero),
        key(table, std::int64_t{0}, "aa"),
        key(table, std::int64_t{0}, "\xFF"),
        key(table, INT64_MAX, ""),
        key(table, WallTime(std::chrono::microseconds(-5)), ""),
        key(table, WallTime(std::chrono::microseconds(5)), ""),
        key(table, "", "z"),
        key(table, "a", "z"),
        key(table, "ab", "a"),
        key(table, bytes(""), ""),
        key(table, bytes("a"), ""),
    };
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST(TableNulls, are_no_keys_and_equal_nothing) {
    ModelEngine engine(model_schema(), {});
    Table& table = engine.table("reservation");
    Row row(4);
    row[0] = "ann";
    EXPECT_FALSE(table.key_complete(row));
    row[1] = "1";
    EXPECT_TRUE(table.key_complete(row));
    RowFilter filter;
    filter.columns.push_back(2);
    filter.values.emplace_back();
    EXPECT_FALSE(matches(filter, row));
}

TEST(Vacuum, keeps_one_version_per_row_when_nobody_looks_back) {
    Bench bench;
    for (int i = 0; i < 9; ++i) { bench.step('a', "take A 1"); }
    EXPECT_EQ(bench.database->stored_versions(), 3U);
    bench.step('a', "remove A");
    EXPECT_EQ(bench.database->stored_versions(), 2U);
    bench.step('a', "begin");
    bench.step('a', "put A 1");
    bench.step('a', "take A 1");
    bench.step('a', "remove A");
    bench.step('a', "put A 7");
    bench.step('a', "commit");
    EXPECT_EQ(bench.database->stored_versions(), 3U);
    bench.step('a', "begin");
    bench.step('a', "take A 1");
    bench.step('a', "rollback");
    EXPECT_EQ(bench.database->stored_versions(), 3U);
}

TEST(Vacuum, waits_for_the_oldest_snapshot) {
    Bench bench;
    bench.step('a', "begin repeatable_read");
    bench.step('a', "read A");
    bench.step('b', "take A 1");
    bench.step('b', "take A 1");
    bench.step('b', "remove B");
    bench.step('b', "put B 1");
    bench.step('b', "put D 1");
    EXPECT_EQ(bench.step('a', "read_all"), "A 10, B 10, C 10");
    EXPECT_EQ(bench.database->stored_versions(), 8U);
    bench.step('a', "commit");
    bench.step('b', "take C 1");
    EXPECT_EQ(bench.database->stored_versions(), 4U);
    EXPECT_EQ(bench.step('b', "read_all"), "A 8, B 1, C 9, D 1");
}

TEST(Vacuum, waits_for_a_statement_that_waits_for_a_lock) {
    Bench bench;
    bench.step('a', "begin");
    bench.step('a', "lock A");
    EXPECT_EQ(bench.step('b', "add_all 1"), "waits");
    bench.step('c', "remove C");
    bench.step('c', "put C 5");
    bench.step('c', "take B 1");
    bench.step('a', "commit");
    EXPECT_EQ(bench.step('b', ""), "A 11, B 10");  // the C that it saw is gone
    EXPECT_EQ(bench.database->stored_versions(), 3U);
}

}  // namespace rushproof::simulator::example
