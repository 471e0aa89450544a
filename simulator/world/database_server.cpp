#include "simulator/world/database_server.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

// Writing the log to disk, as fdatasync does: about a tenth of a millisecond on a good disk.
constexpr Duration flush_base = std::chrono::microseconds(100);
constexpr Duration flush_tail = std::chrono::microseconds(40);
// How long the network takes to tell the server that a client's process has died.
constexpr Duration reset_delay = std::chrono::microseconds(200);
constexpr Duration applied_later_mean = std::chrono::milliseconds(200);
// As core/real/postgres asks of every session.
constexpr Duration lock_timeout = std::chrono::seconds(5);
constexpr Duration statement_timeout = std::chrono::seconds(10);
constexpr Duration drain_grace = std::chrono::seconds(1);
constexpr Duration drain_poll = std::chrono::milliseconds(1);

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

Error connection_lost() {
    return {ErrorKind::retryable, "connection-lost",
            "the database connection was lost; nothing was committed"};
}

// What core/real/postgres makes of these SQLSTATEs.
Error as_port(Error error) {
    const std::string& message = error.message();
    if (message.ends_with("(25006)") || message.ends_with("(53100)")) {
        return {ErrorKind::retryable, "connection-lost", message};
    }
    if (message.ends_with("(57014)")) {
        return {ErrorKind::retryable, "deadline-exceeded", message};
    }
    return error;
}

}  // namespace

std::uint64_t hash_row(const Row& row) {
    std::uint64_t hash = row.size();
    for (const Value& value : row) { hash = combine64(hash, hash_value(value)); }
    return hash;
}

std::uint64_t PayloadHash<DatabaseAnswer>::of(const DatabaseAnswer& answer) {
    std::uint64_t hash = combine64(answer.results.size(), answer.position);
    for (const Rows& rows : answer.results) {
        hash = combine64(hash, static_cast<std::uint64_t>(rows.affected));
        for (const Row& row : rows.rows) { hash = combine64(hash, hash_row(row)); }
    }
    return hash;
}

DatabaseServer::DatabaseServer(Network& network, Machine& machine, const ModelSchema& schema,
                               const SystemSpec& system)
    : scheduler_(machine.scheduler()),
      network_(network),
      machine_(machine),
      system_(system),
      crash_draws_(keyed_stream(scheduler_.seed(), "database-crash", hash64(machine.name()))),
      flush_draws_(keyed_stream(scheduler_.seed(), "flush", hash64(machine.name()))),
      replay_draws_(keyed_stream(scheduler_.seed(), "replay", hash64(machine.name()))) {
    model_ = std::make_unique<ModelDatabase>(schema, model_options());
    scheduler_.on_crash([this](Host& host) {
        if (&host.machine() != &machine_) {
            client_crashed(host.machine().index(), host.incarnation());
        }
    });
}

DatabaseServer::~DatabaseServer() = default;

ModelOptions DatabaseServer::model_options() {
    ModelOptions options;
    options.wall = [this] { return machine_.clock().wall(scheduler_.now()); };
    options.elapsed = [this] { return scheduler_.now(); };
    options.flush = [this]() -> Task<void> {
        const Duration time = flush_time();
        co_await sleep_for(host_->clock(), time);
    };
    options.flushed = [this] { send_log(); };
    if (system_.synchronous_standbys > 0) {
        options.replicated = [this](LogPosition position) {
            return wait_until_replicated(*this, position);
        };
    }
    options.sleep = [this](Duration time) -> Task<void> {
        co_await sleep_for(host_->clock(), time);
    };
    options.after = [this](Duration time, std::function<void()> call) {
        scheduler_.at(scheduler_.now() + time, std::move(call));
    };
    options.lock_timeout = lock_timeout;
    options.statement_timeout = statement_timeout;
    options.synchronous_commit = system_.synchronous_commit;
    return options;
}

void DatabaseServer::start() {
    RP_ASSERT(!up());
    host_ = std::make_unique<Host>(machine_);
    host_->listen();
    if (standby()) {
        host_->spawn("catch up", catch_up(*this, attachment_));
        replay_later();
    } else {
        send_log();
    }
}

std::size_t DatabaseServer::kill() {
    RP_ASSERT(up());
    // Of the commits that were on their way to the disk, some have arrived.
    const std::size_t kept = crash_draws_.below(model_->unflushed() + 1);
    // The tables first: they must not see the calls of a dead process unwind.
    const std::size_t lost = model_->crash(kept);
    sessions_.clear();
    waiting_.clear();
    calls_ = 0;
    host_->crash();
    host_.reset();
    return lost;
}

void DatabaseServer::shut_down(std::function<void()> ended) {
    RP_ASSERT(up());
    host_->close();
    terminate_sessions();
    host_->spawn("shut down", drain(*this, std::move(ended)));
}

Task<void> DatabaseServer::drain(DatabaseServer& server, std::function<void()> ended) {
    Clock& clock = server.host_->clock();
    const MonotonicTime give_up = clock.monotonic() + drain_grace;
    while ((server.calls_ > 0 || server.model_->unflushed() > 0) && clock.monotonic() < give_up) {
        co_await sleep_for(clock, drain_poll);
    }
    server.scheduler_.between_steps(std::move(ended));
}

std::size_t DatabaseServer::terminate_sessions() {
    for (const auto& [key, session] : sessions_) { session->terminate(); }
    return sessions_.size();
}

void DatabaseServer::client_crashed(std::uint32_t machine, std::uint32_t incarnation) {
    scheduler_.at(scheduler_.now() + reset_delay, [this, machine, incarnation] {
        const auto first = sessions_.lower_bound(SessionKey{machine, incarnation, 0});
        const auto last = sessions_.lower_bound(SessionKey{machine, incarnation + 1, 0});
        sessions_.erase(first, last);
        reset_[machine] = incarnation;
    });
}

bool DatabaseServer::is_reset(const SessionKey& key) const {
    const auto found = reset_.find(key.machine);
    return found != reset_.end() && key.incarnation <= found->second;
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

void DatabaseServer::slow_disk(const std::string& id, Duration delay, Duration jitter) {
    RandomStream draws = keyed_stream(scheduler_.seed(), "disk-slow", hash64(id));
    slow_.emplace(id, SlowDisk{delay, jitter, draws});
}

std::optional<std::uint64_t> DatabaseServer::heal_disk(const std::string& id) {
    const auto found = slow_.find(id);
    if (found == slow_.end()) { return std::nullopt; }
    const std::uint64_t slowed = found->second.slowed;
    slow_.erase(found);
    return slowed;
}

Duration DatabaseServer::flush_time() {
    Duration time = flush_base + flush_draws_.exponential(flush_tail);
    for (auto& [id, slow] : slow_) {
        ++slow.slowed;
        time += slow.delay + slow.draws.between(Duration::zero(), slow.jitter);
    }
    return time;
}

Task<Result<DatabaseAnswer>> DatabaseServer::run(DatabaseServer& server, SessionKey key,
                                                 TransactionOptions options,
                                                 std::vector<Call> calls, Stage stage) {
    ++server.calls_;
    auto result = co_await answer(server, key, options, std::move(calls), stage);
    --server.calls_;
    co_return result;
}

Task<Result<DatabaseAnswer>> DatabaseServer::answer(DatabaseServer& server, SessionKey key,
                                                    TransactionOptions options,
                                                    std::vector<Call> calls, Stage stage) {
    auto found = server.sessions_.find(key);
    if (found == server.sessions_.end()) {
        // Only its first message opens a session.  A later one that finds none comes from a
        // transaction that died with its connection: half of it must not be taken for a whole.
        if (!stage.opens || server.is_reset(key)) { co_return failure(connection_lost()); }
        found = server.sessions_.emplace(key, server.model_->open_session()).first;
        if (auto begun = found->second->begin(options); !begun) {
            Error error = as_port(begun.error());
            server.close(key);
            co_return failure(std::move(error));
        }
    }
    // A reset connection erases the session while this call waits: keep it until the call ends.
    const std::shared_ptr<ModelSession> session = found->second;
    Result<std::vector<Rows>> results;
    if (stage.commits) {
        const CommitFate fate = server.next_fate();
        results = co_await session->commit(std::move(calls), fate);
        server.close(key);
    } else {
        results = co_await session->execute(std::move(calls));
    }
    if (!results) { co_return failure(as_port(std::move(results).error())); }
    DatabaseAnswer answer;
    answer.results = std::move(*results);
    if (stage.commits) { answer.position = server.model_->position(); }
    co_return answer;
}

}  // namespace rushproof::simulator
