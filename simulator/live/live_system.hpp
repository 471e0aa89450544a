// The real system under test: rushproofd processes, and what faults may do to them.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/faults/chaos.hpp"
#include "simulator/live/child.hpp"
#include "simulator/live/held_port.hpp"
#include "simulator/live/live_brokers.hpp"
#include "simulator/live/private_postgres.hpp"
#include "simulator/live/read_database.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Each gateway is a process, each ingest, and on PostgreSQL each inventory and each processor.  On
// SQLite all inventories of a shard share one, because a file has one owner: with one shard
// "inventory/1" means the same process as "inventory/0".  So do all processors, on a file of their
// own.
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
    // "gateway/0: 21 MB at most", of those that run, and what must be said of the brokers.
    std::vector<std::string> notes() const;

    // Who switches the queue: begins without waiting, and says later what came of it.
    struct Operators {
        std::function<void(const SwitchOrder&)> begin;
        std::function<std::string(const std::string& id)> evidence;
    };
    void set_operators(Operators operators) { operators_ = std::move(operators); }

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

    // Of links to brokers.
    std::string trouble_links(const LinkTrouble& trouble) override {
        return brokers_.trouble_links(trouble);
    }
    std::string heal_links(const std::string& id) override { return brokers_.heal_links(id); }
    std::string switch_queue(const SwitchOrder& order) override {
        operators_.begin(order);
        return {};
    }
    std::string end_switch(const std::string& id) override { return operators_.evidence(id); }

    // Refused before a live run starts (FaultType::live).
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
    std::string trouble_broker(const BrokerTrouble&) override { return {}; }
    std::string heal_broker(const BrokerTrouble&) override { return {}; }

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
    void describe_pipeline();
    std::string process_of(const std::string& name) const;
    Instance& instance(const std::string& name);
    // Nothing when it is no server of PostgreSQL.
    std::optional<PrivatePostgres::Server> server(const std::string& name) const;
    Result<void> launch(const std::string& name, Instance& instance, int ready);
    // Gives it an address for good, and waits until it is ready.
    Result<void> start_first_time(const std::string& name, Instance& instance);
    // All of a role, each with these arguments; -> "http://127.0.0.1:4711,http://..."
    Result<std::string> start_role(const std::string& role, std::vector<std::string> arguments);
    Result<void> start_inventories();
    Result<void> start_pipeline();
    void stop_role(const std::string& role, std::string& troubles);
    std::filesystem::path pipeline_file() const { return directory_ / "processor.db"; }
    bool has_pipeline() const { return !scenario_.system.queue.empty(); }

    const Scenario& scenario_;
    std::string program_;
    std::string stack_;
    std::filesystem::path directory_;
    std::optional<PrivatePostgres> postgres_;
    std::map<std::string, PrivatePostgres::Server> demoted_;  // by the fault that did it
    std::vector<std::string> databases_;                      // by shard
    LiveBrokers brokers_;
    std::map<std::string, Instance> instances_;
    std::vector<std::string> inventory_urls_;  // by shard
    std::vector<std::string> gateway_arguments_;
    std::vector<std::string> gateway_urls_;
    Operators operators_;
};

}  // namespace rushproof::simulator
