// The real system under test: rushproofd processes, and what faults may do to them.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/faults/chaos.hpp"
#include "simulator/live/child.hpp"
#include "simulator/live/held_port.hpp"
#include "simulator/live/private_postgres.hpp"
#include "simulator/live/read_database.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Each gateway is a process, and so is each inventory on PostgreSQL.  On SQLite all inventories of
// a shard share one, because a file has one owner: with one shard "inventory/1" means the same
// process as "inventory/0".
// Used by one thread at a time.
class LiveSystem final : public Chaos {
public:
    // `stack` is infra/stack/stack, for a scenario on PostgreSQL.
    LiveSystem(const Scenario& scenario, std::string program, std::string stack,
               std::filesystem::path directory);
    ~LiveSystem() override;

    // Starts everything on free loopback ports and waits until it is ready.
    Result<void> start_all();
    // SIGTERM, and a while to drain; an error names who did not end well.  The database stays.
    Result<void> stop_all();
    Result<DatabaseContents> read_database() const;

    const std::vector<std::string>& gateway_urls() const { return gateway_urls_; }
    // "gateway/0: 21 MB at most", of those that run.
    std::vector<std::string> memory_notes() const;

    std::string kill(const std::string& instance) override;
    std::string terminate(const std::string& instance) override;
    std::string start(const std::string& instance) override;
    std::string pause(const std::string& instance) override;
    std::string resume(const std::string& instance) override;
    std::string terminate_backends(const std::string& server) override;
    std::string promote(const Promotion& promotion) override;
    std::string rejoin(const std::string& id) override;
    std::string pause_replay(const std::string& server) override;
    std::string resume_replay(const std::string& server) override;

    // Refused before a live run starts (FaultType::live).
    std::string trouble_links(const LinkTrouble&) override { return {}; }
    std::string heal_links(const std::string&) override { return {}; }
    std::string step_wall_clock(const std::string&, Duration) override { return {}; }
    std::string set_drift(const std::string&, std::int64_t) override { return {}; }
    std::string lose_commit_answers(const std::string&, std::uint32_t) override { return {}; }
    std::string heal_commits(const std::string&) override { return {}; }
    std::string shorten_lock_waits(const std::string&, const std::string&, Duration) override {
        return {};
    }
    std::string heal_lock_waits(const std::string&) override { return {}; }
    std::string trouble_disk(const DiskTrouble&) override { return {}; }
    std::string heal_disk(const std::string&) override { return {}; }

private:
    struct Instance {
        std::vector<std::string> arguments;  // without the port
        std::string listen_option;
        std::optional<HeldPort> port;  // from its first start on
        std::string address;
        std::optional<Child> child;
        bool paused = false;
    };

    std::size_t shards() const { return static_cast<std::size_t>(scenario_.system.shards); }
    // Of a shard, counted from 0.
    std::filesystem::path database_file(std::size_t shard) const;
    // Starts the engine; -> what rushproofd calls the database of each shard.
    Result<std::vector<std::string>> start_databases();
    std::string process_of(const std::string& name) const;
    Instance& instance(const std::string& name);
    // Nothing when it is no server of PostgreSQL.
    std::optional<PrivatePostgres::Server> server(const std::string& name) const;
    Result<void> launch(const std::string& name, Instance& instance, int ready);
    // Gives it an address for good, and waits until it is ready.
    Result<void> start_first_time(const std::string& name, Instance& instance);

    const Scenario& scenario_;
    std::string program_;
    std::string stack_;
    std::filesystem::path directory_;
    std::optional<PrivatePostgres> postgres_;
    std::map<std::string, PrivatePostgres::Server> demoted_;  // by the fault that did it
    std::vector<std::string> databases_;                      // by shard
    std::map<std::string, Instance> instances_;
    std::vector<std::string> gateway_urls_;
};

}  // namespace rushproof::simulator
