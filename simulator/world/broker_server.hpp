// What the servers of NATS, Kafka and RabbitMQ have in common: a process on a machine of its own,
// with a disk that outlives it.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

class BrokerServer {
public:
    // Down.
    BrokerServer(Network& network, Machine& machine);
    BrokerServer(const BrokerServer&) = delete;
    BrokerServer& operator=(const BrokerServer&) = delete;
    virtual ~BrokerServer();

    Machine& machine() const { return machine_; }
    const std::string& name() const { return machine_.name(); }

    bool up() const { return host_ != nullptr; }
    void start();
    // The process dies at once.
    void kill();
    // All replicas lost power at once; -> how many messages are gone.
    std::size_t lose_power();
    // When the run is over: what it had in memory is not looked at again.
    void destroy_process() { host_.reset(); }
    // Refuses new requests and ends those under way; calls `ended` between steps: its owner kills
    // what is left there.
    void shut_down(std::function<void()> ended);
    bool shutting_down() const { return up() && !host_->listening(); }

    // Everything that is delivered and not acknowledged is delivered again; -> how many messages.
    virtual std::size_t redeliver() = 0;
    // Nothing is served until end_election(), which answers how many requests were refused.
    void begin_election();
    std::uint64_t end_election();
    // Until healed, this share (millionths) of what is published is stored and not acknowledged.
    // heal answers how many were.
    void drop_acks(const std::string& id, std::uint32_t millionths);
    std::uint64_t heal_acks(const std::string& id);

    // A process that asks.
    struct Client {
        std::uint32_t machine = 0;
        std::uint32_t incarnation = 0;
        friend auto operator<=>(const Client&, const Client&) = default;
    };
    static Client client_of(const Host& host) {
        return {host.machine().index(), host.incarnation()};
    }

protected:
    Scheduler& scheduler() const { return scheduler_; }
    Host& host() const { return *host_; }
    MonotonicTime monotonic() const;
    WallTime wall() const;

    // Ends waits of changed() that are under way.
    void changed();
    // Until something changed, or the deadline.
    static Task<void> wait_for_change(BrokerServer& server, MonotonicTime deadline);
    // The connections of that process were reset: it is dead.
    bool is_reset(Client client) const;

    // Counts the request when it is refused.
    Result<void> admit();
    bool electing() const { return electing_; }
    // How many there were.
    std::uint64_t elections() const { return elections_; }
    // Whether this message is to be stored without an answer.
    bool loses_ack();
    static tl::unexpected<Error> ack_lost();

private:
    static constexpr Duration tick_interval = std::chrono::milliseconds(50);

    // Of the concrete server.  The process has begun; it has died; it lost power as well; a client
    // has died; time has passed (every tick_interval); another replica leads.
    virtual void started() {}
    virtual void died() = 0;
    virtual std::size_t power_lost() = 0;
    virtual void client_died(Client /*client*/) {}
    virtual void tick() = 0;
    virtual void elected() {}

    static Task<void> tick_for_ever(BrokerServer& server);
    static Task<void> drain(BrokerServer& server, std::function<void()> ended);
    void client_crashed(Client client);

    struct LossyAcks {
        std::uint32_t millionths;
        RandomStream draws;
        std::uint64_t lost = 0;
    };

    Scheduler& scheduler_;
    Machine& machine_;
    std::unique_ptr<Host> host_;
    std::vector<ReplyTo<bool>> waiting_;
    std::map<std::uint32_t, std::uint32_t> reset_;  // machine -> the last incarnation that died
    std::map<std::string, LossyAcks> lossy_;
    bool electing_ = false;
    std::uint64_t elections_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace rushproof::simulator
