// Goal: what is inserted is told once it is committed, in the order of the commits, to one reader
// at a time, and again until it is confirmed; what cannot be read says what to do. Method: a
// published table on a real server; readers that end, lose their connection, or confirm.
#include <atomic>
#include <thread>

#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/tests/fixture.hpp"

namespace rushproof::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LogTest : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        drop_slots();
        administer(
            "DROP TABLE IF EXISTS told; CREATE TABLE told(number bigint GENERATED ALWAYS AS "
            "IDENTITY PRIMARY KEY, body text); DROP PUBLICATION IF EXISTS test_outbox; "
            "CREATE PUBLICATION test_outbox FOR TABLE told WITH (publish = 'insert')");
    }
    void TearDown() override {
        log_.reset();
        PostgresTest::TearDown();
        drop_slots();
    }

    static void drop_slots() {
        for (int tries = 0; tries < 100; ++tries) {
            administer(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE slot_name LIKE 'test_outbox%' AND NOT active");
            const auto left = administer(
                "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'test_outbox%'");
            if (left[0][0].as<int>() == 0) { return; }
        }
    }

    Result<void> open() {
        auto opened = wait(database_->open_log(context_for(seconds(10)), "test_outbox"));
        if (!opened) { return failure(opened.error()); }
        log_ = *std::move(opened);
        return {};
    }
    // Once the server has noticed that the last reader is gone.
    void open_at_last() {
        Result<void> opened = open();
        for (int tries = 0; tries < 200 && !opened; ++tries) {
            EXPECT_EQ(opened.error().kind(), ErrorKind::retryable);
            opened = open();
        }
        ASSERT_TRUE(opened) << opened.error().message();
    }
    static void insert(const std::string& body) {
        administer("INSERT INTO told (body) VALUES ('" + body + "')");
    }
    std::vector<std::string> next(std::size_t least) {
        std::vector<std::string> bodies;
        while (bodies.size() < least) {
            const auto rows = wait(log_->next(context_for(seconds(10))));
            EXPECT_TRUE(rows) << rows.error().message();
            if (!rows || rows->empty()) { break; }
            for (const LoggedRow& row : *rows) {
                EXPECT_EQ(row.columns.at(0).first, "number");
                EXPECT_GE(row.age, Duration());
                bodies.push_back(row.columns.at(1).second);
            }
        }
        return bodies;
    }
    void expect_nothing() {
        const auto rows = wait(log_->next(context_for(milliseconds(200))));
        ASSERT_TRUE(rows) << rows.error().message();
        EXPECT_TRUE(rows->empty());
    }

    std::shared_ptr<InsertLog> log_;
};

using Bodies = std::vector<std::string>;

TEST_F(LogTest, TellsOfCommitsInTheirOrder) {
    insert("before it was kept");
    ASSERT_TRUE(open());
    pqxx::connection connection(variable("RUSHPROOF_POSTGRES_URL"));
    pqxx::work slow(connection);
    slow.exec("INSERT INTO told (body) VALUES ('slow'), ('slow too')");
    insert("fast");
    {
        pqxx::connection another(variable("RUSHPROOF_POSTGRES_URL"));
        pqxx::work never(another);
        never.exec("INSERT INTO told (body) VALUES ('rolled back')");
    }
    EXPECT_EQ(next(1), Bodies{"fast"});
    slow.commit();
    EXPECT_EQ(next(2), (Bodies{"slow", "slow too"}));
    administer("UPDATE told SET body = 'x'; DELETE FROM told");
    expect_nothing();
    EXPECT_TRUE(telemetry_.levels.contains("database_log_lag_bytes test_outbox"));
}

TEST_F(LogTest, TellsAgainWhatWasNotConfirmed) {
    ASSERT_TRUE(open());
    insert("1");
    EXPECT_EQ(next(1), Bodies{"1"});
    ASSERT_TRUE(wait(log_->confirm(context_for(seconds(5)))));
    insert("2");
    insert("3");
    EXPECT_EQ(next(2), (Bodies{"2", "3"}));
    log_.reset();
    open_at_last();
    EXPECT_EQ(next(2), (Bodies{"2", "3"}));
    ASSERT_TRUE(wait(log_->confirm(context_for(seconds(5)))));
    log_.reset();
    open_at_last();
    expect_nothing();
}

TEST_F(LogTest, HasOneReaderAtATime) {
    ASSERT_TRUE(open());
    const auto second = wait(database_->open_log(context_for(seconds(10)), "test_outbox"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), "log-in-use");
    EXPECT_EQ(second.error().kind(), ErrorKind::retryable);
    const auto slots = administer(
        "SELECT slot_name = 'test_outbox_' || d.oid FROM pg_replication_slots, pg_database d "
        "WHERE slot_name LIKE 'test_outbox%' AND d.datname = current_database()");
    ASSERT_EQ(slots.size(), 1u);
    EXPECT_TRUE(slots[0][0].as<bool>());
}

TEST_F(LogTest, GoesOnAfterItsConnectionBroke) {
    ASSERT_TRUE(open());
    insert("1");
    EXPECT_EQ(next(1), Bodies{"1"});
    ASSERT_TRUE(wait(log_->confirm(context_for(seconds(5)))));
    terminate_backends();
    const auto rows = wait(log_->next(context_for(seconds(10))));
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), "connection-lost");
    EXPECT_EQ(wait(log_->confirm(context_for(seconds(5)))).error().code(), "connection-lost");
    insert("2");
    open_at_last();
    EXPECT_EQ(next(1), Bodies{"2"});
}

// The log has a commit earlier than its synchronous standbys, and nobody sees it before they have
// it.
TEST_F(LogTest, TellsOfNothingThatOthersDoNotSeeYet) {
    ASSERT_TRUE(open());
    const auto demand = [](const std::string& setting) {
        const char* const admin = "RUSHPROOF_POSTGRES_ADMIN_URL";
        administer("ALTER SYSTEM " + setting, admin);
        administer("SELECT pg_reload_conf()", admin);
    };
    std::atomic<std::size_t> done = 0;
    std::atomic<bool> waits = false;
    demand("SET synchronous_standby_names = 'nobody'");
    // Until the server has read that.
    std::thread inserting([&] {
        while (!waits) {
            insert("row");
            ++done;
        }
    });
    while (backends("wait_event = 'SyncRep'") == 0) {}
    waits = true;
    EXPECT_EQ(next(done).size(), done);
    expect_nothing();
    demand("RESET synchronous_standby_names");
    inserting.join();
    EXPECT_EQ(next(1), Bodies{"row"});
}

TEST_F(LogTest, SaysWhoMayNotReadIt) {
    EXPECT_TRUE(check_postgres_log(variable("RUSHPROOF_POSTGRES_URL")));
    administer("DROP ROLE IF EXISTS modest; CREATE ROLE modest LOGIN PASSWORD 'modest'",
               "RUSHPROOF_POSTGRES_ADMIN_URL");
    std::string url = variable("RUSHPROOF_POSTGRES_URL");
    const auto user = url.find("//") + 2;
    url.replace(user, url.find('@') - user, "modest:modest");
    const auto refused = check_postgres_log(url);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "no-log");
    EXPECT_NE(refused.error().message().find("ALTER ROLE modest REPLICATION"), std::string::npos);
}

}  // namespace
}  // namespace rushproof::postgres
