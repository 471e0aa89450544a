// The brokers of one world: NATS, Kafka and RabbitMQ, each where the world has one.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/faults/chaos.hpp"
#include "simulator/world/kafka_client.hpp"
#include "simulator/world/nats_client.hpp"
#include "simulator/world/rabbitmq_client.hpp"

namespace rushproof::simulator {

// How the servers and their clients behave; the defaults are those of the real ones, but where a
// shorter time finds more in a short run.
struct BrokerOptions {
    NatsServerOptions nats_server;
    NatsTwinOptions nats;
    KafkaServerOptions kafka_server;
    KafkaTwinOptions kafka;
    RabbitServerOptions rabbitmq_server;
    RabbitTwinOptions rabbitmq;
};

class Brokers {
public:
    static constexpr std::string_view nats_name = "nats";
    static constexpr std::string_view kafka_name = "kafka";
    static constexpr std::string_view rabbitmq_name = "rabbitmq";

    Brokers(Network& network, BrokerOptions options) : network_(network), options_(options) {}
    Brokers(const Brokers&) = delete;
    Brokers& operator=(const Brokers&) = delete;
    ~Brokers() { destroy_processes(); }

    // A server of that name on `machine`, and starts it.
    void add(Machine& machine);

    const BrokerOptions& options() const { return options_; }
    NatsServer* nats() const { return nats_.get(); }
    KafkaServer* kafka() const { return kafka_.get(); }
    RabbitServer* rabbitmq() const { return rabbitmq_.get(); }
    // Null when there is none of that name.
    BrokerServer* find(std::string_view name) const;
    std::vector<BrokerServer*> all() const;

    // When the run is over.
    void destroy_processes();

    // What faults do; each returns its evidence, empty when nothing was done.
    static std::string kill(BrokerServer& server);
    static std::string terminate(BrokerServer& server);
    static std::string start(BrokerServer& server);
    static std::string trouble(BrokerServer& server, const BrokerTrouble& trouble);
    static std::string heal(BrokerServer& server, const BrokerTrouble& trouble);

private:
    Network& network_;
    BrokerOptions options_;
    std::unique_ptr<NatsServer> nats_;
    std::unique_ptr<KafkaServer> kafka_;
    std::unique_ptr<RabbitServer> rabbitmq_;
};

}  // namespace rushproof::simulator
