// The model database as a server on a machine of its own, and the Database port of each process
// that talks to it over the simulated network.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "core/ports/database.hpp"
#include "simulator/models/database/database.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

class FaultPoints;

std::uint64_t hash_row(const Row& row);

template <>
struct PayloadHash<std::vector<Rows>> {
    static std::uint64_t of(const std::vector<Rows>& results);
};

// Outlives the processes of its machine: kill the Host, then call crashed(); a new Host serves the
// recovered tables.
class DatabaseServer {
public:
    DatabaseServer(Scheduler& scheduler, Machine& machine, ModelSchema schema);
    DatabaseServer(const DatabaseServer&) = delete;
    DatabaseServer& operator=(const DatabaseServer&) = delete;
    ~DatabaseServer();

    Machine& machine() const { return machine_; }
    ModelDatabase& model() { return *model_; }

    // Until healed, this share (millionths) of the commits loses its answer: a third each was
    // applied, was not, is applied later.  heal answers how many did.
    void lose_commit_answers(const std::string& id, std::uint32_t millionths);
    std::uint64_t heal_commits(const std::string& id);

    // The database process died; it comes up again with what its log holds.
    void crashed();
    // A client process died: its sessions end when its connections are reset.
    void client_crashed(std::uint32_t machine, std::uint32_t incarnation);

private:
    friend class SimDatabase;
    friend class SimTransaction;

    // Who opened a session: (machine, incarnation, number).
    struct SessionKey {
        std::uint32_t machine;
        std::uint32_t incarnation;
        std::uint64_t number;
        friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
    };
    struct LossyCommits {
        std::uint32_t millionths;
        RandomStream draws;
        std::uint64_t lost = 0;
    };

    // Which message of its transaction it is; one may be both.
    struct Stage {
        bool opens;
        bool commits;
    };

    static Task<Result<std::vector<Rows>>> run(DatabaseServer& server, SessionKey key,
                                               TransactionOptions options, std::vector<Call> calls,
                                               Stage stage);
    bool is_reset(const SessionKey& key) const;
    void close(SessionKey key) { sessions_.erase(key); }
    CommitFate next_fate();

    Scheduler& scheduler_;
    Machine& machine_;
    std::unique_ptr<ModelDatabase> model_;
    std::map<SessionKey, std::shared_ptr<ModelSession>> sessions_;
    std::map<std::uint32_t, std::uint32_t> reset_;  // machine -> the last incarnation that died
    std::map<std::string, LossyCommits> lossy_;
    RandomStream crash_draws_;
};

// The pool of one process: at most `connections_max` transactions at a time; further ones wait, in
// order, until their deadline.
class SimDatabase final : public Database {
public:
    // All outlive the process's last transaction.
    SimDatabase(Host& host, Network& network, DatabaseServer& server, FaultPoints& points);

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options) override;

    static constexpr std::size_t connections_max = 32;

private:
    friend class SimTransaction;

    void give_back();

    Host& host_;
    Network& network_;
    DatabaseServer& server_;
    FaultPoints& points_;
    std::size_t in_use_ = 0;
    std::uint64_t sessions_ = 0;
    std::deque<ReplyTo<bool>> waiters_;
};

}  // namespace rushproof::simulator
