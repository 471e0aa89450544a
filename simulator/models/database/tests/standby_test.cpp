// Goal: a standby shows a past of its primary, never a mixture; promoted, it has lost exactly what
// it had not replayed, while the old primary goes on.  Method: two databases stepped by hand.
#include <gtest/gtest.h>

#include "simulator/models/database/limits.hpp"
#include "simulator/models/database/tests/client.hpp"
#include "simulator/models/database/tests/gate.hpp"

namespace rushproof::simulator::example {

class StandbyTest : public testing::Test {
protected:
    ~StandbyTest() override { standby.reset(); }

    std::string on_primary(std::string command) { return primary.step('a', std::move(command)); }
    std::string on_standby(std::string command) { return ask(reader, std::move(command)); }
    std::string ask(Client& client, std::string command) {
        client.submit(std::move(command));
        primary.settle();
        return client.outcome();
    }

    Bench primary;
    std::unique_ptr<ModelDatabase> standby =
        std::make_unique<ModelDatabase>(model_schema(), ModelOptions{}, *primary.database);
    Client reader{primary.context, *standby};
};

TEST_F(StandbyTest, shows_what_it_has_replayed) {
    EXPECT_EQ(on_standby("read_all"), "none");
    EXPECT_EQ(standby->behind(), 3U);
    EXPECT_EQ(standby->replay(2), 2U);
    EXPECT_EQ(on_standby("read_all"), "A 10, B 10");
    EXPECT_EQ(standby->replay(), 1U);
    on_primary("take A 1");
    on_primary("remove B");
    on_primary("put B 5");
    EXPECT_EQ(on_standby("read_all"), "A 10, B 10, C 10");
    standby->replay(1);
    EXPECT_EQ(on_standby("read_all"), "A 9, B 10, C 10");
    standby->replay(1);
    EXPECT_EQ(on_standby("read_all"), "A 9, C 10");
    standby->replay();
    EXPECT_EQ(on_standby("read_all"), "A 9, B 5, C 10");
    EXPECT_EQ(standby->stored_versions(), 3U);
}

TEST_F(StandbyTest, refuses_writes_row_locks_and_serializable) {
    standby->replay();
    for (const char* command : {"take A 1", "put D 1", "remove A", "lock A", "append A 1"}) {
        EXPECT_EQ(on_standby(command), "error statement-failed") << command;
    }
    EXPECT_EQ(on_standby("begin serializable"), "error statement-failed");
    on_standby("rollback");
    EXPECT_EQ(on_standby("try_advisory 1"), "t");
}

TEST_F(StandbyTest, old_snapshots_stand_until_they_are_in_the_way) {
    standby->replay();
    on_standby("begin repeatable_read");
    EXPECT_EQ(on_standby("read A"), "A 10");
    on_primary("take A 1");
    standby->replay();
    EXPECT_EQ(on_standby("read A"), "A 10");
    standby->cancel_conflicts();
    EXPECT_EQ(on_standby("read A"), "error serialization-failure");
    on_standby("rollback");
    on_standby("begin repeatable_read");
    EXPECT_EQ(on_standby("read A"), "A 9");
    standby->cancel_conflicts();
    EXPECT_EQ(on_standby("read A"), "A 9");
}

TEST_F(StandbyTest, promotion_loses_the_tail_and_the_old_primary_goes_on) {
    standby->replay();
    on_primary("take A 1");
    on_primary("take B 1");
    standby->replay(1);
    ASSERT_EQ(standby->not_replayed("stock").size(), 1U);
    EXPECT_EQ(text(standby->not_replayed("stock")[0], 0), "B");
    standby->promote();
    EXPECT_EQ(standby->behind(), 0U);
    EXPECT_EQ(on_standby("take C 3"), "C 7");
    EXPECT_EQ(on_primary("take C 1"), "C 9");  // it does not know
    EXPECT_EQ(on_standby("read_all"), "A 9, B 10, C 7");
    EXPECT_EQ(on_primary("read_all"), "A 9, B 9, C 9");
    primary.database->fence();
    EXPECT_EQ(on_primary("take C 1"), "error statement-failed");
    EXPECT_EQ(on_primary("read C"), "C 9");
}

TEST_F(StandbyTest, promoted_server_survives_its_own_crash_and_skips_numbers) {
    on_primary("append A 1");
    standby->replay();
    standby->promote();
    on_standby("take A 2");
    standby->crash();
    on_standby("close");
    EXPECT_EQ(on_standby("read_all"), "A 8, B 10, C 10");
    EXPECT_EQ(on_standby("append A 1"), "34 A 1");
}

TEST_F(StandbyTest, follower_of_a_promoted_server_gets_everything) {
    standby->replay();
    standby->promote();
    on_standby("take A 2");
    ModelDatabase next(model_schema(), ModelOptions{}, *standby);
    next.replay();
    EXPECT_EQ(integer(next.committed_rows("stock")[0].row, 1), 8);
}

TEST_F(StandbyTest, old_primary_starts_over_as_a_standby) {
    standby->replay();
    on_primary("take A 1");
    standby->promote();
    on_standby("take A 2");
    primary.database->follow(*standby);
    EXPECT_EQ(on_primary("read A"), "error connection-lost");
    on_primary("close");
    EXPECT_EQ(on_primary("read_all"), "none");
    EXPECT_EQ(primary.database->replay(), 4U);
    EXPECT_EQ(primary.database->replayed(), standby->position());
    EXPECT_EQ(on_primary("read A"), "A 8");
    EXPECT_EQ(on_primary("take A 1"), "error statement-failed");
}

TEST_F(StandbyTest, commit_waits_for_it_between_disk_and_visibility) {
    Gate replicas;
    LogPosition asked = 0;
    std::size_t flushes = 0;
    bool synchronous = false;
    ModelOptions options;
    options.elapsed = [] { return Duration(7); };
    options.flushed = [&] { ++flushes; };
    options.replicated = [&](LogPosition position) -> Task<void> {
        asked = position;
        if (synchronous) { co_await replicas.wait(); }
    };
    Bench bench(std::move(options));
    synchronous = true;
    EXPECT_EQ(bench.step('a', "take A 1"), "waits");
    EXPECT_EQ(asked, 4U);
    EXPECT_EQ(flushes, 4U);
    EXPECT_EQ(bench.step('b', "read A"), "A 10");
    ModelOptions of_follower;
    of_follower.elapsed = [] { return Duration(9); };
    ModelDatabase follower(model_schema(), std::move(of_follower), *bench.database);
    EXPECT_EQ(follower.replay(), 4U);
    replicas.let_pass();
    bench.settle();
    EXPECT_EQ(bench.step('b', "read A"), "A 9");
    follower.promote();
    EXPECT_EQ(follower.committed_rows("stock")[0].committed_at, Duration(7)) << "when it was seen";
}

TEST_F(StandbyTest, replays_in_the_order_of_the_log_not_of_visibility) {
    Gate flushes;
    bool slow = false;
    ModelOptions options;
    options.flush = [&]() -> Task<void> {
        if (slow) { co_await flushes.wait(); }
    };
    Bench bench(std::move(options));
    slow = true;
    bench.step('a', "take A 1");
    bench.step('b', "take B 1");
    flushes.let_pass(1);
    bench.settle();
    EXPECT_EQ(bench.step('c', "read_all"), "A 10, B 9, C 10");
    ModelDatabase follower(model_schema(), ModelOptions{}, *bench.database);
    follower.replay(4);
    EXPECT_EQ(integer(follower.committed_rows("stock")[0].row, 1), 9);
    EXPECT_EQ(integer(follower.committed_rows("stock")[1].row, 1), 10);
    flushes.let_pass();
    bench.settle();
}

TEST(Limits, are_sentences) {
    EXPECT_FALSE(model_database_limits().empty());
    for (const std::string_view limit : model_database_limits()) {
        EXPECT_TRUE(limit.ends_with('.')) << limit;
    }
}

}  // namespace rushproof::simulator::example
