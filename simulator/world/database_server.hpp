// One server of a database: the model database as a process on a machine of its own.  It is a
// primary, or a standby that follows one over the simulated network.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "core/ports/database.hpp"
#include "simulator/models/database/database.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

std::uint64_t hash_row(const Row& row);

// What a transaction's message is answered with; `position` after a commit.
struct DatabaseAnswer {
    std::vector<Rows> results;
    LogPosition position = 0;
};
template <>
struct PayloadHash<DatabaseAnswer> {
    static std::uint64_t of(const DatabaseAnswer& answer);
};

// Outlives its processes: what is on its disk stays when one dies.
//
// A primary sends word of its flushed log to its standbys; what a standby has received is on its
// disk as well, and is replayed a drawn time later.  With synchronous standbys a commit waits
// until that many have received it.
class DatabaseServer {
public:
    // A primary, down.  `system` says how it commits.
    DatabaseServer(Network& network, Machine& machine, const ModelSchema& schema,
                   const SystemSpec& system);
    DatabaseServer(const DatabaseServer&) = delete;
    DatabaseServer& operator=(const DatabaseServer&) = delete;
    ~DatabaseServer();

    Machine& machine() const { return machine_; }
    const std::string& name() const { return machine_.name(); }
    ModelDatabase& model() { return *model_; }

    bool up() const { return host_ != nullptr; }
    void start();
    // The process dies at once; -> how many acknowledged commits died with it.
    std::size_t kill();
    // When the run is over: what it had in memory is not looked at again.
    void destroy_process() { host_.reset(); }
    // Ends all sessions and refuses new ones; what is being committed is answered first.  Calls
    // `ended` between steps: its owner kills what is left there.
    void shut_down(std::function<void()> ended);
    bool shutting_down() const { return up() && !host_->listening(); }

    // It must be down: becomes a standby of `primary` from a copy of its data.
    void follow(DatabaseServer& primary);
    bool standby() const { return primary_ != nullptr; }
    // What it has received of the primary's log.
    LogPosition received() const { return received_; }
    // Replays that, and is a primary from then on; -> the commits of its old one that it lacks.
    std::size_t promote();
    void set_replay_paused(bool paused);
    bool replay_paused() const { return replay_paused_; }

    // pg_terminate_backend on every session; -> how many there were.
    std::size_t terminate_sessions();
    // Until healed, this share (millionths) of the commits loses its answer: a third each was
    // applied, was not, is applied later.  heal answers how many did.
    void lose_commit_answers(const std::string& id, std::uint32_t millionths);
    std::uint64_t heal_commits(const std::string& id);
    // Until healed, each flush takes `delay` longer, and up to `jitter` more.  heal answers how
    // many did; nothing when that is no trouble of this disk.
    void slow_disk(const std::string& id, Duration delay, Duration jitter);
    std::optional<std::uint64_t> heal_disk(const std::string& id);

    // Who opened a session: (machine, incarnation, number).
    struct SessionKey {
        std::uint32_t machine;
        std::uint32_t incarnation;
        std::uint64_t number;
        friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
    };
    // Which message of its transaction it is; one may be both.
    struct Stage {
        bool opens;
        bool commits;
    };
    // As coroutines of this server's process.
    static Task<Result<DatabaseAnswer>> run(DatabaseServer& server, SessionKey key,
                                            TransactionOptions options, std::vector<Call> calls,
                                            Stage stage);
    void close(SessionKey key) { sessions_.erase(key); }
    // How far a standby has replayed; of a primary that is no question: no_standby.
    static constexpr std::int64_t no_standby = -1;
    static Task<Result<std::int64_t>> ask_replayed(DatabaseServer& server);

private:
    struct LossyCommits {
        std::uint32_t millionths;
        RandomStream draws;
        std::uint64_t lost = 0;
    };
    struct SlowDisk {
        Duration delay;
        Duration jitter;
        RandomStream draws;
        std::uint64_t slowed = 0;
    };

    ModelOptions model_options();
    static Task<Result<DatabaseAnswer>> answer(DatabaseServer& server, SessionKey key,
                                               TransactionOptions options, std::vector<Call> calls,
                                               Stage stage);
    static Task<void> drain(DatabaseServer& server, std::function<void()> ended);
    // A client process died: its sessions end when its connections are reset.
    void client_crashed(std::uint32_t machine, std::uint32_t incarnation);
    bool is_reset(const SessionKey& key) const;
    CommitFate next_fate();
    Duration flush_time();

    // As a primary.
    void send_log();
    void release_commits();
    // What enough standbys have.
    LogPosition replicated() const;
    static Task<void> wait_until_replicated(DatabaseServer& server, LogPosition position);
    static Task<Result<std::int64_t>> ask_flushed(DatabaseServer& server);

    // As a standby; `attachment` tells what is about another primary, or another copy of it.
    void receive(std::uint64_t attachment, LogPosition position);
    void replay_later();
    void replay(std::uint64_t attachment, LogPosition position);
    static Task<void> catch_up(DatabaseServer& standby, std::uint64_t attachment);
    void detach();

    Scheduler& scheduler_;
    Network& network_;
    Machine& machine_;
    const SystemSpec& system_;
    std::unique_ptr<ModelDatabase> model_;
    std::unique_ptr<Host> host_;
    // Shared, because a call outlives the reset of its connection.
    std::map<SessionKey, std::shared_ptr<ModelSession>> sessions_;
    std::map<std::uint32_t, std::uint32_t> reset_;  // machine -> the last incarnation that died
    std::size_t calls_ = 0;                         // under way
    std::map<std::string, LossyCommits> lossy_;
    std::map<std::string, SlowDisk> slow_;
    RandomStream crash_draws_;
    RandomStream flush_draws_;

    std::vector<DatabaseServer*> standbys_;
    std::multimap<LogPosition, ReplyTo<bool>> waiting_;  // commits that wait for standbys

    DatabaseServer* primary_ = nullptr;
    std::uint64_t attachment_ = 0;
    LogPosition received_ = 0;
    LogPosition acknowledged_ = 0;  // as far as the primary knows
    bool replay_paused_ = false;
    MonotonicTime last_replay_{};
    RandomStream replay_draws_;
};

}  // namespace rushproof::simulator
