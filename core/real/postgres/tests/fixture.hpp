// What the tests against a real server share: the server that infra/stack started for them, a way
// to call the database from plain code, and telemetry that can be read.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "core/real/postgres/postgres_database.hpp"

namespace rushproof::postgres {

class Count final : public Counter {
public:
    void add(std::uint64_t count) override { total += count; }
    std::uint64_t total = 0;
};
class Level final : public Gauge {
public:
    void set(double value) override { now = value; }
    double now = 0;
};
class Seconds final : public Distribution {
public:
    void observe(double) override { ++count; }
    std::uint64_t count = 0;
};

// Metrics by name and the values of their labels: "database_replica_fallbacks_total lag".
class TestTelemetry final : public Telemetry {
public:
    Counter& counter(std::string_view name, std::string_view, Labels labels) override {
        return counts[key(name, labels)];
    }
    Gauge& gauge(std::string_view name, std::string_view, Labels labels) override {
        return levels[key(name, labels)];
    }
    Distribution& duration(std::string_view name, std::string_view, Labels labels) override {
        return distributions[key(name, labels)];
    }
    void log(LogLevel, std::string_view, LogFields) override {}

    std::map<std::string, Count> counts;
    std::map<std::string, Level> levels;
    std::map<std::string, Seconds> distributions;

private:
    static std::string key(std::string_view name, const Labels& labels) {
        std::string text(name);
        for (const auto& [label, value] : labels) { text += " " + value; }
        return text;
    }
};

inline std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) {
        ADD_FAILURE() << name
                      << " is not set: run this by ctest, or by infra/stack/stack run postgres";
        return {};
    }
    return value;
}

inline Context context_for(Duration left) {
    return Context(MonotonicTime(std::chrono::steady_clock::now().time_since_epoch() + left));
}

inline std::vector<Call> calls(Call call) {
    std::vector<Call> list;
    list.push_back(std::move(call));
    return list;
}
inline std::vector<Call> calls(Call first, Call second) {
    auto list = calls(std::move(first));
    list.push_back(std::move(second));
    return list;
}

using Answer = Result<std::vector<Rows>>;

// Tables stock(sku, on_hand) with a: 5 and b: 7, and event(id, at, body, numbers, texts).
class PostgresTest : public testing::Test {
protected:
    void SetUp() override {
        options_.url = variable("RUSHPROOF_POSTGRES_URL");
        options_.connections_max = 4;
        if (options_.url.empty()) { return; }
        administer(
            "DROP TABLE IF EXISTS stock, event;"
            "CREATE TABLE stock(sku text PRIMARY KEY, on_hand bigint NOT NULL CHECK (on_hand >= "
            "0));"
            "CREATE TABLE event(id bigint PRIMARY KEY, sku text REFERENCES stock DEFERRABLE "
            "INITIALLY "
            "DEFERRED, at timestamptz, body bytea, numbers bigint[], texts text[]);"
            "INSERT INTO stock VALUES ('a', 5), ('b', 7)");
        reopen();
    }
    void TearDown() override {
        database_.reset();
        context_.restart();
        context_.run();
    }

    void reopen() {
        database_.reset();
        auto created = PostgresDatabase::create(context_.get_executor(), options_, telemetry_);
        ASSERT_TRUE(created) << created.error().message();
        database_ = *std::move(created);
    }

    // By another connection.
    static pqxx::result administer(const std::string& sql,
                                   const char* server = "RUSHPROOF_POSTGRES_URL") {
        pqxx::connection connection(variable(server));
        pqxx::nontransaction work(connection);
        return work.exec(sql);
    }
    static std::int64_t stock(const std::string& sku) {
        return administer("SELECT on_hand FROM stock WHERE sku = '" + sku + "'")[0][0]
            .as<std::int64_t>();
    }
    // Backends of the database besides the one that asks.
    static std::int64_t backends(const std::string& condition) {
        return administer(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = 'rushproof' AND "
                   "pid <> pg_backend_pid() AND " +
                   condition)[0][0]
            .as<std::int64_t>();
    }
    static void terminate_backends() {
        administer(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
            "datname = 'rushproof' AND pid <> pg_backend_pid()");
    }

    template <class T>
    T wait(Task<T> task) {
        std::optional<T> answer;
        asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T value) {
            if (thrown) { std::rethrow_exception(thrown); }
            answer = std::move(value);
        });
        context_.restart();
        while (!answer) { context_.run_one(); }
        return *std::move(answer);
    }

    std::unique_ptr<Transaction> begin(TransactionOptions options = {},
                                       Duration left = std::chrono::seconds(30)) {
        auto begun = wait(database_->begin(context_for(left), options));
        EXPECT_TRUE(begun) << begun.error().message();
        return begun ? *std::move(begun) : nullptr;
    }
    Answer execute(Transaction& transaction, std::vector<Call> list) {
        return wait(transaction.execute(std::move(list)));
    }
    Answer commit(Transaction& transaction, std::vector<Call> list = {}) {
        return wait(transaction.commit(std::move(list)));
    }
    // A transaction of one statement.
    Result<Rows> once(Call call, TransactionOptions options = {}) {
        RP_TRY(const auto transaction,
               wait(database_->begin(context_for(std::chrono::seconds(30)), options)));
        RP_TRY(auto results, commit(*transaction, calls(std::move(call))));
        return std::move(results[0]);
    }

    asio::io_context context_{1};
    TestTelemetry telemetry_;
    PostgresOptions options_;
    std::unique_ptr<PostgresDatabase> database_;
};

inline const Statement read_stock{"shop.read_stock", "SELECT on_hand FROM stock WHERE sku = $1",
                                  ""};
inline const Statement lock_stock{"shop.lock_stock",
                                  "SELECT on_hand FROM stock WHERE sku = $1 FOR UPDATE", ""};
inline const Statement take_stock{
    "shop.take_stock",
    "UPDATE stock SET on_hand = on_hand - $2 WHERE sku = $1 RETURNING sku, on_hand", ""};

inline Call read_call(const char* sku) { return Call(read_stock, {std::string(sku)}); }
inline Call lock_call(const char* sku) { return Call(lock_stock, {std::string(sku)}); }
inline Call take_call(const char* sku, std::int64_t count) {
    return Call(take_stock, {std::string(sku), count});
}

}  // namespace rushproof::postgres
