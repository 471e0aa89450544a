// A small world for tests of the simulated brokers: two publishers, a group of two consumers, one
// broker, and trouble drawn from the seed.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "simulator/world/sim_queues.hpp"

namespace rushproof::simulator {

// What came of it.
struct BrokerOutcome {
    std::set<std::string> accepted;
    std::set<std::string> tried;                             // accepted, or of unknown outcome
    std::map<std::string, std::vector<std::string>> firsts;  // by key, in order of first delivery
    std::map<std::string, int> deliveries;                   // by id
    int troubles = 0;
    std::string hash;
    std::uint64_t steps = 0;

    // Sentences on what must not be; empty when all is well.
    std::vector<std::string> wrongs() const;
};

class BrokerWorld {
public:
    BrokerWorld(std::string broker, std::uint64_t seed, BrokerOptions options = {});
    BrokerWorld(const BrokerWorld&) = delete;
    BrokerWorld& operator=(const BrokerWorld&) = delete;
    ~BrokerWorld();

    // Publishes and consumes under trouble, heals everything, and lets the rest be consumed.
    BrokerOutcome run();

    static constexpr int publishers = 2;
    static constexpr int consumers = 2;
    static constexpr int keys = 4;  // of each publisher
    static constexpr int each = 8;  // messages of a key

private:
    // One incarnation of a process.
    struct Process {
        Process(Machine& machine, Network& network, const Brokers& brokers)
            : host(machine), queues(host, network, brokers) {}
        Process(const Process&) = delete;
        Process& operator=(const Process&) = delete;
        ~Process() { host.crash(); }

        Host host;
        SimQueues queues;
    };

    // Messages through a MessageQueue, or jobs through a JobQueue.
    Task<void> publish(Process& process, int publisher);
    Task<void> publish_key(Process& process, std::shared_ptr<MessageQueue> queue, std::string key);
    Task<void> consume(Process& process);
    Task<void> put(Process& process, int publisher);
    Task<void> work(Process& process);
    bool jobs() const { return broker_ == Brokers::rabbitmq_name; }
    void delivered(const std::string& key, const std::string& id);

    void start_consumer(std::size_t index);
    void plan_trouble();
    void trouble(int number);
    void later(Duration after, std::function<void()> call);
    void heal();

    std::string broker_;
    Trace trace_{0, 0};
    Tape tape_;
    Scheduler scheduler_;
    Network network_;
    Brokers brokers_;
    RandomStream draws_;
    std::vector<std::unique_ptr<Process>> publishers_;
    std::vector<Machine*> consumer_machines_;
    std::vector<std::unique_ptr<Process>> consumers_;
    std::set<std::string> links_;  // troubled
    int publishing_ = 0;           // tasks under way
    bool healed_ = false;
    BrokerOutcome outcome_;
};

}  // namespace rushproof::simulator
