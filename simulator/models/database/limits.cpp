#include "simulator/models/database/limits.hpp"

namespace rushproof::simulator {

std::span<const std::string_view> model_database_limits() {
    static constexpr std::string_view limits[] = {
        "No savepoints, no two-phase commit, no LISTEN/NOTIFY.",
        "No foreign keys, so no locks on the rows that they refer to, and no constraint but the "
        "primary key: a statement's model checks others itself.",
        "A statement that touches many rows visits them in order of their primary key; "
        "PostgreSQL's order depends on the plan and on where the rows lie.",
        "After an update, waiters for the row go on in the order in which they came; on "
        "PostgreSQL the processes that were woken race.",
        "SERIALIZABLE refuses whatever could be a cycle, as PostgreSQL does, but not the same "
        "transactions: PostgreSQL tracks index pages and heap pages, and forgets details when its "
        "memory for them is full. No cycle is let through.",
        "A plain statement takes no time while it waits for nothing, so statement_timeout ends "
        "only waits for locks.",
        "A standby replays when it is told to and cancels queries when it is told to, not after "
        "max_standby_streaming_delay; idle transactions fail at their next statement instead of "
        "losing their connection.",
        "A full disk refuses inserts and updates; PostgreSQL may also stop when its log has no "
        "room.",
        "Every transaction of a simulated pool has a session of its own: session advisory locks "
        "do not leak to the next user of a connection.",
        "It stands in for SQLite too, where one transaction writes at a time and the others wait "
        "for "
        "it in `begin`, identity numbers are given out again after a rollback, and a locking read "
        "in "
        "a read-only transaction is a plain one.",
        "Text sorts by bytes (collation C). NULL is no key.",
        "No vacuum, no bloat, no checkpoints: their slowness is not there.",
    };
    return limits;
}

}  // namespace rushproof::simulator
