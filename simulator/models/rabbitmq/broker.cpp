#include "simulator/models/rabbitmq/broker.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

void RabbitBroker::declare(const std::string& queue, RabbitQueueOptions options) {
    const auto [found, made] = queues_.try_emplace(queue);
    if (made) { found->second.options = std::move(options); }
}

Result<std::uint64_t> RabbitBroker::publish(std::string_view queue, RabbitMessage message,
                                            MonotonicTime now) {
    const auto found = queues_.find(queue);
    if (found == queues_.end()) {
        return failure(ErrorKind::permanent, "no-route", "no queue " + std::string(queue));
    }
    if (message.body.size() > body_max_) {
        return failure(ErrorKind::permanent, "too-large", "the message is too large");
    }
    Queue& target = found->second;
    const auto size = static_cast<std::int64_t>(target.messages.size());
    if (target.options.messages_max > 0 && size >= target.options.messages_max) {
        return failure(ErrorKind::retryable, "queue-full", "the queue is full");
    }
    const std::uint64_t number = ++published_;
    store(target, found->first, Stored{std::move(message), number, now, false});
    return number;
}

void RabbitBroker::store(Queue& queue, const std::string& name, Stored stored) {
    const std::uint64_t position = next_position_++;
    queue.messages.emplace(position, std::move(stored));
    added_.insert({name, position});
}

void RabbitBroker::removed(const std::string& queue, std::uint64_t position, Stored stored) {
    const Position which{queue, position};
    if (added_.erase(which) > 0) { return; }
    removed_.emplace(which, std::move(stored));
}

void RabbitBroker::close_channel(RabbitChannel channel) {
    const auto found = channels_.find(channel);
    if (found == channels_.end()) { return; }
    for (const auto& [tag, out] : found->second.out) {
        Queue& queue = queues_.find(out.queue)->second;
        auto returned = queue.out.extract(out.position);
        returned.mapped().redelivered = true;
        if (mistake_ == RabbitMistake::drops_unacknowledged) { continue; }
        queue.messages.insert(std::move(returned));
    }
    channels_.erase(found);
}

std::size_t RabbitBroker::close_channels() {
    std::size_t returned = 0;
    while (!channels_.empty()) {
        returned += channels_.begin()->second.out.size();
        close_channel(channels_.begin()->first);
    }
    return returned;
}

std::optional<RabbitDelivery> RabbitBroker::get(RabbitChannel channel, std::string_view queue,
                                                MonotonicTime now) {
    expire(now);
    const auto found = queues_.find(queue);
    if (found == queues_.end() || found->second.messages.empty()) { return std::nullopt; }
    Queue& source = found->second;
    auto first = source.messages.extract(source.messages.begin());
    Channel& to = channels_[channel];
    const std::uint64_t tag = ++to.tags;
    to.out.emplace(tag, Out{found->first, first.key()});
    const Stored& stored = first.mapped();
    RabbitDelivery delivery{
        .tag = tag, .redelivered = stored.redelivered, .message = stored.message};
    source.out.insert(std::move(first));
    return delivery;
}

std::optional<RabbitBroker::Out> RabbitBroker::take_out(RabbitChannel channel, std::uint64_t tag) {
    const auto found = channels_.find(channel);
    if (found == channels_.end()) { return std::nullopt; }
    auto out = found->second.out.extract(tag);
    if (out.empty()) { return std::nullopt; }
    return std::move(out.mapped());
}

bool RabbitBroker::acknowledge(RabbitChannel channel, std::uint64_t tag) {
    const auto out = take_out(channel, tag);
    if (!out) { return false; }
    auto done = queues_.find(out->queue)->second.out.extract(out->position);
    removed(out->queue, out->position, std::move(done.mapped()));
    return true;
}

bool RabbitBroker::reject(RabbitChannel channel, std::uint64_t tag, Requeue requeue,
                          MonotonicTime now) {
    const auto out = take_out(channel, tag);
    if (!out) { return false; }
    Queue& queue = queues_.find(out->queue)->second;
    auto rejected = queue.out.extract(out->position);
    if (requeue == Requeue::yes) {
        rejected.mapped().redelivered = true;
        queue.messages.insert(std::move(rejected));
        return true;
    }
    Stored dead = rejected.mapped();
    removed(out->queue, out->position, std::move(rejected.mapped()));
    dead_letter(out->queue, std::move(dead), "rejected", now);
    return true;
}

void RabbitBroker::dead_letter(const std::string& from, Stored stored, const std::string& reason,
                               MonotonicTime now) {
    const auto target = queues_.find(queues_.find(from)->second.options.dead_letter_queue);
    if (target == queues_.end()) { return; }
    ++stored.message.deaths[{from, reason}];
    stored.since = now;
    stored.redelivered = false;
    store(target->second, target->first, std::move(stored));
}

void RabbitBroker::expire(MonotonicTime now) {
    for (auto& [name, queue] : queues_) {
        if (queue.options.time_to_live == Duration::zero()) { continue; }
        while (!queue.messages.empty()) {
            const auto first = queue.messages.begin();
            if (first->second.since + queue.options.time_to_live > now) { break; }
            Stored dead = first->second;
            removed(name, first->first, std::move(first->second));
            queue.messages.erase(first);
            dead_letter(name, std::move(dead), "expired", now);
        }
    }
}

std::optional<MonotonicTime> RabbitBroker::next_expiry() const {
    std::optional<MonotonicTime> next;
    for (const auto& [name, queue] : queues_) {
        if (queue.options.time_to_live == Duration::zero() || queue.messages.empty()) { continue; }
        const MonotonicTime at = queue.messages.begin()->second.since + queue.options.time_to_live;
        if (!next || at < *next) { next = at; }
    }
    return next;
}

std::int64_t RabbitBroker::waiting(std::string_view queue) const {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? 0 : static_cast<std::int64_t>(found->second.messages.size());
}

std::int64_t RabbitBroker::out(std::string_view queue) const {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? 0 : static_cast<std::int64_t>(found->second.out.size());
}

std::vector<RabbitMessage> RabbitBroker::peek(std::string_view queue, std::size_t limit) const {
    std::vector<RabbitMessage> messages;
    const auto found = queues_.find(queue);
    if (found == queues_.end()) { return messages; }
    for (const auto& [position, stored] : found->second.messages) {
        if (messages.size() == limit) { break; }
        messages.push_back(stored.message);
    }
    return messages;
}

void RabbitBroker::sync() {
    synced_ = published_;
    added_.clear();
    removed_.clear();
}

std::size_t RabbitBroker::kill() {
    close_channels();
    std::size_t lost = 0;
    for (const auto& [queue, position] : added_) {
        auto gone = queues_.find(queue)->second.messages.extract(position);
        if (!gone.empty() && gone.mapped().number > synced_) { ++lost; }
    }
    for (auto& [which, stored] : removed_) {
        stored.redelivered = true;
        queues_.find(which.first)->second.messages.emplace(which.second, std::move(stored));
    }
    added_.clear();
    removed_.clear();
    synced_ = published_;
    return lost;
}

}  // namespace rushproof::simulator
