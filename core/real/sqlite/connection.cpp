#include "core/real/sqlite/connection.hpp"

#include <boost/json.hpp>
#include <charconv>

#include "core/base/assert.hpp"

namespace rushproof::sqlite {

namespace {

const Statement use_write_ahead_log{"sqlite.use_write_ahead_log", "PRAGMA journal_mode=WAL", ""};
// A read transaction starts with its first read, not with BEGIN.
const Statement take_snapshot{"sqlite.take_snapshot", "SELECT 1 FROM sqlite_schema LIMIT 1", ""};

// Overlapping readers with old snapshots keep the log from starting over.  When it is this many
// times as long as it should be, the writer waits for them, so long.
constexpr int log_overgrown = 10;
constexpr std::chrono::milliseconds checkpoint_wait(50);

std::string_view dialect(const Statement& statement) {
    return statement.sqlite.empty() ? statement.sql : statement.sqlite;
}

class Binder {
public:
    Binder(sqlite3_stmt* statement, int parameter) : statement_(statement), parameter_(parameter) {}

    int operator()(std::monostate) const { return sqlite3_bind_null(statement_, parameter_); }
    int operator()(std::int64_t value) const {
        return sqlite3_bind_int64(statement_, parameter_, value);
    }
    int operator()(WallTime value) const { return (*this)(value.time_since_epoch().count()); }
    int operator()(const std::string& value) const {
        return sqlite3_bind_text64(statement_, parameter_, value.data(), value.size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const Bytes& value) const {
        return sqlite3_bind_blob64(statement_, parameter_, value.data.data(), value.data.size(),
                                   SQLITE_STATIC);
    }
    template <class T>
    int operator()(const std::vector<T>& values) const {
        const std::string json = boost::json::serialize(boost::json::value_from(values));
        return sqlite3_bind_text64(statement_, parameter_, json.data(), json.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
    }

private:
    sqlite3_stmt* statement_;
    int parameter_;
};

// Ends a statement's run, and with it SQLite's view of the caller's arguments.
class RunGuard {
public:
    explicit RunGuard(sqlite3_stmt* statement) : statement_(statement) {}
    ~RunGuard() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
    RunGuard(const RunGuard&) = delete;
    RunGuard& operator=(const RunGuard&) = delete;

private:
    sqlite3_stmt* statement_;
};

bool is_timestamp(sqlite3_stmt* statement, int column) {
    const char* type = sqlite3_column_decltype(statement, column);
    return type != nullptr && sqlite3_stricmp(type, "TIMESTAMP") == 0;
}

std::string copy_bytes(sqlite3_stmt* statement, int column, const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

Result<Value> read_value(sqlite3_stmt* statement, int column, std::string_view name) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_NULL: return Value();
        case SQLITE_INTEGER: {
            const std::int64_t value = sqlite3_column_int64(statement, column);
            if (is_timestamp(statement, column)) return WallTime(WallTime::duration(value));
            return value;
        }
        case SQLITE_TEXT:
            return copy_bytes(statement, column, sqlite3_column_text(statement, column));
        case SQLITE_BLOB:
            return Bytes{copy_bytes(statement, column, sqlite3_column_blob(statement, column))};
        default:
            return failure(ErrorKind::permanent, "statement-failed",
                           std::string(name) + ": column " +
                               sqlite3_column_name(statement, column) +
                               " is a floating-point number");
    }
}

Result<Row> read_row(sqlite3_stmt* statement, std::string_view name) {
    Row row;
    const int columns = sqlite3_column_count(statement);
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
        RP_TRY(Value value, read_value(statement, column, name));
        row.push_back(std::move(value));
    }
    return row;
}

// $1 -> 0; nothing for any other way to name a parameter.
std::optional<std::size_t> argument_number(const char* parameter) {
    const std::string_view text = parameter == nullptr ? "" : parameter;
    if (!text.starts_with('$')) return std::nullopt;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) {
        return std::nullopt;
    }
    return number - 1;
}

int step_to_end(sqlite3_stmt* statement) {
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const SqliteOptions& options, Access access) {
    sqlite3* raw = nullptr;
    const int create = access == Access::read_write ? SQLITE_OPEN_CREATE : 0;
    const int code = sqlite3_open_v2(options.path.c_str(), &raw,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create,
                                     options.vfs.empty() ? nullptr : options.vfs.c_str());
    std::unique_ptr<sqlite3, Close> database(raw);
    if (code != SQLITE_OK) {
        return failure(ErrorKind::permanent, "open-failed",
                       "cannot open " + options.path + ": " + sqlite3_errstr(code));
    }
    std::unique_ptr<Connection> connection(new Connection(std::move(database), options, access));
    if (const auto configured = connection->configure(); !configured) {
        return failure(ErrorKind::permanent, "open-failed",
                       "cannot use " + options.path + ": " + configured.error().message());
    }
    return connection;
}

Connection::Connection(std::unique_ptr<sqlite3, Close> database, const SqliteOptions& options,
                       Access access)
    : database_(std::move(database)),
      access_(access),
      lock_wait_(options.lock_wait),
      wall_clock_(options.wall_clock),
      checkpoint_pages_(options.checkpoint_pages),
      checkpoint_due_(options.checkpoint_pages) {}

Result<void> Connection::configure() {
    sqlite3_extended_result_codes(database_.get(), 1);
    set_lock_wait(lock_wait_);
    sqlite3_create_function_v2(database_.get(), "transaction_time", 0,
                               SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, this,
                               &Connection::read_transaction_time, nullptr, nullptr, nullptr);
    if (access_ == Access::read_write) {
        RP_TRY(const Rows mode, run(Call(use_write_ahead_log, {})));
        if (text(mode.rows.at(0), 0) != "wal") {
            return failure(ErrorKind::permanent, "open-failed", "WAL mode is not to be had");
        }
        // What a statement may have to undo is kept in memory: a file would be made for each batch.
        RP_CHECK(script("sqlite.configure",
                        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                        "PRAGMA temp_store=MEMORY"));
        sqlite3_wal_hook(database_.get(), &Connection::log_grew, this);
    } else {
        RP_CHECK(script("sqlite.configure", "PRAGMA query_only=ON"));
    }
    const bool writes = access_ == Access::read_write;
    RP_TRY(begin_, compile("sqlite.begin", writes ? "BEGIN IMMEDIATE" : "BEGIN"));
    RP_TRY(commit_, compile("sqlite.commit", "COMMIT"));
    RP_TRY(rollback_, compile("sqlite.rollback", "ROLLBACK"));
    return {};
}

void Connection::read_transaction_time(sqlite3_context* context, int, sqlite3_value**) {
    const auto* self = static_cast<const Connection*>(sqlite3_user_data(context));
    sqlite3_result_int64(context, self->transaction_time_.time_since_epoch().count());
}

int Connection::log_grew(void* self, sqlite3*, const char*, int pages) {
    auto& connection = *static_cast<Connection*>(self);
    const bool started_over = pages < connection.log_pages_;
    if (started_over) connection.checkpoint_due_ = connection.checkpoint_pages_;
    connection.log_pages_ = pages;
    return SQLITE_OK;
}

void Connection::checkpoint_when_due() {
    if (log_pages_ < checkpoint_due_) return;
    const bool overgrown = log_pages_ >= log_overgrown * checkpoint_pages_;
    set_lock_wait(checkpoint_wait);
    sqlite3_wal_checkpoint_v2(database_.get(), nullptr,
                              overgrown ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                              nullptr, nullptr);
    set_lock_wait(lock_wait_);
    checkpoint_due_ = log_pages_ + checkpoint_pages_;
}

void Connection::set_lock_wait(Duration wait) {
    using std::chrono::milliseconds;
    sqlite3_busy_timeout(database_.get(),
                         static_cast<int>(std::chrono::duration_cast<milliseconds>(wait).count()));
}

Result<void> Connection::begin() {
    if (const int code = step_to_end(begin_.get()); code != SQLITE_OK) {
        return failure(ErrorKind::retryable, "unavailable",
                       error_of(code, "sqlite.begin").message());
    }
    transaction_time_ = wall_clock_();
    if (access_ == Access::read_write) return {};
    if (const auto taken = execute({Call(take_snapshot, {})}); !taken) {
        return failure(ErrorKind::retryable, "unavailable", taken.error().message());
    }
    return {};
}

Result<std::vector<Rows>> Connection::execute(const std::vector<Call>& calls) {
    std::vector<Rows> results;
    results.reserve(calls.size());
    for (const Call& call : calls) {
        auto rows = run(call);
        if (!rows) {
            rollback();
            return failure(rows.error());
        }
        RP_ASSERT(!sqlite3_get_autocommit(database_.get()));
        results.push_back(*std::move(rows));
    }
    return results;
}

Result<std::vector<Rows>> Connection::commit(const std::vector<Call>& last) {
    auto results = execute(last);
    if (!results) return results;
    if (const int code = step_to_end(commit_.get()); code != SQLITE_OK) {
        Error error = commit_error(code);
        rollback();
        return failure(std::move(error));
    }
    return results;
}

Result<void> Connection::script(std::string_view name, std::string_view sql) {
    const int code =
        sqlite3_exec(database_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    Error error = error_of(code, name);
    rollback();
    return failure(std::move(error));
}

void Connection::rollback() {
    // Some errors roll back by themselves.
    if (!sqlite3_get_autocommit(database_.get())) step_to_end(rollback_.get());
}

Result<Connection::StatementHandle> Connection::compile(std::string_view name,
                                                        std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, &tail);
    StatementHandle handle(raw);
    if (code != SQLITE_OK) return failure(error_of(code, name));
    const auto rest = sql.substr(static_cast<std::size_t>(tail - sql.data()));
    if (raw == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
        return failure(ErrorKind::permanent, "statement-failed",
                       std::string(name) + ": not exactly one statement");
    }
    return handle;
}

Result<const Connection::Prepared*> Connection::prepare(std::string_view name,
                                                        std::string_view sql) {
    if (const auto known = prepared_.find(sql); known != prepared_.end()) return &known->second;
    Prepared prepared;
    RP_TRY(prepared.handle, compile(name, sql));
    const int count = sqlite3_bind_parameter_count(prepared.handle.get());
    for (int parameter = 1; parameter <= count; ++parameter) {
        const auto argument =
            argument_number(sqlite3_bind_parameter_name(prepared.handle.get(), parameter));
        if (!argument) {
            return failure(ErrorKind::permanent, "statement-failed",
                           std::string(name) + ": parameters are written $1, $2 ...");
        }
        prepared.arguments.push_back(*argument);
    }
    return &prepared_.emplace(std::string(sql), std::move(prepared)).first->second;
}

Result<Rows> Connection::run(const Call& call) {
    const std::string_view name = call.statement->name;
    RP_TRY(const Prepared* prepared, prepare(name, dialect(*call.statement)));
    sqlite3_stmt* statement = prepared->handle.get();
    const RunGuard guard(statement);
    RP_CHECK(bind(*prepared, name, call.arguments));
    Rows result;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        RP_TRY(Row row, read_row(statement, name));
        result.rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) return failure(error_of(code, name));
    if (!sqlite3_stmt_readonly(statement)) result.affected = sqlite3_changes64(database_.get());
    return result;
}

Result<void> Connection::bind(const Prepared& prepared, std::string_view name,
                              const Row& arguments) {
    int parameter = 0;
    for (const std::size_t argument : prepared.arguments) {
        if (argument >= arguments.size()) {
            return failure(
                ErrorKind::permanent, "statement-failed",
                std::string(name) + ": no argument for $" + std::to_string(argument + 1));
        }
        const Binder binder(prepared.handle.get(), ++parameter);
        const int code = std::visit(binder, arguments[argument]);
        if (code != SQLITE_OK) return failure(error_of(code, name));
    }
    return {};
}

// For every code that comes before COMMIT has begun to write: the transaction has no effect.
Error Connection::error_of(int code, std::string_view name) const {
    const std::string message = std::string(name) + ": " + sqlite3_errmsg(database_.get());
    switch (code) {
        case SQLITE_BUSY_SNAPSHOT:
            return Error(ErrorKind::retryable, "serialization-failure", message);
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return Error(ErrorKind::permanent, "unique-violation", message);
        default: break;
    }
    constexpr int primary_code = 0xFF;
    switch (code & primary_code) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Error(ErrorKind::retryable, "lock-timeout", message);
        case SQLITE_CONSTRAINT: return Error(ErrorKind::permanent, "constraint-violation", message);
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_NOMEM: return Error(ErrorKind::retryable, "connection-lost", message);
        default: return Error(ErrorKind::permanent, "statement-failed", message);
    }
}

// COMMIT checks deferred foreign keys, appends the transaction's pages to the log, the last one
// marked as the commit, syncs the log, and only then publishes them in the index that all
// connections share (sqlite3VdbeHalt, sqlite3WalFrames in SQLite 3.40).
//
// SQLITE_CONSTRAINT and SQLITE_BUSY come before the first page is written: no effect.
//
// Whatever else fails makes SQLite roll back, so that this process does not see the transaction;
// but it does not erase what it wrote.  When the commit mark is in the file (the sync failed, or
// the index could not grow) and the process dies before another commit has overwritten it, recovery
// finds a valid transaction and applies it.  Even SQLITE_FULL can leave a valid mark: a file system
// that copies on write may run out of space half way through a page whose other half equals what
// an earlier log left there.  Only another commit or a restart decides: the outcome is unknown.
Error Connection::commit_error(int code) const {
    Error error = error_of(code, "sqlite.commit");
    constexpr int primary_code = 0xFF;
    const int primary = code & primary_code;
    const bool nothing_written =
        access_ == Access::read_only || primary == SQLITE_CONSTRAINT || primary == SQLITE_BUSY;
    if (nothing_written) return error;
    return Error(ErrorKind::unknown_outcome, "commit-unknown", error.message());
}

}  // namespace rushproof::sqlite
