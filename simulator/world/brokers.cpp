#include "simulator/world/brokers.hpp"

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

std::string counted(std::uint64_t count, const std::string& what) {
    return count == 0 ? std::string() : std::to_string(count) + " " + what;
}

std::string lose_power(BrokerServer& server) {
    const bool was_up = server.up();
    const std::size_t lost = server.lose_power();
    if (!was_up && lost == 0) { return {}; }
    return "the power went, and with it " + std::to_string(lost) + " messages";
}

}  // namespace

void Brokers::add(Machine& machine) {
    const std::string& name = machine.name();
    RP_ASSERT(find(name) == nullptr);
    if (name == nats_name) {
        nats_ = std::make_unique<NatsServer>(network_, machine, options_.nats_server);
    } else if (name == kafka_name) {
        kafka_ = std::make_unique<KafkaServer>(network_, machine, options_.kafka_server);
    } else {
        RP_ASSERT(name == rabbitmq_name);
        rabbitmq_ = std::make_unique<RabbitServer>(network_, machine, options_.rabbitmq_server);
    }
    find(name)->start();
}

BrokerServer* Brokers::find(std::string_view name) const {
    if (name == nats_name) { return nats_.get(); }
    if (name == kafka_name) { return kafka_.get(); }
    if (name == rabbitmq_name) { return rabbitmq_.get(); }
    return nullptr;
}

std::vector<BrokerServer*> Brokers::all() const {
    std::vector<BrokerServer*> servers;
    for (const auto name : {kafka_name, nats_name, rabbitmq_name}) {
        if (BrokerServer* const server = find(name)) { servers.push_back(server); }
    }
    return servers;
}

void Brokers::destroy_processes() {
    for (BrokerServer* server : all()) { server->destroy_process(); }
}

std::string Brokers::kill(BrokerServer& server) {
    if (!server.up()) { return {}; }
    server.kill();
    return "the broker's process died";
}

std::string Brokers::terminate(BrokerServer& server) {
    if (!server.up() || server.shutting_down()) { return {}; }
    const std::uint32_t incarnation = server.machine().host()->incarnation();
    server.shut_down([&server, incarnation] {
        const Host* const host = server.machine().host();
        if (host != nullptr && host->incarnation() == incarnation) { server.kill(); }
    });
    return "the broker was asked to end";
}

std::string Brokers::start(BrokerServer& server) {
    if (server.shutting_down()) { server.kill(); }
    if (server.up()) { return {}; }
    server.start();
    return "the broker's process is back";
}

std::string Brokers::trouble(BrokerServer& server, const BrokerTrouble& trouble) {
    switch (trouble.effect) {
        case BrokerEffect::redeliver:
            if (!server.up()) { return {}; }
            return counted(server.redeliver(), "deliveries are made again");
        case BrokerEffect::drop_ack: server.drop_acks(trouble.id, trouble.rate); return {};
        case BrokerEffect::leader_change: server.begin_election(); return {};
        case BrokerEffect::power_loss: return lose_power(server);
    }
    return {};
}

std::string Brokers::heal(BrokerServer& server, const BrokerTrouble& trouble) {
    switch (trouble.effect) {
        case BrokerEffect::redeliver: return {};
        case BrokerEffect::drop_ack:
            return counted(server.heal_acks(trouble.id),
                           "messages were stored without an acknowledgement");
        case BrokerEffect::leader_change:
            return counted(server.end_election(), "requests found no leader");
        case BrokerEffect::power_loss: return start(server);
    }
    return {};
}

}  // namespace rushproof::simulator
