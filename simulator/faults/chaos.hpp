// What a fault may do to a world.  Each world implements what it can; what only virtual time can do
// is refused before a live run starts (FaultType::live).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Trouble on links, each from one instance to another.  A role means all its instances, an empty
// name everybody.
struct LinkTrouble {
    std::string id;
    std::vector<std::pair<std::string, std::string>> links;
    bool hold = false;  // nothing gets through until it is lifted, then everything in order
    Duration delay{};
    Duration jitter{};
};

// A standby of a database that takes over.
struct Promotion {
    std::string id;
    std::string target;
    bool split_brain = false;
};

// Trouble with the disk of one server of a database.
struct DiskTrouble {
    std::string id;
    std::string server;
    bool full = false;  // no more room
    Duration delay{};   // of each flush
    Duration jitter{};
};

// What one broker does.
struct BrokerTrouble {
    std::string id;
    std::string broker;
    BrokerEffect effect = BrokerEffect::redeliver;
    std::uint32_t rate = 0;  // drop_ack: millionths of the messages
};

// An operator's request to switch the pipeline to another queue.
struct SwitchOrder {
    std::string id;
    std::string to;  // provider
    Duration deadline{};
};

// Every method returns its evidence: words that show what it did, or empty when it did nothing (the
// instance was gone already).
class Chaos {
public:
    virtual ~Chaos() = default;

    virtual std::string kill(const std::string& instance) = 0;       // as SIGKILL does
    virtual std::string terminate(const std::string& instance) = 0;  // as SIGTERM does: it drains
    // Starts it again; when it is still draining, as soon as it has ended.
    virtual std::string start(const std::string& instance) = 0;
    virtual std::string pause(const std::string& instance) = 0;  // as SIGSTOP does
    virtual std::string resume(const std::string& instance) = 0;

    virtual std::string trouble_links(const LinkTrouble& trouble) = 0;
    virtual std::string heal_links(const std::string& id) = 0;
    virtual std::string step_wall_clock(const std::string& instance, Duration by) = 0;
    virtual std::string set_drift(const std::string& instance, std::int64_t ppm) = 0;
    // Of the commits, this share (millionths) loses its answer until healed.
    virtual std::string lose_commit_answers(const std::string& id, std::uint32_t millionths) = 0;
    virtual std::string heal_commits(const std::string& id) = 0;

    // In the five that follow "database" means whichever of its servers is the primary then.
    // pg_terminate_backend on all client sessions.
    virtual std::string terminate_backends(const std::string& server) = 0;
    // That standby takes over, "database": the one that has most of the log.  The old primary is
    // killed before, unless it is to go on as well, until rejoin() makes it a standby.
    virtual std::string promote(const Promotion& promotion) = 0;
    virtual std::string rejoin(const std::string& id) = 0;
    // Waits for locks fail that late (lock_timeout), until healed.
    virtual std::string shorten_lock_waits(const std::string& id, const std::string& server,
                                           Duration timeout) = 0;
    virtual std::string heal_lock_waits(const std::string& id) = 0;

    // As pg_wal_replay_pause and _resume do, on a standby.
    virtual std::string pause_replay(const std::string& server) = 0;
    virtual std::string resume_replay(const std::string& server) = 0;
    virtual std::string trouble_disk(const DiskTrouble& trouble) = 0;
    virtual std::string heal_disk(const std::string& id) = 0;

    // What lasts is over with heal: acknowledgements, a leader, the power.
    virtual std::string trouble_broker(const BrokerTrouble& trouble) = 0;
    virtual std::string heal_broker(const BrokerTrouble& trouble) = 0;

    // Asks for it over the public API and does not wait.  Its end comes when the world knows the
    // outcome, or at the deadline; then the evidence says what came of it.
    virtual std::string switch_queue(const SwitchOrder& order) = 0;
    virtual std::string end_switch(const std::string& id) = 0;
};

}  // namespace rushproof::simulator
