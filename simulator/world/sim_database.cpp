#include "simulator/world/sim_database.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "simulator/world/fault_points.hpp"

namespace rushproof::simulator {

namespace {

// PostgresOptions::connect_timeout and replica_rest.
constexpr Duration connect_timeout = std::chrono::seconds(2);
constexpr Duration replica_rest = std::chrono::seconds(1);

std::uint64_t hash_calls(const std::vector<Call>& calls) {
    std::uint64_t hash = calls.size();
    for (const Call& call : calls) {
        hash = combine64(combine64(hash, hash64(call.statement->name)), hash_row(call.arguments));
    }
    return hash;
}

Error connection_lost() {
    return {ErrorKind::retryable, "connection-lost",
            "the database connection was lost; nothing was committed"};
}

// The network's own words for "the answer did not come".
bool is_lost(const Error& error) {
    return error.kind() == ErrorKind::unknown_outcome || error.code() == "unavailable";
}

}  // namespace

class SimTransaction final : public Transaction {
public:
    SimTransaction(SimDatabase& database, Context context, TransactionOptions options,
                   DatabaseServer& server, bool replica)
        : database_(database),
          context_(std::move(context)),
          options_(options),
          server_(&server),
          replica_(replica),
          key_{database.host_.machine().index(), database.host_.incarnation(),
               ++database.sessions_} {}
    SimTransaction(const SimTransaction&) = delete;
    SimTransaction& operator=(const SimTransaction&) = delete;

    ~SimTransaction() override {
        // A crash destroys frames with transactions in them: the reset of the connection cleans up.
        if (!database_.host_.alive()) { return; }
        close();
        database_.give_back();
    }

    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
        return round_trip("execute", std::move(calls), false);
    }

    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
        return round_trip("commit", std::move(last), true);
    }

    LogPosition position() const override { return position_; }

private:
    Task<Result<std::vector<Rows>>> round_trip(TraceText what, std::vector<Call> calls,
                                               bool commits) {
        if (ended_) { co_return failure(connection_lost()); }
        if (!database_.points_.empty()) { co_await pass(what.text(), "before"); }
        const bool may_fall_back = replica_ && !begun_;
        std::vector<Call> again = may_fall_back ? calls : std::vector<Call>();
        auto result = co_await trip(what, std::move(calls), commits);
        const bool refused = !result && result.error().kind() == ErrorKind::retryable &&
                             result.error().code() != "deadline-exceeded";
        if (may_fall_back && refused) {
            close();
            auto primary = co_await database_.find_primary(context_.deadline);
            if (!primary) { co_return failure(std::move(primary).error()); }
            server_ = *primary;
            replica_ = false;
            begun_ = false;
            key_.number = ++database_.sessions_;
            result = co_await trip(what, std::move(again), commits);
        }
        if (!database_.points_.empty()) { co_await pass(what.text(), "after"); }
        co_return result;
    }

    Task<Result<std::vector<Rows>>> trip(TraceText what, std::vector<Call> calls, bool commits) {
        const DatabaseServer::Stage stage{.opens = !std::exchange(begun_, true),
                                          .commits = commits};
        DatabaseServer& server = *server_;
        const std::uint64_t payload = hash_calls(calls);
        auto serve = [&server, key = key_, options = options_, calls = std::move(calls), stage](
                         Host&, Context) mutable {
            return DatabaseServer::run(server, key, options, std::move(calls), stage);
        };
        Context context(context_.deadline);
        auto answer = co_await database_.network_.call<DatabaseAnswer>(
            database_.host_, server.machine(), what, payload, std::move(context), std::move(serve));
        // A commit ends the session at the server; so does nothing else but close().
        if (commits && (answer || !is_lost(answer.error()))) { ended_ = true; }
        if (answer) {
            if (commits && database_.has_replicas()) { position_ = answer->position; }
            co_return std::move(answer->results);
        }
        Error error = std::move(answer).error();
        if (is_lost(error) || error.code() == "connection-lost") {
            database_.lost(server, replica_);
        }
        if (commits && error.kind() == ErrorKind::unknown_outcome) {
            error = {ErrorKind::unknown_outcome, "commit-unknown",
                     "the connection was lost after COMMIT was sent"};
        } else if (!commits && is_lost(error)) {
            error = connection_lost();
        }
        co_return failure(std::move(error));
    }

    void close() {
        if (!begun_ || ended_) { return; }
        DatabaseServer& server = *server_;
        database_.network_.send(database_.host_, server.machine(), "close", key_.number,
                                [&server, key = key_](Host&) { server.close(key); });
    }

    Task<void> pass(std::string_view call, std::string_view when) {
        const bool struck =
            database_.points_.reach(database_.host_.name(), context_.trace.span, call, when);
        if (struck) { co_await sleep_for(database_.host_.clock(), Duration(1)); }
    }

    SimDatabase& database_;
    Context context_;
    TransactionOptions options_;
    DatabaseServer* server_;
    bool replica_;  // it began on one, and may fall back
    DatabaseServer::SessionKey key_;
    bool begun_ = false;
    bool ended_ = false;
    LogPosition position_ = 0;
};

SimDatabase::SimDatabase(Host& host, Network& network, DatabaseCluster& cluster,
                         FaultPoints& points)
    : host_(host),
      network_(network),
      cluster_(cluster),
      points_(points),
      connected_(has_replicas() ? nullptr : &cluster.primary()) {}

Task<Result<std::unique_ptr<Transaction>>> SimDatabase::begin(Context context,
                                                              TransactionOptions options) {
    if (in_use_ >= connections_max) {
        const auto granted = co_await host_.reply<bool>(
            "connection", context.deadline, [this](ReplyTo<bool> to) { waiters_.push_back(to); });
        if (!granted) {
            co_return failure(ErrorKind::retryable, "pool-exhausted",
                              "no database connection became free in time");
        }
    } else {
        ++in_use_;
    }
    const bool may_lag = options.route == Route::replica && options.access == Access::read_only;
    DatabaseServer* server = nullptr;
    if (may_lag && has_replicas()) {
        server = co_await find_replica(context.deadline, options.seen);
    }
    const bool replica = server != nullptr;
    if (!replica) {
        auto primary = co_await find_primary(context.deadline);
        if (!primary) {
            give_back();
            co_return failure(std::move(primary).error());
        }
        server = *primary;
    }
    co_return std::make_unique<SimTransaction>(*this, std::move(context), options, *server,
                                               replica);
}

Task<Result<DatabaseServer*>> SimDatabase::find_primary(MonotonicTime deadline) {
    if (connected_ != nullptr) { co_return connected_; }
    for (const auto& server : cluster_.servers()) {
        const auto replayed = co_await ask_replayed(*server, deadline);
        if (replayed && *replayed == DatabaseServer::no_standby) {
            connected_ = server.get();
            co_return connected_;
        }
    }
    co_return failure(ErrorKind::retryable, "unavailable",
                      "no server of the database takes writes");
}

Task<DatabaseServer*> SimDatabase::find_replica(MonotonicTime deadline, LogPosition seen) {
    if (host_.clock().monotonic() < replicas_rest_until_) { co_return nullptr; }
    const auto& servers = cluster_.servers();
    const std::size_t replicas = servers.size() - 1;
    const std::size_t chosen = replicas == 1 ? 0 : host_.random().next() % replicas;
    DatabaseServer* const replica = servers[1 + chosen].get();
    if (seen == 0) { co_return replica; }
    const auto replayed = co_await ask_replayed(*replica, deadline);
    if (!replayed) { lost(*replica, true); }
    const bool caught_up =
        replayed && *replayed >= 0 && static_cast<LogPosition>(*replayed) >= seen;
    co_return caught_up ? replica : nullptr;
}

Task<Result<std::int64_t>> SimDatabase::ask_replayed(DatabaseServer& server,
                                                     MonotonicTime deadline) {
    const Context context(std::min(deadline, host_.clock().monotonic() + connect_timeout));
    auto serve = [&server](Host&, Context) { return DatabaseServer::ask_replayed(server); };
    return network_.call<std::int64_t>(host_, server.machine(), "connect", 0, context,
                                       std::move(serve));
}

void SimDatabase::lost(const DatabaseServer& server, bool as_replica) {
    if (as_replica) {
        replicas_rest_until_ = host_.clock().monotonic() + replica_rest;
    } else if (connected_ == &server && has_replicas()) {
        connected_ = nullptr;
    }
}

void SimDatabase::give_back() {
    // The connection goes straight to the first that still waits.
    while (!waiters_.empty()) {
        const ReplyTo<bool> next = waiters_.front();
        waiters_.pop_front();
        if (host_.answer(next, Result<bool>(true))) { return; }
    }
    --in_use_;
}

}  // namespace rushproof::simulator
