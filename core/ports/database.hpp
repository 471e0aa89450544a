// A transactional SQL database, seen as transactions of named statements.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

struct Bytes {
    std::string data;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

// monostate is SQL NULL.  Arrays are parameters of set-based statements.
using Value = std::variant<std::monostate, std::int64_t, std::string, Bytes, WallTime,
                           std::vector<std::int64_t>, std::vector<std::string>>;
using Row = std::vector<Value>;

struct Rows {
    std::vector<Row> rows;      // what SELECT or RETURNING gave
    std::int64_t affected = 0;  // rows inserted, updated or deleted
};

// Each statement is named once, in services/<role>/store/statements.cpp, and lives for ever.
// Parameters are $1, $2 ... in both dialects; empty `sqlite` means that `sql` serves both.
// SQL may call transaction_time(): the database's clock when the transaction began.
struct Statement {
    std::string_view name;  // "inventory.lock_stock"
    std::string_view sql;
    std::string_view sqlite;
};

class Call {
public:
    Call(const Statement& called, Row called_with)
        : statement(&called), arguments(std::move(called_with)) {}
    const Statement* statement;
    Row arguments;
};

// One step of a role's schema, applied once, in order of version, each in a transaction of its own.
struct Migration {
    std::int64_t version;
    std::string_view name;
    std::string_view sql;
    std::string_view sqlite;
};

enum class Isolation : std::uint8_t { read_committed, repeatable_read, serializable };
enum class Route : std::uint8_t { primary, replica };
enum class Access : std::uint8_t { read_write, read_only };

// A place in the primary's log, as a number that only grows: the token of read-your-writes.
using LogPosition = std::uint64_t;

struct TransactionOptions {
    Isolation isolation = Isolation::read_committed;
    // A replica takes read-only transactions, and may lag; one that cannot serve is replaced by the
    // primary.
    Route route = Route::primary;
    Access access = Access::read_write;
    // Sees at least what was committed up to here; 0 asks for nothing.
    LogPosition seen = 0;
};

// One at a time: a transaction is used by one coroutine, one call under way.  Destroying it without
// commit rolls back, later, by the pool's own hand; the destructor does no I/O.
class Transaction {
public:
    virtual ~Transaction() = default;

    // One round trip for the whole pipeline; stops at the first error, after which only rollback is
    // possible.  Errors: retryable ("serialization-failure" 40001, "deadlock" 40P01,
    // "lock-timeout", "connection-lost": the transaction is gone, nothing was committed), permanent
    // ("unique-violation" 23505, "constraint-violation", "statement-failed").
    virtual Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) = 0;

    // Executes `last` and commits in the same round trip.  ok: durable.  retryable or permanent:
    // not committed.  unknown outcome ("commit-unknown"): committed, not committed, or committed
    // later.
    virtual Task<Result<std::vector<Rows>>> commit(std::vector<Call> last = {}) = 0;

    // After commit was ok: a transaction begun with this as `seen` sees its effects.  0 from an
    // engine without replicas.
    virtual LogPosition position() const { return 0; }
};

// A row that was inserted, as the database's log tells of it: columns by name, as texts.
struct LoggedRow {
    std::vector<std::pair<std::string, std::string>> columns;
    Duration age{};  // since its commit, when the log told of it
};

// What is inserted into a table, in the order of the commits.  One call at a time.  Errors mean
// that the log has to be opened again: retryable "connection-lost", permanent "malformed".
class InsertLog {
public:
    virtual ~InsertLog() = default;

    // Rows of whole transactions; none when the deadline comes first.
    virtual Task<Result<std::vector<LoggedRow>>> next(Context context) = 0;

    // All that next() has given need not come again.  Whatever was not confirmed comes again to
    // whoever opens the log next; after a crash of the database, what was confirmed may, too.
    virtual Task<Result<void>> confirm(Context context) = 0;
};

class Database {
public:
    virtual ~Database() = default;
    // Errors, all retryable: "unavailable", "pool-exhausted", "deadline-exceeded".  An engine may
    // begin with the transaction's first call, and answer them there.
    virtual Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                             TransactionOptions options = {}) = 0;

    // The log of the table that is published under this name; it is kept from the first opening on,
    // for one reader at a time.  Errors: retryable "log-in-use" (somebody else reads it),
    // "unavailable"; permanent "no-log": this engine keeps none that can be read.
    virtual Task<Result<std::shared_ptr<InsertLog>>> open_log(Context context,
                                                              std::string publication);
};

// Column access for statements whose shape is known; a wrong type is a bug and asserts.
std::int64_t integer(const Row& row, std::size_t column);
const std::string& text(const Row& row, std::size_t column);
WallTime wall_time(const Row& row, std::size_t column);

}  // namespace rushproof
