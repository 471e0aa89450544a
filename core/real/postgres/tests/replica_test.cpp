// Goal: a read routed to a lagging replica breaks read-your-writes without the token and never with
// it; a replica that cannot serve is replaced by the primary.
// Method: a real streaming replica whose replay is paused, whose queries are cancelled by a
// conflict with recovery, or that is not there.
#include <gtest/gtest.h>

#include "core/real/postgres/tests/fixture.hpp"

namespace rushproof::postgres {
namespace {

using std::chrono_literals::operator""s;

constexpr const char* on_replica = "RUSHPROOF_POSTGRES_REPLICA_ADMIN_URL";

const Statement slow_read{"shop.slow_read",
                          "SELECT on_hand, pg_sleep(CASE WHEN pg_is_in_recovery() THEN 30 ELSE 0 "
                          "END) FROM stock WHERE sku = $1",
                          ""};
const Statement where_am_i{"shop.where_am_i", "SELECT pg_is_in_recovery()", ""};

class ReplicaTest : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        options_.replica_url = variable("RUSHPROOF_POSTGRES_REPLICA_URL");
        reopen();
        reader_.route = Route::replica;
        reader_.access = Access::read_only;
        catch_up();
    }
    void TearDown() override {
        administer("SELECT pg_wal_replay_resume()", on_replica);
        PostgresTest::TearDown();
    }

    static void catch_up() {
        const auto position =
            administer("SELECT pg_current_wal_insert_lsn()")[0][0].as<std::string>();
        while (
            !administer("SELECT pg_last_wal_replay_lsn() >= '" + position + "'", on_replica)[0][0]
                 .as<bool>()) {}
    }
    static void pause() {
        administer("SELECT pg_wal_replay_pause()", on_replica);
        while (administer("SELECT pg_get_wal_replay_pause_state()", on_replica)[0][0]
                   .as<std::string>() != "paused") {}
    }
    // Takes one unit of a; -> the token.
    LogPosition take_one() {
        const auto writer = begin();
        EXPECT_TRUE(commit(*writer, calls(take_call("a", 1))));
        return writer->position();
    }
    std::int64_t read(LogPosition seen) {
        TransactionOptions options = reader_;
        options.seen = seen;
        const auto rows = once(read_call("a"), options);
        EXPECT_TRUE(rows) << rows.error().message();
        return rows ? integer(rows->rows.at(0), 0) : -1;
    }
    bool on_the_replica(const TransactionOptions& options) {
        const auto rows = once(Call(where_am_i, {}), options);
        EXPECT_TRUE(rows) << rows.error().message();
        return rows && integer(rows->rows.at(0), 0) == 1;
    }
    std::uint64_t fallbacks(const std::string& reason) {
        return telemetry_.counts["database_replica_fallbacks_total " + reason].total;
    }

    TransactionOptions reader_;
};

TEST_F(ReplicaTest, ReadsGoThereAndWritesDoNot) {
    EXPECT_TRUE(on_the_replica(reader_));
    TransactionOptions writer = reader_;
    writer.access = Access::read_write;
    EXPECT_FALSE(on_the_replica(writer));
    EXPECT_FALSE(on_the_replica({}));
}

TEST_F(ReplicaTest, ALaggingReplicaBreaksReadYourWritesWithoutTheTokenOnly) {
    pause();
    const LogPosition token = take_one();
    EXPECT_GT(token, 0U);
    EXPECT_EQ(read(0), 5);
    EXPECT_EQ(read(token), 4);
    EXPECT_EQ(fallbacks("lag"), 1U);
    administer("SELECT pg_wal_replay_resume()", on_replica);
    catch_up();
    TransactionOptions caught_up = reader_;
    caught_up.seen = token;
    EXPECT_TRUE(on_the_replica(caught_up));
    EXPECT_EQ(read(token), 4);
    EXPECT_EQ(fallbacks("lag"), 1U);
}

TEST_F(ReplicaTest, EveryTokenIsHonouredWhileTheReplicaFollows) {
    for (std::int64_t left = 4; left >= 0; --left) { EXPECT_EQ(read(take_one()), left); }
}

TEST_F(ReplicaTest, AConflictWithRecoverySendsTheReadToThePrimary) {
    administer("ALTER SYSTEM SET max_standby_streaming_delay = 0", on_replica);
    administer("SELECT pg_reload_conf()", on_replica);
    const auto reader = begin(reader_);
    std::optional<Answer> answer;
    auto list = calls(Call(slow_read, {std::string("a")}));
    asio::co_spawn(context_, reader->execute(std::move(list)),
                   [&](std::exception_ptr, Answer came) { answer = std::move(came); });
    context_.restart();
    while (!answer &&
           administer("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
                      on_replica)[0][0]
                   .as<int>() == 0) {
        context_.run_for(std::chrono::milliseconds(5));
    }
    administer("VACUUM FULL stock");
    while (!answer) { context_.run_one(); }
    ASSERT_TRUE(*answer) << answer->error().message();
    EXPECT_EQ(integer((*answer)->at(0).rows.at(0), 0), 5);
    EXPECT_EQ(fallbacks("conflict"), 1U);
    administer("ALTER SYSTEM RESET ALL", on_replica);
    administer("SELECT pg_reload_conf()", on_replica);
}

TEST_F(ReplicaTest, AUrlWithSeveralHostsFindsTheOneThatTakesWrites) {
    const auto host_of = [](const std::string& url) {
        const auto begin = url.rfind('@') + 1;
        return url.substr(begin, url.find('/', begin) - begin);
    };
    // Nobody listens at the first, and the second is read-only.
    const auto at = options_.url.rfind('@') + 1;
    const auto rest = options_.url.find('/', at);
    options_.url = options_.url.substr(0, at) + "127.0.0.1:1," + host_of(options_.replica_url) +
                   ',' + options_.url.substr(at, rest - at) + options_.url.substr(rest) +
                   "?target_session_attrs=read-write";
    options_.replica_url.clear();
    reopen();
    EXPECT_FALSE(on_the_replica({}));
    take_one();
}

TEST_F(ReplicaTest, AnAbsentReplicaIsLeftAlone) {
    options_.replica_url = "postgresql://nobody@127.0.0.1:1/nothing";
    options_.replica_rest = 60s;
    reopen();
    EXPECT_FALSE(on_the_replica(reader_));
    EXPECT_FALSE(on_the_replica(reader_));
    EXPECT_EQ(fallbacks("unavailable"), 2U);
    EXPECT_EQ(telemetry_.counts["database_connect_failures_total replica"].total, 1U);
}

TEST_F(ReplicaTest, WithoutAReplicaTheRouteLeadsToThePrimary) {
    options_.replica_url.clear();
    reopen();
    EXPECT_FALSE(on_the_replica(reader_));
    EXPECT_EQ(take_one(), 0U);
}

}  // namespace
}  // namespace rushproof::postgres
