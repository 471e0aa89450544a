#include "simulator/world/sim_database.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"
#include "simulator/world/fault_points.hpp"

namespace rushproof::simulator {

namespace {

// Writing the log to disk, as fdatasync does: about a tenth of a millisecond on a good disk.
constexpr Duration flush_base = std::chrono::microseconds(100);
constexpr Duration flush_tail = std::chrono::microseconds(40);
// How long the network takes to tell the server that a client's process has died.
constexpr Duration reset_delay = std::chrono::microseconds(200);
constexpr Duration applied_later_mean = std::chrono::milliseconds(200);

std::uint64_t hash_value(const Value& value) {
    const auto kind = static_cast<std::uint64_t>(value.index());
    if (const auto* text = std::get_if<std::string>(&value)) {
        return combine64(kind, hash64(*text));
    }
    struct Hasher {
        std::uint64_t operator()(std::monostate) const { return 0; }
        std::uint64_t operator()(std::int64_t number) const {
            return mix64(static_cast<std::uint64_t>(number));
        }
        std::uint64_t operator()(const std::string& text) const { return hash64(text); }
        std::uint64_t operator()(const Bytes& bytes) const { return hash64(bytes.data); }
        std::uint64_t operator()(WallTime time) const {
            return mix64(static_cast<std::uint64_t>(time.time_since_epoch().count()));
        }
        std::uint64_t operator()(const std::vector<std::int64_t>& numbers) const {
            std::uint64_t hash = numbers.size();
            for (const auto number : numbers) {
                hash = combine64(hash, static_cast<std::uint64_t>(number));
            }
            return hash;
        }
        std::uint64_t operator()(const std::vector<std::string>& texts) const {
            std::uint64_t hash = texts.size();
            for (const auto& text : texts) { hash = combine64(hash, hash64(text)); }
            return hash;
        }
    };
    return combine64(kind, std::visit(Hasher(), value));
}

}  // namespace

std::uint64_t hash_row(const Row& row) {
    std::uint64_t hash = row.size();
    for (const Value& value : row) { hash = combine64(hash, hash_value(value)); }
    return hash;
}

namespace {

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

}  // namespace

std::uint64_t PayloadHash<std::vector<Rows>>::of(const std::vector<Rows>& results) {
    std::uint64_t hash = results.size();
    for (const Rows& rows : results) {
        hash = combine64(hash, static_cast<std::uint64_t>(rows.affected));
        for (const Row& row : rows.rows) { hash = combine64(hash, hash_row(row)); }
    }
    return hash;
}

DatabaseServer::DatabaseServer(Scheduler& scheduler, Machine& machine, ModelSchema schema)
    : scheduler_(scheduler),
      machine_(machine),
      crash_draws_(keyed_stream(scheduler.seed(), "database-crash")) {
    ModelOptions options;
    options.wall = [this] { return machine_.clock().wall(scheduler_.now()); };
    options.elapsed = [this] { return scheduler_.now(); };
    auto flush_draws = std::make_shared<RandomStream>(keyed_stream(scheduler.seed(), "flush"));
    options.flush = [this, flush_draws]() -> Task<void> {
        const Duration time = flush_base + flush_draws->exponential(flush_tail);
        co_await sleep_for(machine_.host()->clock(), time);
    };
    options.sleep = [this](Duration time) -> Task<void> {
        co_await sleep_for(machine_.host()->clock(), time);
    };
    model_ = std::make_unique<ModelDatabase>(std::move(schema), std::move(options));
    scheduler_.on_crash([this](Host& host) {
        if (&host.machine() != &machine_) {
            client_crashed(host.machine().index(), host.incarnation());
        }
    });
}

DatabaseServer::~DatabaseServer() = default;

void DatabaseServer::crashed() {
    // Of the commits that were on their way to the disk, some have arrived.
    const std::size_t kept = crash_draws_.below(model_->unflushed() + 1);
    model_->crash(kept);
    sessions_.clear();
}

void DatabaseServer::client_crashed(std::uint32_t machine, std::uint32_t incarnation) {
    scheduler_.at(scheduler_.now() + reset_delay, [this, machine, incarnation] {
        const auto first = sessions_.lower_bound(SessionKey{machine, incarnation, 0});
        const auto last = sessions_.lower_bound(SessionKey{machine, incarnation + 1, 0});
        sessions_.erase(first, last);
        reset_[machine] = incarnation;
    });
}

void DatabaseServer::lose_commit_answers(const std::string& id, std::uint32_t millionths) {
    lossy_.emplace(id, LossyCommits{millionths,
                                    keyed_stream(scheduler_.seed(), "commit-unknown", hash64(id))});
}

std::uint64_t DatabaseServer::heal_commits(const std::string& id) {
    const auto found = lossy_.find(id);
    if (found == lossy_.end()) { return 0; }
    const std::uint64_t lost = found->second.lost;
    lossy_.erase(found);
    return lost;
}

CommitFate DatabaseServer::next_fate() {
    for (auto& [id, lossy] : lossy_) {
        if (!lossy.draws.chance(lossy.millionths)) { continue; }
        ++lossy.lost;
        switch (lossy.draws.below(3)) {
            case 0: return {CommitOutcome::applied_unanswered, {}};
            case 1: return {CommitOutcome::never_applied, {}};
            default:
                return {CommitOutcome::applied_later, lossy.draws.exponential(applied_later_mean)};
        }
    }
    return {};
}

bool DatabaseServer::is_reset(const SessionKey& key) const {
    const auto found = reset_.find(key.machine);
    return found != reset_.end() && key.incarnation <= found->second;
}

Task<Result<std::vector<Rows>>> DatabaseServer::run(DatabaseServer& server, SessionKey key,
                                                    TransactionOptions options,
                                                    std::vector<Call> calls, Stage stage) {
    auto found = server.sessions_.find(key);
    if (found == server.sessions_.end()) {
        // Only its first message opens a session.  A later one that finds none comes from a
        // transaction that died with its connection: half of it must not be taken for a whole.
        if (!stage.opens || server.is_reset(key)) { co_return failure(connection_lost()); }
        found = server.sessions_.emplace(key, server.model_->open_session()).first;
        if (auto begun = found->second->begin(options); !begun) {
            Error error = begun.error();
            server.close(key);
            co_return failure(std::move(error));
        }
    }
    // A reset connection erases the session while this call waits: keep it until the call ends.
    const std::shared_ptr<ModelSession> session = found->second;
    if (!stage.commits) { co_return co_await session->execute(std::move(calls)); }
    const CommitFate fate = server.next_fate();
    auto result = co_await session->commit(std::move(calls), fate);
    server.close(key);
    co_return result;
}

class SimTransaction final : public Transaction {
public:
    SimTransaction(SimDatabase& database, Context context, TransactionOptions options,
                   std::uint64_t number)
        : database_(database),
          context_(std::move(context)),
          options_(options),
          key_{database.host_.machine().index(), database.host_.incarnation(), number} {}
    SimTransaction(const SimTransaction&) = delete;
    SimTransaction& operator=(const SimTransaction&) = delete;

    ~SimTransaction() override {
        // A crash destroys frames with transactions in them: the reset of the connection cleans up.
        if (!database_.host_.alive()) { return; }
        if (begun_ && !ended_) {
            DatabaseServer& server = database_.server_;
            database_.network_.send(database_.host_, server.machine(), "close", key_.number,
                                    [&server, key = key_](Host&) { server.close(key); });
        }
        database_.give_back();
    }

    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
        return round_trip("execute", std::move(calls), false);
    }

    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
        return round_trip("commit", std::move(last), true);
    }

private:
    // The network's own words for "the answer did not come".
    static bool is_lost(const Error& error) {
        return error.kind() == ErrorKind::unknown_outcome || error.code() == "unavailable";
    }

    Task<Result<std::vector<Rows>>> round_trip(TraceText what, std::vector<Call> calls,
                                               bool commits) {
        if (ended_) { co_return failure(connection_lost()); }
        if (!database_.points_.empty()) { co_await pass(what.text(), "before"); }
        const DatabaseServer::Stage stage{.opens = !std::exchange(begun_, true),
                                          .commits = commits};
        DatabaseServer& server = database_.server_;
        const std::uint64_t payload = hash_calls(calls);
        auto serve = [&server, key = key_, options = options_, calls = std::move(calls), stage](
                         Host&, Context) mutable {
            return DatabaseServer::run(server, key, options, std::move(calls), stage);
        };
        Context context(context_.deadline);
        auto result = co_await database_.network_.call<std::vector<Rows>>(
            database_.host_, server.machine(), what, payload, std::move(context), std::move(serve));
        // A commit ends the session at the server; so does nothing else but close().
        if (commits && (result || !is_lost(result.error()))) { ended_ = true; }
        if (!database_.points_.empty()) { co_await pass(what.text(), "after"); }
        if (result) { co_return result; }
        if (commits && result.error().kind() == ErrorKind::unknown_outcome) {
            co_return failure(ErrorKind::unknown_outcome, "commit-unknown",
                              "the connection was lost after COMMIT was sent");
        }
        if (!commits && is_lost(result.error())) { co_return failure(connection_lost()); }
        co_return result;
    }

    Task<void> pass(std::string_view call, std::string_view when) {
        const bool struck =
            database_.points_.reach(database_.host_.name(), context_.trace.span, call, when);
        if (struck) { co_await sleep_for(database_.host_.clock(), Duration(1)); }
    }

    SimDatabase& database_;
    Context context_;
    TransactionOptions options_;
    DatabaseServer::SessionKey key_;
    bool begun_ = false;
    bool ended_ = false;
};

SimDatabase::SimDatabase(Host& host, Network& network, DatabaseServer& server, FaultPoints& points)
    : host_(host), network_(network), server_(server), points_(points) {}

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
    co_return std::make_unique<SimTransaction>(*this, std::move(context), options, ++sessions_);
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
