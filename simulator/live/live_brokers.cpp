#include "simulator/live/live_brokers.hpp"

#include <signal.h>
#include <sys/types.h>

#include <fstream>
#include <utility>

namespace rushproof::simulator {

namespace {

// "nats://user:password@HOST:PORT": where HOST:PORT begins and ends.
std::pair<std::size_t, std::size_t> address_in(const std::string& url) {
    const auto scheme = url.find("://");
    const auto user = url.find('@');
    const std::size_t begin = user != url.npos ? user + 1 : scheme != url.npos ? scheme + 3 : 0;
    return {begin, url.find('/', begin)};
}

bool matches(const std::string& pattern, const std::string& name) {
    return pattern.empty() || pattern == name || name.starts_with(pattern + "/");
}

// A relay that all clients share stands for each of them.
bool is_client(const std::string& pattern, const std::string& client) {
    return client.empty() || matches(pattern, client);
}

}  // namespace

LiveBrokers::~LiveBrokers() {
    for (auto& [name, broker] : brokers_) { broker.stack.end(); }
}

Result<void> LiveBrokers::start(const std::string& stack, const std::vector<std::string>& names,
                                const std::vector<std::string>& clients,
                                const std::filesystem::path& directory) {
    for (const std::string& name : names) {
        const auto log = directory / (name + ".log");
        RP_CHECK(name == "nats" ? start_nats(stack, clients, log) : start_kafka(stack, log));
    }
    return {};
}

Result<void> LiveBrokers::start_nats(const std::string& stack,
                                     const std::vector<std::string>& clients,
                                     const std::filesystem::path& log) {
    RP_TRY(PrivateStack servers, PrivateStack::start(stack, "nats", "", log));
    const std::string url = servers.variable("RUSHPROOF_NATS_URL");
    const auto [begin, end] = address_in(url);
    Broker& broker = brokers_.emplace("nats", std::move(servers)).first->second;
    for (const std::string& client : clients) {
        RP_TRY(broker.relays[client], relays_.add(url.substr(begin, end - begin)));
    }
    return {};
}

// Clients learn from the broker where it is, so it must be told of the relay before it starts.
Result<void> LiveBrokers::start_kafka(const std::string& stack, const std::filesystem::path& log) {
    RP_TRY(Relay * relay, relays_.add(""));
    RP_TRY(PrivateStack servers,
           PrivateStack::start(stack, "kafka",
                               " --set kafka.advertised.listeners=PLAINTEXT://" + relay->address(),
                               log));
    RP_CHECK(relay->aim_at(servers.variable("RUSHPROOF_KAFKA_BROKERS")));
    if (servers.variable("RUSHPROOF_KAFKA_KIND") == "mock") {
        notes_.emplace_back("Kafka is a stand-in here: it keeps messages in memory");
    }
    brokers_.emplace("kafka", std::move(servers)).first->second.relays[""] = relay;
    return {};
}

std::vector<std::string> LiveBrokers::arguments_for(const std::string& client) const {
    std::vector<std::string> arguments;
    for (const auto& [name, broker] : brokers_) {
        if (name == "kafka") {
            arguments.push_back("--kafka-brokers=" + broker.relays.at("")->address());
            continue;
        }
        std::string url = broker.stack.variable("RUSHPROOF_NATS_URL");
        const auto [begin, end] = address_in(url);
        url.replace(begin, end == url.npos ? url.npos : end - begin,
                    broker.relays.at(client)->address());
        arguments.push_back("--nats-url=" + url);
    }
    return arguments;
}

std::string LiveBrokers::kill(const std::string& name) {
    Broker& broker = brokers_.at(name);
    broker.paused = false;
    const bool stopped = broker.stack.run("stop", {broker.stack.folder(), "--crash"});
    return stopped ? name + " was killed" : "";
}

std::string LiveBrokers::terminate(const std::string& name) {
    Broker& broker = brokers_.at(name);
    broker.paused = false;
    const bool stopped = broker.stack.run("stop", {broker.stack.folder(), "--clean"});
    return stopped ? name + " was shut down" : "";
}

std::string LiveBrokers::start_again(const std::string& name) {
    const Broker& broker = brokers_.at(name);
    return broker.stack.run("restart", {broker.stack.folder()}) ? name + " started" : "";
}

std::string LiveBrokers::pause(const std::string& name) {
    Broker& broker = brokers_.at(name);
    if (broker.paused) { return {}; }
    const std::string pid = signal(broker, SIGSTOP);
    broker.paused = !pid.empty();
    return broker.paused ? "process " + pid + " frozen" : "";
}

std::string LiveBrokers::resume(const std::string& name) {
    Broker& broker = brokers_.at(name);
    if (!std::exchange(broker.paused, false)) { return {}; }
    const std::string pid = signal(broker, SIGCONT);
    return pid.empty() ? "" : "process " + pid + " running again";
}

// Its process; empty when there is none.
std::string LiveBrokers::signal(Broker& broker, int number) const {
    std::ifstream file(std::filesystem::path(broker.stack.folder()) / "pid");
    pid_t pid = 0;
    if (!(file >> pid) || pid <= 1 || ::kill(pid, number) != 0) { return {}; }
    return std::to_string(pid);
}

std::string LiveBrokers::trouble_links(const LinkTrouble& trouble) {
    std::vector<Relay*>& troubled = troubled_[trouble.id];
    for (auto& [name, broker] : brokers_) {
        for (const auto& [client, relay] : broker.relays) {
            bool there = false;
            bool back = false;
            for (const auto& [from, to] : trouble.links) {
                there |= is_client(from, client) && matches(to, name);
                back |= matches(from, name) && is_client(to, client);
            }
            if (!there && !back) { continue; }
            relay->take_touched();
            if (trouble.hold) {
                relay->hold(there, back);
            } else {
                relay->slow(there, back, trouble.delay, trouble.jitter);
            }
            troubled.push_back(relay);
        }
    }
    return {};
}

std::string LiveBrokers::heal_links(const std::string& id) {
    const auto found = troubled_.find(id);
    if (found == troubled_.end()) { return {}; }
    std::uint64_t bytes = 0;
    for (Relay* relay : found->second) {
        bytes += relay->take_touched();
        relay->release();
    }
    troubled_.erase(found);
    return bytes == 0 ? "" : std::to_string(bytes) + " bytes held up";
}

}  // namespace rushproof::simulator
