#include "simulator/world/broker_server.hpp"

#include <utility>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

// How long the network takes to tell the server that a client's process has died.
constexpr Duration reset_delay = std::chrono::microseconds(200);
constexpr Duration drain_grace = std::chrono::milliseconds(20);

}  // namespace

BrokerServer::BrokerServer(Network&, Machine& machine)
    : scheduler_(machine.scheduler()), machine_(machine) {
    scheduler_.on_crash([this](Host& host) {
        if (&host.machine() != &machine_) { client_crashed(client_of(host)); }
    });
}

BrokerServer::~BrokerServer() = default;

MonotonicTime BrokerServer::monotonic() const {
    return machine_.clock().monotonic(scheduler_.now());
}

WallTime BrokerServer::wall() const { return machine_.clock().wall(scheduler_.now()); }

void BrokerServer::start() {
    RP_ASSERT(!up());
    host_ = std::make_unique<Host>(machine_);
    started();
    host_->spawn("tick", tick_for_ever(*this));
    host_->listen();
}

void BrokerServer::kill() {
    RP_ASSERT(up());
    waiting_.clear();
    host_->crash();
    host_.reset();
    died();
}

std::size_t BrokerServer::lose_power() {
    if (up()) { kill(); }
    return power_lost();
}

void BrokerServer::shut_down(std::function<void()> ended) {
    RP_ASSERT(up());
    host_->close();
    changed();
    host_->spawn("shut down", drain(*this, std::move(ended)));
}

Task<void> BrokerServer::drain(BrokerServer& server, std::function<void()> ended) {
    co_await sleep_for(server.host().clock(), drain_grace);
    server.scheduler_.between_steps(std::move(ended));
}

Task<void> BrokerServer::tick_for_ever(BrokerServer& server) {
    Clock& clock = server.host().clock();
    for (;;) {
        co_await sleep_for(clock, tick_interval);
        server.tick();
    }
}

void BrokerServer::client_crashed(Client client) {
    scheduler_.at(scheduler_.now() + reset_delay, [this, client] {
        reset_[client.machine] = client.incarnation;
        client_died(client);
        changed();
    });
}

bool BrokerServer::is_reset(Client client) const {
    const auto found = reset_.find(client.machine);
    return found != reset_.end() && client.incarnation <= found->second;
}

void BrokerServer::changed() {
    if (!up()) { return; }
    const auto waiting = std::exchange(waiting_, {});
    for (const ReplyTo<bool>& to : waiting) { host_->answer(to, Result<bool>(true)); }
}

Task<void> BrokerServer::wait_for_change(BrokerServer& server, MonotonicTime deadline) {
    auto start = [&server](ReplyTo<bool> to) { server.waiting_.push_back(to); };
    // Whether it was the deadline or a change: the caller looks.
    const auto woken = co_await server.host().reply<bool>("change", deadline, std::move(start));
    static_cast<void>(woken);
}

void BrokerServer::begin_election() {
    electing_ = true;
    ++elections_;
    refused_ = 0;
    changed();
}

std::uint64_t BrokerServer::end_election() {
    if (!std::exchange(electing_, false)) { return 0; }
    elected();
    changed();
    return refused_;
}

Result<void> BrokerServer::admit() {
    if (!electing_) { return {}; }
    ++refused_;
    return failure(ErrorKind::retryable, "unavailable", name() + " has no leader");
}

void BrokerServer::drop_acks(const std::string& id, std::uint32_t millionths) {
    lossy_.emplace(id,
                   LossyAcks{millionths, keyed_stream(scheduler_.seed(), "drop-ack", hash64(id))});
}

std::uint64_t BrokerServer::heal_acks(const std::string& id) {
    const auto found = lossy_.find(id);
    if (found == lossy_.end()) { return 0; }
    const std::uint64_t lost = found->second.lost;
    lossy_.erase(found);
    return lost;
}

bool BrokerServer::loses_ack() {
    bool lost = false;
    for (auto& [id, lossy] : lossy_) {
        if (!lossy.draws.chance(lossy.millionths)) { continue; }
        ++lossy.lost;
        lost = true;
    }
    return lost;
}

tl::unexpected<Error> BrokerServer::ack_lost() {
    return failure(ErrorKind::unknown_outcome, "connection-lost",
                   "the connection was lost before the broker acknowledged");
}

}  // namespace rushproof::simulator
