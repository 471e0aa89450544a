// Goal: the Database port on the model commits what was committed and nothing else.
// Method: two transactions through the port, one of them dropped.
#include "simulator/models/database/direct_database.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "simulator/models/database/tests/client.hpp"

namespace rushproof::simulator::example {

namespace {

std::vector<Call> take_one(std::string sku) {
    Row arguments;
    arguments.emplace_back(std::move(sku));
    arguments.emplace_back(std::int64_t{1});
    std::vector<Call> calls;
    calls.emplace_back(take, std::move(arguments));
    return calls;
}

Task<void> buy_and_change_ones_mind(Database& database) {
    const Context context{MonotonicTime::max()};
    {
        const auto transaction = co_await database.begin(context);
        EXPECT_TRUE(co_await (*transaction)->execute(take_one("A")));
        EXPECT_TRUE(co_await (*transaction)->commit(take_one("B")));
    }
    const auto transaction = co_await database.begin(context);
    EXPECT_TRUE(co_await (*transaction)->execute(take_one("C")));
}

}  // namespace

TEST(DirectDatabase, keeps_committed_work_and_drops_the_rest) {
    Bench bench;
    DirectDatabase database(*bench.database);
    asio::co_spawn(bench.context, buy_and_change_ones_mind(database), asio::detached);
    EXPECT_EQ(bench.step('a', "take C 1"), "C 9");
    EXPECT_EQ(bench.step('a', "read_all"), "A 9, B 9, C 9");
}

}  // namespace rushproof::simulator::example
