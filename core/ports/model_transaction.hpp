// What a statement's model may do: the database operations behind one SQL statement, without SQL.
// Implemented by simulator/models/database; used by services/<role>/store/statements_model.cpp.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof {

// The first `key_columns` columns are the primary key.  An identity table numbers its first column
// itself (leave it NULL in insert); numbers are handed out outside the transaction, as a sequence.
struct ModelTable {
    std::string_view name;
    std::vector<std::string_view> columns;
    std::size_t key_columns = 1;
    bool identity = false;
    // Secondary indexes, for speed only: each a list of column numbers.
    std::vector<std::vector<std::size_t>> indexes;
};

// Which rows a statement means: all whose columns `columns` equal `values` (served by the primary
// key or an index when one matches exactly; empty means every row) and for which `where`, if any,
// is true.  Rows come back in primary key order.
struct RowFilter {
    std::vector<std::size_t> columns;
    Row values;
    std::function<bool(const Row&)> where;
};

enum class LockWait : std::uint8_t { block, no_wait, skip_locked };

// FOR KEY SHARE, FOR SHARE, FOR NO KEY UPDATE, FOR UPDATE.  An update locks as no_key_update, a
// delete as update.
enum class RowLock : std::uint8_t { key_share, share, no_key_update, update };

// LOCK TABLE ... IN ... MODE.  SELECT takes access_share, SELECT ... FOR takes row_share, writing
// takes row_exclusive.
enum class TableLock : std::uint8_t {
    access_share,
    row_share,
    row_exclusive,
    share_update_exclusive,
    share,
    share_row_exclusive,
    exclusive,
    access_exclusive,
};

// pg_advisory_lock (session) or pg_advisory_xact_lock (transaction), or their _shared.
struct AdvisoryLock {
    std::int64_t key = 0;
    bool shared = false;
    bool session = false;
};

// What SET LOCAL can change, until the end of the transaction.
enum class LocalSetting : std::uint8_t { lock_timeout, statement_timeout };

class ModelTransaction {
public:
    virtual ~ModelTransaction() = default;

    // now(): the database's clock when the transaction began.
    virtual WallTime now() const = 0;

    // Plain SELECT: the statement's snapshot, no lock, no wait.
    virtual Task<Result<std::vector<Row>>> select(std::string_view table, RowFilter filter) = 0;

    // SELECT ... FOR UPDATE [LIMIT limit]: waits for row locks, then re-evaluates the filter on the
    // newest committed version of each row (READ COMMITTED), dropping rows that no longer match.
    virtual Task<Result<std::vector<Row>>> select_for_update(std::string_view table,
                                                             RowFilter filter,
                                                             LockWait wait = LockWait::block,
                                                             std::size_t limit = SIZE_MAX) = 0;

    // SELECT ... FOR <lock>, likewise.
    virtual Task<Result<std::vector<Row>>> select_for(RowLock lock, std::string_view table,
                                                      RowFilter filter,
                                                      LockWait wait = LockWait::block,
                                                      std::size_t limit = SIZE_MAX) = 0;

    // UPDATE ... WHERE ... RETURNING *: locks and re-evaluates likewise, then applies `change` to
    // the newest version.  Returns the new rows.
    virtual Task<Result<std::vector<Row>>> update(std::string_view table, RowFilter filter,
                                                  std::function<void(Row&)> change) = 0;

    // INSERT.  When another transaction holds the same key uncommitted it waits for its end.
    // "unique-violation" if the key exists, unless `or_nothing` (ON CONFLICT DO NOTHING).
    // Returns the inserted row, or none.
    virtual Task<Result<std::vector<Row>>> insert(std::string_view table, Row row,
                                                  bool or_nothing = false) = 0;

    // DELETE ... WHERE ...; returns the deleted rows.
    virtual Task<Result<std::vector<Row>>> remove(std::string_view table, RowFilter filter) = 0;

    // LOCK TABLE; with no_wait "lock-timeout" (55P03) when it is taken.
    virtual Task<Result<void>> lock_table(std::string_view table, TableLock mode,
                                          LockWait wait = LockWait::block) = 0;

    // True: it is held; false: no_wait (pg_try_advisory_lock) and another session has it.
    virtual Task<Result<bool>> advisory_lock(AdvisoryLock lock,
                                             LockWait wait = LockWait::block) = 0;
    // Of a session's lock; false if it was not held.
    virtual bool advisory_unlock(AdvisoryLock lock) = 0;

    // nextval() of an identity table's sequence: outside the transaction, never given back.
    virtual std::int64_t next_number(std::string_view table) = 0;

    // SET LOCAL; zero switches a timeout off.  They end the statement with "lock-timeout" (55P03)
    // or "query-canceled" (57014, retryable).
    virtual void set_local(LocalSetting setting, Duration value) = 0;
};

using StatementFunction = std::function<Task<Result<Rows>>(ModelTransaction&, Row)>;

struct StatementModel {
    const Statement* statement;
    StatementFunction function;
};

// What a service's database looks like and what its statements do: everything that the simulator
// needs to stand in for it.
struct ModelSchema {
    std::vector<ModelTable> tables;
    std::vector<StatementModel> statements;
};

}  // namespace rushproof
