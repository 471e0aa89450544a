// A database: a primary and the standbys that follow it.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/faults/chaos.hpp"
#include "simulator/world/database_server.hpp"

namespace rushproof::simulator {

// What faults may do to it answers with evidence, as Chaos does.  Everything happens between steps.
class DatabaseCluster {
public:
    // The first machine is that of the first primary; all are started.
    DatabaseCluster(Network& network, const std::vector<Machine*>& machines,
                    const ModelSchema& schema, const SystemSpec& system);
    DatabaseCluster(const DatabaseCluster&) = delete;
    DatabaseCluster& operator=(const DatabaseCluster&) = delete;
    // The processes are destroyed.
    ~DatabaseCluster();

    const std::vector<std::unique_ptr<DatabaseServer>>& servers() const { return servers_; }
    // The one that took over last: what it has is what there is.
    DatabaseServer& primary() const { return *primary_; }
    // Null when there is none of that name.
    DatabaseServer* find(std::string_view name) const;

    static std::string kill(DatabaseServer& server);
    std::string terminate(DatabaseServer& server);
    // One that was the primary before somebody took over comes back as a standby.
    std::string start(DatabaseServer& server);
    std::string promote(const Promotion& promotion);
    std::string rejoin(const std::string& id);
    static std::string pause_replay(DatabaseServer& server);
    static std::string resume_replay(DatabaseServer& server);
    std::string terminate_backends(const std::string& name);
    std::string lose_commit_answers(const std::string& id, std::uint32_t millionths);
    std::string heal_commits(const std::string& id);
    std::string shorten_lock_waits(const std::string& id, const std::string& name,
                                   Duration timeout);
    std::string heal_lock_waits(const std::string& id);
    std::string trouble_disk(const DiskTrouble& trouble);
    std::string heal_disk(const std::string& id);

private:
    // Whom a fault hit, and what was counted there before.
    struct Hit {
        DatabaseServer* server;
        std::uint64_t before;
    };

    // Of a fault that means the primary when it says the name of the database.
    DatabaseServer& meant(const std::string& name) const;
    // Null when no standby is up.
    DatabaseServer* most_advanced() const;
    void rebuild(DatabaseServer& server);

    std::vector<std::unique_ptr<DatabaseServer>> servers_;
    DatabaseServer* primary_;
    std::uint64_t timeline_ = 1;
    std::map<std::string, DatabaseServer*> demoted_;  // by the fault that did it
    std::map<std::string, Hit> hits_;
    std::map<std::string, bool> start_when_ended_;  // by server
};

}  // namespace rushproof::simulator
