#include "simulator/world/nats_member.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/runtime/share_table.hpp"

namespace rushproof::simulator {

namespace {

using std::chrono::milliseconds;

// As core/real/nats has them.  A member that stands still does so at some moment after its last
// turn: until `asks_within` after it, it may ask for messages, which come for `asked_for` at most,
// and only after `silence` does another one take its place.
constexpr Duration turn_every = milliseconds(400);
constexpr Duration asks_within = milliseconds(1'500);
constexpr Duration asked_for = milliseconds(1'000);
constexpr Duration hands_out_within = milliseconds(3'000);
constexpr Duration silence = milliseconds(4'000);
constexpr Duration call_within = std::chrono::seconds(1);
constexpr Duration try_again_after = milliseconds(100);
constexpr Duration server_looks_after = milliseconds(200);
static_assert(asks_within + asked_for < silence && hands_out_within < silence);

class Membership : public std::enable_shared_from_this<Membership> {
public:
    Membership(std::shared_ptr<NatsTopic> topic, std::string group);

    void start();
    void close();
    bool closed() const { return closed_; }

    std::vector<Delivery> take(std::size_t limit);
    // False: the deadline came first, or it was closed.
    static Task<bool> wait_for_messages(std::shared_ptr<Membership> self, MonotonicTime deadline);
    static Task<Result<void>> acknowledge(std::shared_ptr<Membership> self, MonotonicTime deadline,
                                          std::vector<std::uint64_t> numbers);
    bool connected() const { return connected_; }

private:
    enum class State : std::uint8_t { foreign, recovering, open };
    struct Buffered {
        std::uint64_t sequence;
        std::int64_t attempt;
        Message message;
    };
    struct Share {
        State state = State::foreign;
        std::uint64_t term = 0;  // of ours; what belongs to an earlier one is not looked at
        bool spare = false;
        std::uint64_t inbox = 0;  // of the request under way; 0: there is none
        std::deque<Buffered> buffered;
        std::set<std::uint64_t> pending;      // delivered and not acknowledged
        std::set<std::uint64_t> unconfirmed;  // acknowledged; the server has not said so
    };
    struct Held {
        std::size_t share;
        std::uint64_t sequence;
    };
    using Self = std::shared_ptr<Membership>;

    static Task<void> attend(Self self);
    static Task<Result<void>> take_a_turn(Self self);
    static Task<void> say_goodbye(Self self);
    static Task<Result<NatsEntry>> read(Self self);
    static Task<Result<std::int64_t>> write(Self self, std::uint64_t revision, std::string text);
    void own(const ShareTurn& turn);
    void lose(Share& share);
    void unsubscribe(NatsServer::Inbox inbox);
    static Task<void> serve_share(Self self, std::size_t index, std::uint64_t term);
    static Task<bool> recover(Self self, std::size_t index, std::uint64_t term);
    static Task<Result<void>> pull(Self self, std::size_t index, std::uint64_t term);
    void receive(std::size_t index, const NatsDelivery& delivery);
    static Task<Result<void>> confirm(Self self, std::size_t index, MonotonicTime deadline);
    static Task<void> purge(Self self);
    void stay_alive();

    bool owns(const Share& share, std::uint64_t term) const {
        return !closed_ && share.term == term && share.state != State::foreign;
    }
    bool fresh(Duration within) const { return topic_->access.now() - renewed_ < within; }
    std::string durable(std::size_t index) const { return NatsTopic::durable(group_, index); }

    std::shared_ptr<NatsTopic> topic_;
    std::string group_;
    std::string me_;
    bool closed_ = false;
    bool connected_ = true;  // as far as the last turn tells
    std::vector<Share> shares_;
    std::vector<std::uint64_t> purged_;
    std::map<std::uint64_t, Held> held_;
    std::uint64_t last_number_ = 0;
    std::size_t next_share_ = 0;
    std::uint64_t inboxes_ = 0;  // that were opened
    ShareWatch watch_{silence, asks_within};
    MonotonicTime renewed_;
    MonotonicTime alive_at_;
    bool acknowledged_since_purge_ = false;
    HostSignal messages_;  // something may be taken, or it was closed
    HostSignal work_;      // a share may go on
};

Membership::Membership(std::shared_ptr<NatsTopic> topic, std::string group)
    : topic_(std::move(topic)),
      group_(std::move(group)),
      me_(std::to_string(topic_->access.host().random().next())),
      shares_(topic_->options.shares),
      purged_(topic_->options.shares),
      renewed_(topic_->access.now() - std::chrono::hours(1)),
      alive_at_(topic_->access.now() + topic_->options.ack_wait / 3),
      messages_(topic_->access.host()),
      work_(topic_->access.host()) {}

void Membership::start() { topic_->access.host().spawn("nats member", attend(shared_from_this())); }

void Membership::close() {
    if (std::exchange(closed_, true)) { return; }
    for (Share& share : shares_) { lose(share); }
    messages_.notify();
    work_.notify();
}

// ---- the table ----

Task<void> Membership::attend(Self self) {
    while (!self->closed_) {
        const auto turn = co_await take_a_turn(self);
        self->connected_ = turn.has_value();
        if (self->closed_) { break; }
        self->stay_alive();
        self->work_.notify();
        if (std::exchange(self->acknowledged_since_purge_, false)) { co_await purge(self); }
        const MonotonicTime next = self->topic_->access.now() + turn_every;
        while (!self->closed_ && self->topic_->access.now() < next) {
            co_await HostSignal::wait(self->work_, next);
        }
    }
    co_await say_goodbye(self);
}

Task<Result<NatsEntry>> Membership::read(Self self) {
    const NatsAccess& access = self->topic_->access;
    auto serve = [&server = access.server(), key = self->topic_->stream + " " + self->group_] {
        return NatsServer::read_entry(server, key);
    };
    return access.ask<NatsEntry>("nats.read table", 0, access.now() + call_within,
                                 std::move(serve));
}

Task<Result<std::int64_t>> Membership::write(Self self, std::uint64_t revision, std::string text) {
    const NatsAccess& access = self->topic_->access;
    const std::uint64_t payload = hash64(text);
    auto serve = [&server = access.server(), key = self->topic_->stream + " " + self->group_,
                  revision, text = std::move(text)] {
        return NatsServer::write_entry(server, key, revision, text);
    };
    return access.ask<std::int64_t>("nats.write table", payload, access.now() + call_within,
                                    std::move(serve));
}

Task<Result<void>> Membership::take_a_turn(Self self) {
    const NatsAccess& access = self->topic_->access;
    for (;;) {
        const MonotonicTime began = access.now();
        const auto entry = co_await read(self);
        if (!entry) { co_return failure(entry.error()); }
        RP_CO_TRY(ShareTable table, read_share_table(entry->text));
        const auto dead = self->watch_.look(table, self->me_, access.now());
        std::set<std::size_t> released;
        for (std::size_t index = 0; index < self->shares_.size(); ++index) {
            const Share& share = self->shares_[index];
            if (share.spare && share.inbox == 0 && share.pending.empty()) {
                released.insert(index);
            }
        }
        const ShareTurn turn =
            take_turn(std::move(table), self->me_, self->shares_.size(), dead, released);
        const auto written = co_await write(self, entry->revision, write_share_table(turn.table));
        if (!written) { co_return failure(written.error()); }
        if (*written == 0) { continue; }
        if (self->closed_) { co_return Result<void>(); }
        self->renewed_ = began;
        self->own(turn);
        self->messages_.notify();
        co_return Result<void>();
    }
}

Task<void> Membership::say_goodbye(Self self) {
    const MonotonicTime give_up = self->topic_->access.now() + call_within * 5;
    while (self->topic_->access.now() < give_up) {
        const auto entry = co_await read(self);
        if (!entry) { co_return; }
        auto table = read_share_table(entry->text);
        if (!table) { co_return; }
        std::string text = write_share_table(leave(*std::move(table), self->me_));
        const auto written = co_await write(self, entry->revision, std::move(text));
        if (!written || *written != 0) { co_return; }
    }
}

void Membership::own(const ShareTurn& turn) {
    for (std::size_t index = 0; index < shares_.size(); ++index) {
        Share& share = shares_[index];
        const bool mine = turn.mine.contains(index);
        share.spare = turn.spare.contains(index);
        if (mine && share.state == State::foreign) {
            share.state = State::recovering;
            ++share.term;
            topic_->access.host().spawn("nats share",
                                        serve_share(shared_from_this(), index, share.term));
        } else if (!mine && share.state != State::foreign) {
            lose(share);
        }
    }
}

void Membership::lose(Share& share) {
    if (share.inbox != 0) { unsubscribe({topic_->access.client(), share.inbox}); }
    const std::uint64_t term = share.term + 1;
    // What was handed out may still be acknowledged: its effect has taken place.
    auto unconfirmed = std::move(share.unconfirmed);
    share = Share();
    share.term = term;
    share.unconfirmed = std::move(unconfirmed);
}

void Membership::unsubscribe(NatsServer::Inbox inbox) {
    auto deliver = [&server = topic_->access.server(), inbox] { server.unsubscribe(inbox); };
    topic_->access.tell("nats.unsubscribe", inbox.number, std::move(deliver));
}

// ---- one share ----

Task<void> Membership::serve_share(Self self, std::size_t index, std::uint64_t term) {
    Clock& clock = self->topic_->access.clock();
    while (self->owns(self->shares_[index], term)) {
        Share& share = self->shares_[index];
        const bool full = share.buffered.size() > self->topic_->options.prefetch / 2;
        const bool idle = share.state == State::open && (share.spare || full);
        if (idle || !self->fresh(asks_within)) {
            co_await HostSignal::wait(self->work_, clock.monotonic() + turn_every);
            continue;
        }
        if (share.state == State::recovering) {
            const bool recovered = co_await recover(self, index, term);
            if (!self->owns(share, term)) { co_return; }
            if (recovered) {
                share.state = State::open;
            } else {
                co_await sleep_for(clock, try_again_after);
            }
            continue;
        }
        const auto pulled = co_await pull(self, index, term);
        if (!self->owns(share, term)) { co_return; }
        if (pulled) { continue; }
        // What was under way on the broken connection is neither here nor coming.
        share.state = State::recovering;
        co_await sleep_for(clock, try_again_after);
    }
}

Task<bool> Membership::recover(Self self, std::size_t index, std::uint64_t term) {
    const NatsAccess& access = self->topic_->access;
    co_await confirm(self, index, access.now() + call_within);
    const auto states = co_await NatsTopic::states(self->topic_, access.now() + call_within);
    if (!self->owns(self->shares_[index], term)) { co_return false; }
    const std::string name = self->durable(index);
    if (!states || !states->consumers.contains(name)) {
        const MonotonicTime deadline = access.now() + call_within;
        co_await NatsTopic::ensure(self->topic_, deadline);
        co_await NatsTopic::ensure_durable(self->topic_, self->group_, index, deadline);
        co_return false;
    }
    const auto known = static_cast<std::int64_t>(self->shares_[index].pending.size());
    if (states->consumers.at(name).ack_pending <= known) { co_return true; }
    // Somebody who is gone held messages, or they were lost on the way here: as if their time were
    // up, so that they come before all later ones.
    auto serve = [&server = access.server(), stream = self->topic_->stream, name] {
        return NatsServer::redeliver_to_next(server, stream, name);
    };
    const auto made_due = co_await access.ask<std::int64_t>(
        "nats.recover", hash64(name), access.now() + call_within, std::move(serve));
    if (!made_due) { co_return false; }
    co_await sleep_for(access.clock(), server_looks_after);
    co_return true;
}

Task<Result<void>> Membership::pull(Self self, std::size_t index, std::uint64_t term) {
    const NatsAccess& access = self->topic_->access;
    const MonotonicTime until = access.now() + asked_for;
    const std::size_t limit = self->topic_->options.prefetch - self->shares_[index].buffered.size();
    const std::string name = self->durable(index);
    const NatsServer::Inbox inbox{access.client(), combine64(hash64(self->me_), ++self->inboxes_)};
    auto serve = [&server = access.server(), inbox, stream = self->topic_->stream, name, limit] {
        const MonotonicTime expires = server.machine().host()->clock().monotonic() + asked_for;
        return NatsServer::fetch(server, inbox, stream, name, limit, expires);
    };
    self->shares_[index].inbox = inbox.number;
    const auto fetched = co_await access.ask<NatsFetched>(
        "nats.pull", combine64(hash64(name), limit), until + asked_for, std::move(serve));
    Share& share = self->shares_[index];
    if (share.term == term) { share.inbox = 0; }
    if (!fetched) {
        // What was asked for and may still come is nobody's.
        self->unsubscribe(inbox);
        co_return failure(fetched.error());
    }
    if (!self->owns(share, term)) { co_return Result<void>(); }
    for (const NatsDelivery& delivery : fetched->deliveries) { self->receive(index, delivery); }
    if (!share.unconfirmed.empty()) { co_await confirm(self, index, access.now() + call_within); }
    co_return Result<void>();
}

void Membership::receive(std::size_t index, const NatsDelivery& delivery) {
    Share& share = shares_[index];
    if (share.unconfirmed.contains(delivery.sequence)) { return; }
    if (!share.pending.insert(delivery.sequence).second) { return; }
    share.buffered.push_back(
        {delivery.sequence, delivery.attempt, NatsTopic::from_nats(*delivery.message)});
    messages_.notify();
}

// What was acknowledged and not confirmed, until it is.
Task<Result<void>> Membership::confirm(Self self, std::size_t index, MonotonicTime deadline) {
    const auto& unconfirmed = self->shares_[index].unconfirmed;
    if (unconfirmed.empty()) { co_return Result<void>(); }
    const std::vector<std::uint64_t> sequences(unconfirmed.begin(), unconfirmed.end());
    const NatsAccess& access = self->topic_->access;
    auto serve = [&server = access.server(), stream = self->topic_->stream,
                  name = self->durable(index),
                  sequences] { return NatsServer::acknowledge(server, stream, name, sequences); };
    const auto confirmed = co_await access.ask<std::int64_t>(
        "nats.acknowledge", hash_numbers(sequences), deadline, std::move(serve));
    if (!confirmed) { co_return failure(confirmed.error()); }
    for (const std::uint64_t sequence : sequences) {
        self->shares_[index].unconfirmed.erase(sequence);
    }
    co_return Result<void>();
}

// The stream keeps everything until it is purged: what every consumer of a subject has
// acknowledged.
Task<void> Membership::purge(Self self) {
    const NatsAccess& access = self->topic_->access;
    const auto states = co_await NatsTopic::states(self->topic_, access.now() + call_within);
    if (!states) { co_return; }
    std::map<std::string, std::uint64_t> floors;
    for (const auto& [name, info] : states->consumers) {
        const auto [found, is_new] = floors.emplace(info.filter, info.floor);
        found->second = std::min(found->second, info.floor);
    }
    for (std::size_t index = 0; index < self->purged_.size(); ++index) {
        const std::string subject = self->topic_->subject(index);
        const std::uint64_t floor = floors[subject];
        if (floor <= self->purged_[index]) { continue; }
        auto serve = [&server = access.server(), stream = self->topic_->stream, subject, floor] {
            return NatsServer::purge(server, stream, subject, floor + 1);
        };
        const auto purged = co_await access.ask<std::int64_t>(
            "nats.purge", floor, access.now() + call_within, std::move(serve));
        if (purged) { self->purged_[index] = floor; }
    }
}

// What is held stays ours.
void Membership::stay_alive() {
    const NatsAccess& access = topic_->access;
    if (access.now() < alive_at_) { return; }
    alive_at_ = access.now() + topic_->options.ack_wait / 3;
    for (std::size_t index = 0; index < shares_.size(); ++index) {
        const Share& share = shares_[index];
        if (share.pending.empty()) { continue; }
        const std::vector<std::uint64_t> sequences(share.pending.begin(), share.pending.end());
        auto deliver = [&server = access.server(), stream = topic_->stream, name = durable(index),
                        sequences] { server.in_progress(stream, name, sequences); };
        access.tell("nats.in progress", hash_numbers(sequences), std::move(deliver));
    }
}

// ---- what the consumer's owner does ----

std::vector<Delivery> Membership::take(std::size_t limit) {
    std::vector<Delivery> taken;
    if (!fresh(hands_out_within)) { return taken; }
    for (std::size_t turn = 0; turn < shares_.size() && taken.size() < limit; ++turn) {
        const std::size_t index = next_share_++ % shares_.size();
        Share& share = shares_[index];
        while (!share.buffered.empty() && taken.size() < limit) {
            Buffered& first = share.buffered.front();
            Delivery delivery;
            delivery.message = std::move(first.message);
            delivery.attempt = first.attempt;
            delivery.number = ++last_number_;
            delivery.provider = "nats";
            held_.emplace(last_number_, Held{index, first.sequence});
            taken.push_back(std::move(delivery));
            share.buffered.pop_front();
        }
    }
    topic_->delivered += taken.size();
    if (!taken.empty()) { work_.notify(); }
    return taken;
}

Task<bool> Membership::wait_for_messages(Self self, MonotonicTime deadline) {
    const auto ready = [&self] {
        return self->fresh(hands_out_within) &&
               std::any_of(self->shares_.begin(), self->shares_.end(),
                           [](const Share& share) { return !share.buffered.empty(); });
    };
    while (!self->closed_ && !ready()) {
        if (self->topic_->access.now() >= deadline) { co_return false; }
        co_await HostSignal::wait(self->messages_, deadline);
    }
    co_return !self->closed_;
}

Task<Result<void>> Membership::acknowledge(Self self, MonotonicTime deadline,
                                           std::vector<std::uint64_t> numbers) {
    std::set<std::size_t> touched;
    bool all_known = true;
    for (const std::uint64_t number : numbers) {
        const auto found = self->held_.find(number);
        if (found == self->held_.end()) {
            all_known = false;
            continue;
        }
        const Held held = found->second;
        self->held_.erase(found);
        // Of a share that is no longer ours the server takes it too, and rightly.
        self->shares_[held.share].pending.erase(held.sequence);
        self->shares_[held.share].unconfirmed.insert(held.sequence);
        touched.insert(held.share);
    }
    self->acknowledged_since_purge_ = true;
    for (const std::size_t index : touched) {
        RP_CO_CHECK(co_await confirm(self, index, deadline));
    }
    if (all_known) { co_return Result<void>(); }
    co_return failure(ErrorKind::permanent, "unknown-delivery", "not all of these are held");
}

class SimNatsConsumer final : public Consumer {
public:
    explicit SimNatsConsumer(std::shared_ptr<Membership> membership)
        : membership_(std::move(membership)) {}
    SimNatsConsumer(const SimNatsConsumer&) = delete;
    SimNatsConsumer& operator=(const SimNatsConsumer&) = delete;
    ~SimNatsConsumer() override { membership_->close(); }

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        const std::shared_ptr<Membership> membership = membership_;
        const bool ready = co_await Membership::wait_for_messages(membership, context.deadline);
        if (membership->closed()) {
            co_return failure(ErrorKind::retryable, "closed", "this consumer has left its group");
        }
        if (!ready && !membership->connected()) {
            co_return failure(ErrorKind::retryable, "unavailable", "NATS cannot be reached");
        }
        co_return membership->take(limit);
    }

    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        return Membership::acknowledge(membership_, context.deadline, std::move(numbers));
    }

    Task<void> close() override {
        membership_->close();
        co_return;
    }

private:
    std::shared_ptr<Membership> membership_;
};

}  // namespace

std::unique_ptr<Consumer> start_nats_consumer(std::shared_ptr<NatsTopic> topic, std::string group) {
    auto membership = std::make_shared<Membership>(std::move(topic), std::move(group));
    membership->start();
    return std::make_unique<SimNatsConsumer>(std::move(membership));
}

}  // namespace rushproof::simulator
