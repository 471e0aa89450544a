#include "simulator/models/nats/stream.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

NatsStream::NatsStream(NatsStreamOptions options, NatsMistake mistake)
    : options_(options), mistake_(mistake) {}

Result<NatsPublished> NatsStream::publish(NatsMessage message, WallTime now) {
    if (message.body.size() > options_.body_max) {
        return failure(ErrorKind::permanent, "too-large", "maximum payload exceeded");
    }
    forget_ids(now);
    const bool knows_ids = !message.id.empty() && mistake_ != NatsMistake::ignores_ids;
    if (knows_ids) {
        const auto known = ids_.find(message.id);
        if (known != ids_.end()) {
            return NatsPublished{.sequence = known->second.sequence, .duplicate = true};
        }
    }
    if (options_.messages_max > 0 && size() >= options_.messages_max) {
        return failure(ErrorKind::retryable, "queue-full", "maximum messages exceeded");
    }
    const std::uint64_t sequence = ++last_;
    if (knows_ids) {
        ids_by_age_.emplace_back(now, message.id);
        ids_.emplace(message.id, Known{sequence, now});
    }
    messages_.emplace(sequence,
                      Stored{now, std::make_shared<const NatsMessage>(std::move(message))});
    return NatsPublished{.sequence = sequence, .duplicate = false};
}

void NatsStream::forget_ids(WallTime now) {
    while (ids_forgotten_ < ids_by_age_.size() &&
           ids_by_age_[ids_forgotten_].first + options_.duplicate_window <= now) {
        const auto& [at, id] = ids_by_age_[ids_forgotten_];
        const auto known = ids_.find(id);
        if (known != ids_.end() && known->second.at == at) { ids_.erase(known); }
        ++ids_forgotten_;
    }
    if (ids_forgotten_ > 1'024 && ids_forgotten_ * 2 > ids_by_age_.size()) {
        ids_by_age_.erase(ids_by_age_.begin(),
                          ids_by_age_.begin() + static_cast<std::ptrdiff_t>(ids_forgotten_));
        ids_forgotten_ = 0;
    }
}

void NatsStream::remember_ids() {
    ids_.clear();
    ids_by_age_.clear();
    ids_forgotten_ = 0;
    for (const auto& [sequence, stored] : messages_) {
        if (stored.message->id.empty()) { continue; }
        ids_.insert_or_assign(stored.message->id, Known{sequence, stored.at});
        ids_by_age_.emplace_back(stored.at, stored.message->id);
    }
}

void NatsStream::add_consumer(const std::string& name, NatsConsumerOptions options) {
    const auto [found, made] = consumers_.try_emplace(name);
    if (!made) { return; }
    found->second.options = std::move(options);
    // The file of a new consumer is written at once.
    found->second.written = found->second.state;
}

std::vector<std::string> NatsStream::consumers() const {
    std::vector<std::string> names;
    names.reserve(consumers_.size());
    for (const auto& [name, consumer] : consumers_) { names.push_back(name); }
    return names;
}

bool NatsStream::matches(const Consumer& consumer, const Stored& stored) const {
    return consumer.options.filter.empty() || consumer.options.filter == stored.message->subject;
}

std::map<std::uint64_t, NatsStream::Stored>::const_iterator NatsStream::find_next(
    const Consumer& consumer) const {
    auto next = messages_.lower_bound(consumer.state.next);
    while (next != messages_.end() && !matches(consumer, next->second)) { ++next; }
    return next;
}

bool NatsStream::can_deliver(std::string_view consumer) const {
    const auto found = consumers_.find(consumer);
    RP_ASSERT(found != consumers_.end());
    const Consumer& which = found->second;
    if (!which.due.empty()) { return true; }
    const auto out = static_cast<std::int64_t>(which.state.pending.size());
    return out < which.options.ack_pending_max && find_next(which) != messages_.end();
}

std::vector<NatsDelivery> NatsStream::fetch(std::string_view consumer, std::size_t limit,
                                            WallTime now) {
    const auto found = consumers_.find(consumer);
    RP_ASSERT(found != consumers_.end());
    Consumer& which = found->second;
    std::vector<NatsDelivery> deliveries;
    while (deliveries.size() < limit) {
        auto delivery = which.due.empty() ? deliver_new(which, now) : redeliver(which, now);
        if (!delivery) {
            if (which.due.empty()) { break; }
            continue;
        }
        deliveries.push_back(*std::move(delivery));
    }
    if (!deliveries.empty()) { dirty_ = true; }
    return deliveries;
}

// Nothing when the message is gone, or was delivered as often as allowed.
std::optional<NatsDelivery> NatsStream::redeliver(Consumer& consumer, WallTime now) {
    const std::uint64_t sequence = *consumer.due.begin();
    consumer.due.erase(consumer.due.begin());
    const auto pending = consumer.state.pending.find(sequence);
    RP_ASSERT(pending != consumer.state.pending.end());
    const auto stored = messages_.find(sequence);
    const bool too_often = consumer.options.deliveries_max > 0 &&
                           pending->second.attempt >= consumer.options.deliveries_max;
    if (stored == messages_.end() || too_often) {
        consumer.state.pending.erase(pending);
        return std::nullopt;
    }
    pending->second.since = now;
    pending->second.number = ++consumer.state.deliveries;
    ++pending->second.attempt;
    return NatsDelivery{.sequence = sequence,
                        .number = pending->second.number,
                        .attempt = pending->second.attempt,
                        .message = stored->second.message};
}

std::optional<NatsDelivery> NatsStream::deliver_new(Consumer& consumer, WallTime now) {
    const auto out = static_cast<std::int64_t>(consumer.state.pending.size());
    if (out >= consumer.options.ack_pending_max) { return std::nullopt; }
    const auto next = find_next(consumer);
    if (next == messages_.end()) { return std::nullopt; }
    const auto& [sequence, stored] = *next;
    consumer.state.next = sequence + 1;
    const std::uint64_t number = ++consumer.state.deliveries;
    if (mistake_ != NatsMistake::forgets_pending) {
        consumer.state.pending.emplace(sequence, Pending{now, number, 1});
    }
    return NatsDelivery{
        .sequence = sequence, .number = number, .attempt = 1, .message = stored.message};
}

bool NatsStream::acknowledge(std::string_view consumer, std::uint64_t sequence) {
    const auto found = consumers_.find(consumer);
    if (found == consumers_.end()) { return false; }
    Consumer& which = found->second;
    if (which.state.pending.erase(sequence) == 0) { return false; }
    which.due.erase(sequence);
    dirty_ = true;
    if (options_.retention == NatsRetention::work_queue) { remove(sequence); }
    return true;
}

void NatsStream::remove(std::uint64_t sequence) {
    const auto found = messages_.find(sequence);
    if (found == messages_.end()) { return; }
    if (sequence <= synced_) { removed_.insert(*found); }
    messages_.erase(found);
}

bool NatsStream::in_progress(std::string_view consumer, std::uint64_t sequence, WallTime now) {
    const auto found = consumers_.find(consumer);
    if (found == consumers_.end()) { return false; }
    const auto pending = found->second.state.pending.find(sequence);
    if (pending == found->second.state.pending.end()) { return false; }
    pending->second.since = now;
    return true;
}

bool NatsStream::refuse(std::string_view consumer, std::uint64_t sequence) {
    const auto found = consumers_.find(consumer);
    if (found == consumers_.end() || !found->second.state.pending.contains(sequence)) {
        return false;
    }
    found->second.due.insert(sequence);
    return true;
}

std::size_t NatsStream::expire(WallTime now) {
    std::size_t expired = 0;
    for (auto& [name, consumer] : consumers_) {
        for (const auto& [sequence, pending] : consumer.state.pending) {
            if (pending.since + consumer.options.ack_wait > now) { continue; }
            if (consumer.due.insert(sequence).second) { ++expired; }
        }
    }
    return expired;
}

std::optional<WallTime> NatsStream::next_expiry() const {
    std::optional<WallTime> next;
    for (const auto& [name, consumer] : consumers_) {
        for (const auto& [sequence, pending] : consumer.state.pending) {
            if (consumer.due.contains(sequence)) { continue; }
            const auto at =
                std::chrono::ceil<WallTag::duration>(pending.since + consumer.options.ack_wait);
            if (!next || at < *next) { next = at; }
        }
    }
    return next;
}

std::size_t NatsStream::redeliver(std::string_view name) {
    const auto found = consumers_.find(name);
    if (found == consumers_.end()) { return 0; }
    std::size_t count = 0;
    for (const auto& [sequence, pending] : found->second.state.pending) {
        if (found->second.due.insert(sequence).second) { ++count; }
    }
    return count;
}

std::size_t NatsStream::redeliver_all() {
    std::size_t count = 0;
    for (const auto& [name, consumer] : consumers_) { count += redeliver(name); }
    return count;
}

void NatsStream::purge(std::string_view subject, std::uint64_t before) {
    std::vector<std::uint64_t> purged;
    for (const auto& [sequence, stored] : messages_) {
        if (sequence >= before) { break; }
        if (stored.message->subject == subject) { purged.push_back(sequence); }
    }
    for (const std::uint64_t sequence : purged) { remove(sequence); }
}

NatsConsumerInfo NatsStream::info(std::string_view consumer) const {
    const auto found = consumers_.find(consumer);
    RP_ASSERT(found != consumers_.end());
    const Consumer& which = found->second;
    NatsConsumerInfo info;
    info.filter = which.options.filter;
    const auto& out = which.state.pending;
    info.floor = (out.empty() ? which.state.next : out.begin()->first) - 1;
    for (auto next = messages_.lower_bound(which.state.next); next != messages_.end(); ++next) {
        if (matches(which, next->second)) { ++info.waiting; }
    }
    for (const auto& [sequence, pending] : which.state.pending) {
        ++info.ack_pending;
        if (pending.attempt > 1) { ++info.redelivered; }
    }
    return info;
}

void NatsStream::write_consumers() {
    for (auto& [name, consumer] : consumers_) { consumer.written = consumer.state; }
    dirty_ = false;
}

void NatsStream::sync() {
    write_consumers();
    for (auto& [name, consumer] : consumers_) { consumer.synced = consumer.state; }
    removed_.clear();
    synced_ = last_;
}

// A consumer cannot be ahead of its stream; what it had out stays out until its ack_wait is over.
void NatsStream::recover(Consumer& consumer, State state) {
    state.next = std::min(state.next, last_ + 1);
    std::erase_if(state.pending,
                  [this](const auto& pending) { return !messages_.contains(pending.first); });
    consumer.state = std::move(state);
    consumer.written = consumer.state;
    consumer.due.clear();
}

void NatsStream::kill() {
    for (auto& [name, consumer] : consumers_) { recover(consumer, consumer.written); }
    remember_ids();
    dirty_ = false;
}

std::size_t NatsStream::lose_power() {
    const auto first_lost = messages_.upper_bound(synced_);
    const auto lost = static_cast<std::size_t>(std::distance(first_lost, messages_.end()));
    messages_.erase(first_lost, messages_.end());
    messages_.merge(removed_);
    removed_.clear();
    last_ = synced_;
    for (auto& [name, consumer] : consumers_) { recover(consumer, consumer.synced); }
    remember_ids();
    dirty_ = false;
    return lost;
}

}  // namespace rushproof::simulator
