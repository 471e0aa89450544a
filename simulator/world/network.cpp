#include "simulator/world/network.hpp"

#include <algorithm>
#include <deque>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

struct Network::ActiveFault {
    LinkFault fault;
    std::uint64_t key = 0;
    std::uint64_t touched = 0;

    bool matches(const Machine& from, const Machine& to) const {
        return std::any_of(fault.links.begin(), fault.links.end(), [&](const LinkPattern& link) {
            return (link.from.empty() || link.from == from.name()) &&
                   (link.to.empty() || link.to == to.name());
        });
    }
};

// A pump: at most one of its messages is in the hands of the scheduler at a time, as an event until
// it arrives and then as a job of the target, so that a random pick cannot reorder them.
class Network::Link {
public:
    Link(Scheduler& scheduler, const LinkOptions& options, Machine& from, Machine& to)
        : scheduler_(scheduler),
          options_(options),
          from_(from),
          to_(to),
          key_(keyed_stream(scheduler.seed(), "network", hash64(to.name(), hash64(from.name())))
                   .next()) {}

    // Between which processes the connection stands; 0: none yet.
    struct Connection {
        std::uint32_t caller = 0;
        std::uint32_t target = 0;
    };
    Connection connection;

    std::size_t size() const { return queue_.size(); }
    void set_faults(const Faults& faults);
    void push(std::unique_ptr<Message> message);
    // Messages that would be there by now if nothing held them.
    std::uint64_t overdue() const;
    // The process that was about to take the first message is dead.
    void target_crashed();
    bool is_to(const Machine& machine) const { return &to_ == &machine; }
    bool suffers(const ActiveFault& fault) const { return fault.matches(from_, to_); }

private:
    enum class State : std::uint8_t { idle, under_way, arrived };

    Duration latency();
    // What is overdue goes on its way again, all at once.
    void release_overdue();
    void pump();
    void arrive();
    void deliver(Host& target);

    Scheduler& scheduler_;
    const LinkOptions& options_;
    Machine& from_;
    Machine& to_;
    std::uint64_t key_;
    std::uint64_t sent_ = 0;
    Duration last_arrival_{};
    State state_ = State::idle;
    bool held_ = false;
    std::vector<ActiveFault*> delays_;
    std::deque<std::unique_ptr<Message>> queue_;
};

void Network::Link::set_faults(const Faults& faults) {
    const bool was_held = std::exchange(held_, false);
    delays_.clear();
    for (const auto& fault : faults) {
        if (!fault->matches(from_, to_)) { continue; }
        held_ |= fault->fault.hold;
        if (fault->fault.delay > Duration::zero() || fault->fault.jitter > Duration::zero()) {
            delays_.push_back(fault.get());
        }
    }
    if (was_held && !held_) {
        release_overdue();
        pump();
    }
}

// Message n draws from a stream of its own, so neither a fault nor another message shifts it.
Duration Network::Link::latency() {
    RandomStream stream(combine64(key_, sent_));
    Duration usual = options_.base;
    Duration drawn = options_.base + stream.exponential(options_.tail);
    if (stream.chance(options_.slow_millionths)) { drawn += stream.exponential(options_.slow); }
    for (ActiveFault* fault : delays_) {
        ++fault->touched;
        usual += fault->fault.delay;
        RandomStream jitter(combine64(combine64(fault->key, key_), sent_));
        drawn += fault->fault.delay + jitter.between(Duration::zero(), fault->fault.jitter);
    }
    ++sent_;
    const std::uint64_t link = (std::uint64_t{from_.index()} << 32) | to_.index();
    return Duration(
        scheduler_.tape().choose(scheduler_.now(), "latency", link, usual.count(), drawn.count()));
}

void Network::Link::push(std::unique_ptr<Message> message) {
    scheduler_.trace().add(scheduler_.now().count(), from_.trace_name(), message->head.what,
                           to_.index(), message->head.payload);
    last_arrival_ = std::max(last_arrival_, scheduler_.now() + latency());
    message->arrival = last_arrival_;
    queue_.push_back(std::move(message));
    pump();
}

void Network::Link::pump() {
    if (state_ != State::idle || held_ || queue_.empty()) { return; }
    state_ = State::under_way;
    scheduler_.at(queue_.front()->arrival, [this] {
        state_ = State::idle;
        if (!held_) { arrive(); }
    });
}

void Network::Link::arrive() {
    const Message& message = *queue_.front();
    Host* target = to_.host();
    const bool same_process =
        message.head.incarnation == 0 ||
        (target != nullptr && message.head.incarnation == target->incarnation());
    if (target != nullptr && same_process &&
        (!message.head.needs_listener || target->listening())) {
        state_ = State::arrived;
        target->post([this, target] { deliver(*target); });
        return;
    }
    const std::unique_ptr<Message> bounced = std::move(queue_.front());
    queue_.pop_front();
    bounced->bounce(to_, same_process ? Loss::refused : Loss::reset);
    pump();
}

void Network::Link::deliver(Host& target) {
    const std::unique_ptr<Message> message = std::move(queue_.front());
    queue_.pop_front();
    scheduler_.trace().add(scheduler_.now().count(), to_.trace_name(), message->head.what,
                           from_.index(), message->head.payload);
    state_ = State::idle;
    pump();
    message->deliver(target);
}

void Network::Link::target_crashed() {
    if (state_ != State::arrived) { return; }
    state_ = State::idle;
    pump();
}

std::uint64_t Network::Link::overdue() const {
    const std::size_t taken = state_ == State::arrived ? 1 : 0;
    std::uint64_t count = 0;
    for (std::size_t i = taken; i < queue_.size(); ++i) {
        if (queue_[i]->arrival > scheduler_.now()) { break; }
        ++count;
    }
    return count;
}

void Network::Link::release_overdue() {
    const Duration earliest = scheduler_.now() + options_.base;
    for (const auto& message : queue_) { message->arrival = std::max(message->arrival, earliest); }
    last_arrival_ = std::max(last_arrival_, earliest);
}

class Network::Datagram final : public Message {
public:
    Datagram(Head its_head, std::function<void(Host&)> function)
        : Message(its_head), function_(std::move(function)) {}
    void deliver(Host& target) override { function_(target); }

private:
    std::function<void(Host&)> function_;
};

// Tells a caller that its request was refused, or that its connection broke.
class Network::Failure final : public Message {
public:
    Failure(Network& network, Machine& sender, const Route& route, Loss loss)
        : Message({loss == Loss::refused ? "refused" : "reset", 0, route.incarnation}),
          network_(network),
          sender_(sender),
          wait_(route.wait),
          loss_(loss) {}

    void deliver(Host& caller) override {
        network_.disconnect(caller, sender_);
        caller.fail(wait_, loss_ == Loss::refused
                               ? Error(ErrorKind::retryable, "unavailable",
                                       sender_.name() + " refused the connection")
                               : Error(ErrorKind::unknown_outcome, "connection-lost",
                                       sender_.name() + " closed the connection"));
    }

private:
    Network& network_;
    Machine& sender_;
    WaitId wait_;
    Loss loss_;
};

Network::Network(Scheduler& scheduler, LinkOptions options)
    : scheduler_(scheduler), options_(options) {
    scheduler_.on_crash([this](Host& host) { host_crashed(host); });
}

Network::~Network() = default;

bool Network::send(Host& from, Machine& to, TraceText what, std::uint64_t payload,
                   std::function<void(Host&)> deliver) {
    Link& there = link(from.machine(), to);
    if (to.host() == nullptr || is_full(there)) { return false; }
    const Message::Head head{what, payload, to.host()->incarnation()};
    push(there, std::make_unique<Datagram>(head, std::move(deliver)));
    return true;
}

Network::Link& Network::link(Machine& from, Machine& to) {
    const std::size_t machines = std::max(from.index(), to.index()) + std::size_t{1};
    if (links_.size() < machines) { links_.resize(machines); }
    auto& links_from = links_[from.index()];
    if (links_from.size() < machines) { links_from.resize(machines); }
    std::unique_ptr<Link>& link = links_from[to.index()];
    if (!link) {
        link = std::make_unique<Link>(scheduler_, options_, from, to);
        link->set_faults(faults_);
    }
    return *link;
}

template <class Function>
void Network::for_each_link(Function function) const {
    for (const auto& links_from : links_) {
        for (const auto& link : links_from) {
            if (link) { function(*link); }
        }
    }
}

bool Network::is_full(const Link& link) const { return link.size() >= options_.buffer; }

void Network::push(Link& link, std::unique_ptr<Message> message) { link.push(std::move(message)); }

void Network::inject(LinkFault fault) {
    RP_ASSERT(find_fault(fault.id) == faults_.end());
    const std::uint64_t key =
        keyed_stream(scheduler_.seed(), "link-fault", hash64(fault.id)).next();
    faults_.push_back(std::make_unique<ActiveFault>(ActiveFault{std::move(fault), key}));
    for_each_link([this](Link& link) { link.set_faults(faults_); });
}

std::uint64_t Network::lift(std::string_view id) {
    const std::uint64_t count = touched(id);
    faults_.erase(find_fault(id));
    for_each_link([this](Link& link) { link.set_faults(faults_); });
    return count;
}

std::uint64_t Network::touched(std::string_view id) const {
    const auto found = find_fault(id);
    RP_ASSERT(found != faults_.end());
    const ActiveFault& fault = **found;
    std::uint64_t count = fault.touched;
    if (fault.fault.hold) {
        for_each_link([&](const Link& link) {
            if (link.suffers(fault)) { count += link.overdue(); }
        });
    }
    return count;
}

Network::Faults::const_iterator Network::find_fault(std::string_view id) const {
    return std::find_if(faults_.begin(), faults_.end(),
                        [&](const auto& active) { return active->fault.id == id; });
}

void Network::host_crashed(Host& host) {
    Machine& machine = host.machine();
    for_each_link([&](Link& link) {
        if (link.is_to(machine)) { link.target_crashed(); }
    });
    if (machine.index() >= serving_.size()) { return; }
    const auto served = std::exchange(serving_[machine.index()], {});
    for (const Served& request : served) { fail(machine, request.route, Loss::reset); }
}

std::uint32_t Network::connected_to(const Host& caller, const Link& link) {
    const bool open = link.connection.caller == caller.incarnation();
    return open ? link.connection.target : 0;
}

void Network::answered(const Host& caller, Machine& target, std::uint32_t incarnation) {
    link(caller.machine(), target).connection = {caller.incarnation(), incarnation};
}

void Network::disconnect(const Host& caller, Machine& target) {
    link(caller.machine(), target).connection = {};
}

std::uint64_t Network::begin_serving(const Host& target, Route route) {
    const std::uint32_t machine = target.machine().index();
    if (serving_.size() <= machine) { serving_.resize(machine + std::size_t{1}); }
    const std::uint64_t call = calls_++;
    serving_[machine].push_back({call, route});
    return call;
}

Network::Route Network::end_serving(const Host& target, std::uint64_t call) {
    auto& served = serving_[target.machine().index()];
    const auto found =
        std::lower_bound(served.begin(), served.end(), call,
                         [](const Served& a, std::uint64_t number) { return a.call < number; });
    RP_ASSERT(found != served.end() && found->call == call);
    const Route route = found->route;
    served.erase(found);
    return route;
}

void Network::fail(Machine& from, const Route& route, Loss loss) {
    push(link(from, *route.caller), std::make_unique<Failure>(*this, from, route, loss));
}

}  // namespace rushproof::simulator
