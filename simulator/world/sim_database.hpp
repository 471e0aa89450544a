// The Database port of each process, over the simulated network.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>

#include "core/ports/database.hpp"
#include "simulator/world/database_cluster.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

class FaultPoints;

// The pool of one process: at most `connections_max` transactions at a time; further ones wait, in
// order, until their deadline.
//
// It finds its servers as core/real/postgres does by a URL with several hosts: the first that takes
// writes, asked for again whenever a connection broke.  A read for a replica goes to one of the
// others; one that lags behind what the reader has seen, refuses, or cancels the first round trip,
// is replaced by the primary.
class SimDatabase final : public Database {
public:
    // All outlive the process's last transaction.
    SimDatabase(Host& host, Network& network, DatabaseCluster& cluster, FaultPoints& points);

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options) override;

    static constexpr std::size_t connections_max = 32;

private:
    friend class SimTransaction;

    void give_back();
    bool has_replicas() const { return cluster_.servers().size() > 1; }
    Task<Result<DatabaseServer*>> find_primary(MonotonicTime deadline);
    // Null when the primary has to do.
    Task<DatabaseServer*> find_replica(MonotonicTime deadline, LogPosition seen);
    // A server's answer to a question about its log, within a while.
    Task<Result<std::int64_t>> ask_replayed(DatabaseServer& server, MonotonicTime deadline);
    // A connection to it broke, or it does not take writes.
    void lost(const DatabaseServer& server, bool as_replica);

    Host& host_;
    Network& network_;
    DatabaseCluster& cluster_;
    FaultPoints& points_;
    DatabaseServer* connected_;  // to whom the connections of the pool lead; null: they broke
    MonotonicTime replicas_rest_until_ = MonotonicTime::min();
    std::size_t in_use_ = 0;
    std::uint64_t sessions_ = 0;
    std::deque<ReplyTo<bool>> waiters_;
};

}  // namespace rushproof::simulator
