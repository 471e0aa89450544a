// The brokers of a live run: private servers of infra/stack behind relays of ours.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/faults/chaos.hpp"
#include "simulator/live/private_stack.hpp"
#include "simulator/live/relay.hpp"

namespace rushproof::simulator {

// Used by one thread at a time, the one that started it.
class LiveBrokers {
public:
    LiveBrokers() = default;
    LiveBrokers(const LiveBrokers&) = delete;
    LiveBrokers& operator=(const LiveBrokers&) = delete;
    ~LiveBrokers();

    // `names` are "nats" and "kafka", `clients` the instances that talk to them.  Each client has a
    // link of its own to NATS; Kafka tells its clients where it is, so that all share one.
    Result<void> start(const std::string& stack, const std::vector<std::string>& names,
                       const std::vector<std::string>& clients,
                       const std::filesystem::path& directory);

    bool has(const std::string& name) const { return brokers_.contains(name); }
    // Of rushproofd: where that client finds the brokers.
    std::vector<std::string> arguments_for(const std::string& client) const;
    // What a report must say of them.
    const std::vector<std::string>& notes() const { return notes_; }

    // As Chaos says.
    std::string kill(const std::string& name);
    std::string terminate(const std::string& name);
    std::string start_again(const std::string& name);
    std::string pause(const std::string& name);
    std::string resume(const std::string& name);
    std::string trouble_links(const LinkTrouble& trouble);
    std::string heal_links(const std::string& id);

private:
    struct Broker {
        explicit Broker(PrivateStack servers) : stack(std::move(servers)) {}
        PrivateStack stack;
        std::map<std::string, Relay*> relays;  // by client; of Kafka under an empty name
        bool paused = false;
    };

    Result<void> start_nats(const std::string& stack, const std::vector<std::string>& clients,
                            const std::filesystem::path& log);
    Result<void> start_kafka(const std::string& stack, const std::filesystem::path& log);
    std::string signal(Broker& broker, int number) const;

    Relays relays_;
    std::map<std::string, Broker> brokers_;
    std::map<std::string, std::vector<Relay*>> troubled_;  // by fault
    std::vector<std::string> notes_;
};

}  // namespace rushproof::simulator
