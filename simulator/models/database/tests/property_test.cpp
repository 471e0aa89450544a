// Goal: no interleaving lets conditional decrements oversell or lose an update; a naive read and
// write does both.  Method: 20,000 random interleavings of three buyers, each from its own seed;
// a buyer waits at a gate before every statement, and the seed picks who passes next.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "core/base/assert.hpp"
#include "core/base/keyed_random.hpp"
#include "simulator/models/database/tests/client.hpp"
#include "simulator/models/database/tests/gate.hpp"

namespace rushproof::simulator::example {

namespace {

constexpr std::int64_t initial = 2;
constexpr int buyers = 3;

Row arguments(std::optional<std::int64_t> quantity = std::nullopt) {
    Row row;
    row.emplace_back("A");
    if (quantity) { row.emplace_back(*quantity); }
    return row;
}

class Shop {
public:
    // Units sold beyond what is missing from the stock afterwards: lost updates.
    std::int64_t sell(std::uint64_t seed, bool naive) {
        RandomStream random = keyed_stream(seed, "interleaving");
        bench_.step('z', "set A " + std::to_string(initial));
        sold_ = 0;
        finished_ = 0;
        for (int i = 0; i < buyers; ++i) {
            const bool gives_up = random.below(4) == 0;
            asio::co_spawn(bench_.context, buy(bench_.database->open_session(), naive, gives_up),
                           asio::detached);
        }
        bench_.settle();
        while (turns_.waiting() > 0) {
            turns_.let_pass(random.below(turns_.waiting()));
            bench_.settle();
        }
        EXPECT_EQ(finished_, buyers);
        return sold_ - (initial - left());
    }
    std::int64_t left() const {
        return integer(bench_.database->committed_rows("stock")[0].row, 1);
    }

private:
    Task<Rows> ask(ModelSession& session, const Statement& statement, Row with) {
        co_await turns_.wait();
        std::vector<Call> calls;
        calls.emplace_back(statement, std::move(with));
        const auto result = co_await session.execute(std::move(calls));
        RP_ASSERT(result);
        co_return result->front();
    }

    Task<void> buy(std::unique_ptr<ModelSession> session, bool naive, bool gives_up) {
        RP_ASSERT(session->begin());
        std::int64_t available = 1;
        if (naive) {
            const Rows rows = co_await ask(*session, read, arguments());
            available = integer(rows.rows[0], 1);
        }
        if (available > 0) {
            const Statement& write = naive ? set : take;
            const Rows rows = co_await ask(*session, write, arguments(naive ? available - 1 : 1));
            available = rows.affected;
        }
        co_await turns_.wait();
        if (gives_up) {
            session->rollback();
        } else {
            const auto committed = co_await session->commit();
            RP_ASSERT(committed);
            sold_ += available;
        }
        ++finished_;
    }

    Gate turns_;
    Bench bench_;
    std::int64_t sold_ = 0;
    int finished_ = 0;
};

}  // namespace

TEST(InterleavingProperty, conditional_decrements_neither_oversell_nor_lose_an_update) {
    Shop shop;
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        ASSERT_EQ(shop.sell(seed, false), 0) << "seed " << seed;
        ASSERT_GE(shop.left(), 0) << "seed " << seed;
    }
}

TEST(InterleavingProperty, reading_and_then_writing_loses_updates) {
    Shop shop;
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        if (shop.sell(seed, true) > 0) { ++lost; }
    }
    EXPECT_GT(lost, 50);
}

}  // namespace rushproof::simulator::example
