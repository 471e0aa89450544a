// SQLite in memory behind the Database port, on the caller's thread and without a wait: enough to
// run our SQL texts one transaction at a time.
#pragma once
#include <sqlite3.h>

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof {

class MemorySqlite : public Database {
public:
    explicit MemorySqlite(std::function<WallTime()> wall) : wall_(std::move(wall)) {
        if (sqlite3_open(":memory:", &connection_) != SQLITE_OK) { fail("open"); }
        sqlite3_create_function(connection_, "transaction_time", 0, SQLITE_UTF8, this,
                                &MemorySqlite::transaction_time, nullptr, nullptr);
    }
    MemorySqlite(const MemorySqlite&) = delete;
    MemorySqlite& operator=(const MemorySqlite&) = delete;
    ~MemorySqlite() override { sqlite3_close(connection_); }

    void migrate(const std::vector<Migration>& migrations) {
        for (const Migration& migration : migrations) { run(std::string(migration.sqlite)); }
    }

    sqlite3* connection() { return connection_; }

    Task<Result<std::unique_ptr<Transaction>>> begin(Context, TransactionOptions) override {
        run("BEGIN IMMEDIATE");
        now_ = wall_();
        std::unique_ptr<Transaction> transaction = std::make_unique<Session>(*this);
        co_return transaction;
    }

private:
    class Session final : public Transaction {
    public:
        explicit Session(MemorySqlite& database) : database_(database) {}
        ~Session() override {
            if (open_) { database_.run("ROLLBACK"); }
        }
        Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
            std::vector<Rows> answers;
            for (const Call& call : calls) {
                RP_CO_TRY(Rows rows, database_.call(call));
                answers.push_back(std::move(rows));
            }
            co_return answers;
        }
        Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
            auto answers = co_await execute(std::move(last));
            if (!answers) { co_return answers; }
            database_.run("COMMIT");
            open_ = false;
            co_return answers;
        }

    private:
        MemorySqlite& database_;
        bool open_ = true;
    };

    [[noreturn]] void fail(const std::string& what) {
        throw std::runtime_error(what + ": " + sqlite3_errmsg(connection_));
    }

    void run(const std::string& sql) {
        if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
            fail(sql);
        }
    }

    Result<Rows> call(const Call& call) {
        const Statement& statement = *call.statement;
        const std::string sql(statement.sqlite.empty() ? statement.sql : statement.sqlite);
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(connection_, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
            fail(sql);
        }
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> prepared(raw,
                                                                             &sqlite3_finalize);
        for (int i = 1; i <= sqlite3_bind_parameter_count(raw); ++i) {
            const char* name = sqlite3_bind_parameter_name(raw, i);
            bind(raw, i, call.arguments.at(std::stoul(name + 1) - 1));
        }
        Rows rows;
        int code = sqlite3_step(raw);
        for (; code == SQLITE_ROW; code = sqlite3_step(raw)) {
            Row& row = rows.rows.emplace_back();
            for (int i = 0; i < sqlite3_column_count(raw); ++i) { row.push_back(read(raw, i)); }
        }
        if (code == SQLITE_CONSTRAINT) {
            return failure(ErrorKind::permanent, "unique-violation", sql);
        }
        if (code != SQLITE_DONE) { fail(sql); }
        if (sqlite3_stmt_readonly(raw) == 0) { rows.affected = sqlite3_changes(connection_); }
        return rows;
    }

    static void bind(sqlite3_stmt* statement, int parameter, const Value& value) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            sqlite3_bind_int64(statement, parameter, *number);
        } else if (const auto* time = std::get_if<WallTime>(&value)) {
            sqlite3_bind_int64(statement, parameter, time->time_since_epoch().count());
        } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
            bind_text(statement, parameter, as_json(*texts));
        } else if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value)) {
            bind_text(statement, parameter, as_json(*numbers));
        } else {
            bind_text(statement, parameter, std::get<std::string>(value));
        }
    }

    static void bind_text(sqlite3_stmt* statement, int parameter, const std::string& text) {
        sqlite3_bind_text(statement, parameter, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT);
    }

    template <class T>
    static std::string as_json(const std::vector<T>& values) {
        return boost::json::serialize(boost::json::value_from(values));
    }

    static Value read(sqlite3_stmt* statement, int column) {
        if (sqlite3_column_type(statement, column) == SQLITE_TEXT) {
            return std::string(
                reinterpret_cast<const char*>(sqlite3_column_text(statement, column)));
        }
        const std::int64_t number = sqlite3_column_int64(statement, column);
        const char* type = sqlite3_column_decltype(statement, column);
        if (type != nullptr && std::string(type) == "TIMESTAMP") {
            return WallTime(std::chrono::microseconds(number));
        }
        return number;
    }

    static void transaction_time(sqlite3_context* context, int, sqlite3_value**) {
        const auto* self = static_cast<MemorySqlite*>(sqlite3_user_data(context));
        sqlite3_result_int64(context, self->now_.time_since_epoch().count());
    }

    std::function<WallTime()> wall_;
    WallTime now_{};
    sqlite3* connection_ = nullptr;
};

}  // namespace rushproof
