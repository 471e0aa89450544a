#include "core/real/postgres/postgres_database.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/assert.hpp"
#include "core/real/postgres/errors.hpp"
#include "core/real/postgres/log_slot.hpp"
#include "core/real/postgres/pool.hpp"
#include "core/real/postgres/postgres_log.hpp"

namespace rushproof {

namespace {

using postgres::Lease;
using postgres::Pool;

MonotonicTime now() { return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()); }

const Statement replayed_statement{"postgres.replayed",
                                   "SELECT CASE WHEN pg_is_in_recovery() "
                                   "THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END",
                                   ""};

const Statement& begin_statement(const TransactionOptions& options) {
    static constexpr std::array<Statement, 6> statements{{
        {"postgres.begin_read_committed", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", ""},
        {"postgres.begin_read_committed_read_only",
         "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", ""},
        {"postgres.begin_repeatable_read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE", ""},
        {"postgres.begin_repeatable_read_read_only",
         "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ""},
        {"postgres.begin_serializable", "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE", ""},
        {"postgres.begin_serializable_read_only", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
         ""},
    }};
    const std::size_t isolation = static_cast<std::size_t>(options.isolation) * 2;
    return statements[isolation + (options.access == Access::read_only ? 1 : 0)];
}

Error ended() {
    return Error(ErrorKind::permanent, "statement-failed", "the transaction has ended");
}

}  // namespace

struct PostgresDatabase::State {
    State(const asio::any_io_executor& its_executor, const PostgresOptions& given,
          Telemetry& its_telemetry)
        : executor(its_executor),
          telemetry(its_telemetry),
          options(given),
          primary(std::make_shared<Pool>(executor, given, given.url, "primary", telemetry)) {
        if (given.replica_url.empty()) { return; }
        replica = std::make_shared<Pool>(executor, given, given.replica_url, "replica", telemetry);
        const auto counter = [&](const char* reason) {
            return &telemetry.counter("database_replica_fallbacks_total",
                                      "Transactions for a replica that the primary served instead",
                                      {{"reason", reason}});
        };
        unavailable = counter("unavailable");
        lag = counter("lag");
        conflict = counter("conflict");
    }

    Task<std::optional<Lease>> lease_replica(MonotonicTime deadline, LogPosition seen);

    asio::any_io_executor executor;
    Telemetry& telemetry;
    PostgresOptions options;
    std::shared_ptr<Pool> primary;
    std::shared_ptr<Pool> replica;  // may be null
    MonotonicTime replica_rests_until = MonotonicTime::min();
    Counter* unavailable = nullptr;
    Counter* lag = nullptr;
    Counter* conflict = nullptr;
};

namespace {

// A connection that has not been told to begin: the first trip does.
class PostgresTransaction final : public Transaction {
public:
    PostgresTransaction(Lease lease, const TransactionOptions& options, bool wants_position)
        : lease_(std::move(lease)), options_(options), wants_position_(wants_position) {}

    // Where to go when a replica gives up before it has answered anything.
    void fall_back_to(std::shared_ptr<Pool> primary, Counter* count, MonotonicTime deadline) {
        primary_ = std::move(primary);
        fallbacks_ = count;
        deadline_ = deadline;
    }

    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
        return travel(std::move(calls), false);
    }
    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
        return travel(std::move(last), true);
    }
    LogPosition position() const override { return position_; }

private:
    Task<Result<std::vector<Rows>>> travel(std::vector<Call> calls, bool commit) {
        if (!lease_) { co_return failure(over_.value_or(ended())); }
        postgres::Trip trip;
        trip.begin = begun_ ? nullptr : &begin_statement(options_);
        trip.calls = &calls;
        trip.commit = commit;
        trip.read_only = options_.access == Access::read_only;
        trip.wants_position = commit && wants_position_ && !trip.read_only;
        auto rows = co_await (*lease_)->run(trip);
        if (!rows && !begun_ && primary_ && rows.error().code() != "deadline-exceeded" &&
            rows.error().kind() == ErrorKind::retryable) {
            fallbacks_->add();
            lease_.reset();
            auto leased = co_await primary_->acquire(deadline_);
            if (!leased) { co_return failure(std::move(leased).error()); }
            lease_.emplace(*std::move(leased));
            rows = co_await (*lease_)->run(trip);
        }
        begun_ = true;
        if (rows && trip.wants_position) { position_ = (*lease_)->position(); }
        if (!rows && rows.error().code() == "deadline-exceeded") { over_ = rows.error(); }
        // Whatever failed, only rollback is left: the pool's.
        if (!rows || commit) { lease_.reset(); }
        co_return rows;
    }

    std::optional<Lease> lease_;  // until it is over
    TransactionOptions options_;
    bool wants_position_;
    bool begun_ = false;
    LogPosition position_ = 0;
    std::optional<Error> over_;
    std::shared_ptr<Pool> primary_;
    Counter* fallbacks_ = nullptr;
    MonotonicTime deadline_;
};

}  // namespace

// Nothing when the primary has to do.
Task<std::optional<Lease>> PostgresDatabase::State::lease_replica(MonotonicTime deadline,
                                                                  LogPosition seen) {
    if (now() < replica_rests_until) {
        unavailable->add();
        co_return std::nullopt;
    }
    auto leased = co_await replica->acquire(deadline);
    if (!leased) {
        unavailable->add();
        if (leased.error().code() == "unavailable") {
            replica_rests_until = now() + options.replica_rest;
        }
        co_return std::nullopt;
    }
    if (seen > 0) {
        std::vector<Call> calls;
        calls.emplace_back(replayed_statement, Row());
        postgres::Trip trip;
        trip.calls = &calls;
        const auto answer = co_await (*leased)->run(trip);
        const auto* replayed =
            answer ? std::get_if<std::int64_t>(&answer->at(0).rows.at(0).at(0)) : nullptr;
        if (replayed == nullptr || static_cast<LogPosition>(*replayed) < seen) {
            (answer ? lag : unavailable)->add();
            co_return std::nullopt;
        }
    }
    co_return std::optional<Lease>(*std::move(leased));
}

PostgresDatabase::PostgresDatabase(std::shared_ptr<State> state) : state_(std::move(state)) {}

PostgresDatabase::~PostgresDatabase() {
    state_->primary->stop();
    if (state_->replica) { state_->replica->stop(); }
}

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::create(asio::any_io_executor executor,
                                                                   PostgresOptions options,
                                                                   Telemetry& telemetry) {
    RP_CHECK(check_postgres_url(options.url));
    if (!options.replica_url.empty()) { RP_CHECK(check_postgres_url(options.replica_url)); }
    auto state = std::make_shared<State>(executor, options, telemetry);
    return std::unique_ptr<PostgresDatabase>(new PostgresDatabase(std::move(state)));
}

Task<Result<std::unique_ptr<Transaction>>> PostgresDatabase::begin(Context context,
                                                                   TransactionOptions options) {
    const std::shared_ptr<State> state = state_;
    const MonotonicTime deadline = context.deadline;
    if (now() >= deadline) {
        co_return failure(ErrorKind::retryable, "deadline-exceeded", "the deadline has passed");
    }
    const bool may_lag = options.route == Route::replica && options.access == Access::read_only;
    if (may_lag && state->replica) {
        std::optional<Lease> lease = co_await state->lease_replica(deadline, options.seen);
        if (lease) {
            auto reader = std::make_unique<PostgresTransaction>(*std::move(lease), options, false);
            reader->fall_back_to(state->primary, state->conflict, deadline);
            co_return std::unique_ptr<Transaction>(std::move(reader));
        }
    }
    RP_CO_TRY(Lease lease, co_await state->primary->acquire(deadline));
    co_return std::make_unique<PostgresTransaction>(std::move(lease), options,
                                                    state->replica != nullptr);
}

Task<Result<std::shared_ptr<InsertLog>>> PostgresDatabase::open_log(Context context,
                                                                    std::string publication) {
    const std::shared_ptr<State> state = state_;
    Gauge& lag = state->telemetry.gauge("database_log_lag_bytes",
                                        "Log that the server keeps because it was not confirmed",
                                        {{"publication", publication}});
    RP_CO_TRY(const postgres::Slot slot, co_await postgres::find_slot(*this, context, publication));
    lag.set(static_cast<double>(slot.lag));
    if (slot.is_read) {
        co_return failure(ErrorKind::retryable, "log-in-use", "another process reads the log");
    }
    const MonotonicTime deadline = context.deadline;
    RP_CO_TRY(auto connection,
              co_await postgres::LogConnection::open(state->executor, state->options.url, slot.name,
                                                     std::move(publication), lag, deadline));
    co_return std::make_shared<postgres::PostgresLog>(state->executor, *this,
                                                      std::move(connection));
}

Result<void> check_postgres_url(const std::string& url) {
    char* reason = nullptr;
    PQconninfoOption* const parsed = PQconninfoParse(url.c_str(), &reason);
    PQfreemem(reason);
    if (parsed == nullptr) {
        return failure(ErrorKind::permanent, "bad-url",
                       "not a PostgreSQL URL such as postgresql://user@host:5432/database");
    }
    PQconninfoFree(parsed);
    return {};
}

}  // namespace rushproof
