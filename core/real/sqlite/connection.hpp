// One connection to a SQLite file, used by one thread at a time.
#pragma once
#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"
#include "core/real/sqlite/sqlite_database.hpp"

namespace rushproof::sqlite {

class Connection {
public:
    // A read-only connection needs a file that a read-write one has put into WAL mode.
    static Result<std::unique_ptr<Connection>> open(const SqliteOptions& options, Access access);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Takes the write lock, or the snapshot if read-only.  Error: retryable "unavailable".
    Result<void> begin();
    // After an error of execute, commit or script no transaction is open any more.
    Result<std::vector<Rows>> execute(const std::vector<Call>& calls);
    Result<std::vector<Rows>> commit(const std::vector<Call>& last);
    // Any number of statements, none with parameters.
    Result<void> script(std::string_view name, std::string_view sql);
    void rollback();

    // Call between transactions.  A failed checkpoint loses nothing: the log stays as it is.
    void checkpoint_when_due();

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close(database); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    using StatementHandle = std::unique_ptr<sqlite3_stmt, Finalize>;

    struct Prepared {
        StatementHandle handle;
        // SQLite numbers $2, $1 in order of appearance: which argument each of its numbers means.
        std::vector<std::size_t> arguments;
    };

    Connection(std::unique_ptr<sqlite3, Close> database, const SqliteOptions& options,
               Access access);
    Result<void> configure();
    void set_lock_wait(Duration wait);
    Result<const Prepared*> prepare(std::string_view name, std::string_view sql);
    Result<StatementHandle> compile(std::string_view name, std::string_view sql);
    Result<Rows> run(const Call& call);
    Result<void> bind(const Prepared& prepared, std::string_view name, const Row& arguments);
    Error error_of(int code, std::string_view name) const;
    Error commit_error(int code) const;

    static void read_transaction_time(sqlite3_context* context, int, sqlite3_value**);
    static int log_grew(void* self, sqlite3*, const char*, int pages);

    std::unique_ptr<sqlite3, Close> database_;  // first: statements are finalised before it closes
    std::map<std::string, Prepared, std::less<>> prepared_;
    StatementHandle begin_;
    StatementHandle commit_;
    StatementHandle rollback_;
    Access access_;
    Duration lock_wait_;
    std::function<WallTime()> wall_clock_;
    WallTime transaction_time_{};
    int checkpoint_pages_;
    int checkpoint_due_;
    int log_pages_ = 0;
};

}  // namespace rushproof::sqlite
