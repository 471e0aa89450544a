// PostgreSQL behind core/ports/database.hpp: libpq without blocking, in pipeline mode.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "core/ports/database.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

namespace postgres {
class Pool;
}  // namespace postgres

struct PostgresOptions {
    // postgresql://user:password@host:port/database, with any parameter that libpq knows; several
    // hosts with target_session_attrs=read-write follow a promotion.
    std::string url;
    // Where Route::replica leads; empty: to the primary.
    std::string replica_url;
    // Per server.  They are opened when needed, and stay.
    std::size_t connections_max = 16;
    // Transactions that may wait for a connection, per server.
    std::size_t waiting_max = 1024;
    Duration connect_timeout = std::chrono::seconds(2);
    // What the server itself enforces, whatever becomes of the client.
    Duration statement_timeout = std::chrono::seconds(10);
    Duration lock_timeout = std::chrono::seconds(5);
    Duration idle_in_transaction_timeout = std::chrono::seconds(30);
    // How long a replica that could not be reached is left alone.
    Duration replica_rest = std::chrono::seconds(1);
    // Tells the metrics of several instances in one process apart.
    std::string core = "0";
};

// All calls come from the executor given to create(), which runs one handler at a time; callers are
// resumed there.  Destroy the database before that executor's context; transactions may outlive it.
// A host name is looked up in blocking fashion: give addresses, or names that are known locally.
//
// A Context's deadline bounds the whole transaction.  When it passes, the connection is closed and
// the server rolls back, within a second even if it is waiting for a lock.  More errors than the
// port names: execute answers retryable "deadline-exceeded" then (and when statement_timeout
// strikes), and commit "commit-unknown".
//
// Read-your-writes: `seen` is compared with the replica's replayed position before the transaction
// begins.  A replica that lags behind it, does not answer, or cancels the first round trip of a
// transaction (a conflict with recovery), is replaced by the primary for that transaction.
class PostgresDatabase final : public Database {
public:
    // No I/O.  Error: permanent "bad-url".
    static Result<std::unique_ptr<PostgresDatabase>> create(asio::any_io_executor executor,
                                                            PostgresOptions options,
                                                            Telemetry& telemetry);

    // Answers every waiting begin with "unavailable" and closes the connections that are not in
    // use; the others follow when their transactions end.
    ~PostgresDatabase() override;
    PostgresDatabase(const PostgresDatabase&) = delete;
    PostgresDatabase& operator=(const PostgresDatabase&) = delete;

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options = {}) override;

    // By logical decoding: the slot is the publication's name, "_", and the number of the database
    // (pg_database.oid).  It is made when it is missing, and again when the server gave it up.
    // Metric: database_log_lag_bytes, of the slot, by publication.
    Task<Result<std::shared_ptr<InsertLog>>> open_log(Context context,
                                                      std::string publication) override;

private:
    struct State;
    explicit PostgresDatabase(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

// Whether libpq understands it.  Error: permanent "bad-url"; the message does not repeat the URL,
// which may hold a password.
Result<void> check_postgres_url(const std::string& url);

}  // namespace rushproof
