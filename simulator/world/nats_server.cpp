#include "simulator/world/nats_server.hpp"

#include <utility>

#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

// Writing a message to the page cache.
constexpr Duration write_base = std::chrono::microseconds(20);
constexpr Duration write_tail = std::chrono::microseconds(20);

}  // namespace

std::uint64_t PayloadHash<NatsFetched>::of(const NatsFetched& fetched) {
    std::uint64_t hash = fetched.deliveries.size();
    for (const NatsDelivery& delivery : fetched.deliveries) {
        hash = combine64(combine64(hash, delivery.sequence), delivery.number);
        hash = combine64(hash, hash64(delivery.message->body));
    }
    return hash;
}

std::uint64_t PayloadHash<NatsStates>::of(const NatsStates& states) {
    std::uint64_t hash = static_cast<std::uint64_t>(states.messages);
    for (const auto& [name, info] : states.consumers) {
        hash = combine64(combine64(hash, hash64(name)), static_cast<std::uint64_t>(info.waiting));
        hash = combine64(hash, static_cast<std::uint64_t>(info.ack_pending));
    }
    return hash;
}

std::uint64_t PayloadHash<NatsEntry>::of(const NatsEntry& entry) {
    return combine64(entry.revision, hash64(entry.text));
}

NatsServer::NatsServer(Network& network, Machine& machine, NatsServerOptions options)
    : BrokerServer(network, machine),
      options_(options),
      next_sync_(monotonic() + options.sync_interval),
      writes_(keyed_stream(scheduler().seed(), "nats-writes", hash64(machine.name()))) {}

void NatsServer::died() {
    inboxes_.clear();
    for (auto& [name, stream] : streams_) { stream.kill(); }
}

std::size_t NatsServer::power_lost() {
    std::size_t lost = 0;
    for (auto& [name, stream] : streams_) { lost += stream.lose_power(); }
    entries_ = synced_entries_;
    return lost;
}

void NatsServer::tick() {
    std::size_t expired = 0;
    for (auto& [name, stream] : streams_) {
        expired += stream.expire(wall());
        if (!stream.consumers_written()) { stream.write_consumers(); }
    }
    if (expired > 0) { changed(); }
    if (monotonic() < next_sync_) { return; }
    next_sync_ = monotonic() + options_.sync_interval;
    for (auto& [name, stream] : streams_) { stream.sync(); }
    synced_entries_ = entries_;
}

std::size_t NatsServer::redeliver() {
    std::size_t count = 0;
    for (auto& [name, stream] : streams_) { count += stream.redeliver_all(); }
    changed();
    return count;
}

Result<NatsStream*> NatsServer::find(const std::string& stream) {
    RP_CHECK(admit());
    const auto found = streams_.find(stream);
    if (found == streams_.end()) {
        return failure(ErrorKind::retryable, "not-found", "no stream " + stream);
    }
    return &found->second;
}

Duration NatsServer::write_time() { return write_base + writes_.exponential(write_tail); }

Task<Result<std::int64_t>> NatsServer::ensure_stream(NatsServer& server, std::string stream,
                                                     NatsStreamOptions options) {
    RP_CO_CHECK(server.admit());
    server.streams_.try_emplace(stream, options, server.options_.mistake);
    const Duration time = server.write_time();
    co_await sleep_for(server.host().clock(), time);
    co_return 0;
}

Task<Result<std::int64_t>> NatsServer::ensure_consumer(NatsServer& server, std::string stream,
                                                       std::string consumer,
                                                       NatsConsumerOptions options) {
    RP_CO_TRY(NatsStream* const found, server.find(stream));
    found->add_consumer(consumer, std::move(options));
    const Duration time = server.write_time();
    co_await sleep_for(server.host().clock(), time);
    co_return 0;
}

Task<Result<std::int64_t>> NatsServer::publish(NatsServer& server, std::string stream,
                                               NatsMessage message) {
    RP_CO_TRY(NatsStream* const found, server.find(stream));
    const auto published = found->publish(std::move(message), server.wall());
    if (!published) { co_return failure(published.error()); }
    if (!published->duplicate) { server.changed(); }
    const bool lost = server.loses_ack();
    const Duration time = server.write_time();
    co_await sleep_for(server.host().clock(), time);
    if (lost) { co_return ack_lost(); }
    co_return static_cast<std::int64_t>(published->sequence);
}

Task<Result<NatsFetched>> NatsServer::fetch(NatsServer& server, Inbox inbox, std::string stream,
                                            std::string consumer, std::size_t limit,
                                            MonotonicTime deadline) {
    server.inboxes_.insert(inbox);
    auto fetched = co_await fetch_while_subscribed(server, inbox, std::move(stream),
                                                   std::move(consumer), limit, deadline);
    server.inboxes_.erase(inbox);
    co_return fetched;
}

void NatsServer::unsubscribe(Inbox inbox) {
    inboxes_.erase(inbox);
    changed();
}

Task<Result<NatsFetched>> NatsServer::fetch_while_subscribed(NatsServer& server, Inbox inbox,
                                                             std::string stream,
                                                             std::string consumer,
                                                             std::size_t limit,
                                                             MonotonicTime deadline) {
    NatsFetched fetched;
    for (;;) {
        RP_CO_TRY(NatsStream* const found, server.find(stream));
        if (!found->has_consumer(consumer)) {
            co_return failure(ErrorKind::retryable, "not-found", "no consumer " + consumer);
        }
        // Nobody listens any more: nothing is delivered there.
        const bool gone = server.is_reset(inbox.client) || !server.inboxes_.contains(inbox);
        if (gone || server.shutting_down()) { co_return fetched; }
        fetched.deliveries = found->fetch(consumer, limit, server.wall());
        const bool over = server.monotonic() >= deadline;
        if (!fetched.deliveries.empty() || over) { co_return fetched; }
        co_await wait_for_change(server, deadline);
    }
}

Task<Result<std::int64_t>> NatsServer::acknowledge(NatsServer& server, std::string stream,
                                                   std::string consumer,
                                                   std::vector<std::uint64_t> sequences) {
    RP_CO_TRY(NatsStream* const found, server.find(stream));
    std::int64_t count = 0;
    for (const std::uint64_t sequence : sequences) {
        if (found->acknowledge(consumer, sequence)) { ++count; }
    }
    server.changed();
    co_return count;
}

Task<Result<std::int64_t>> NatsServer::redeliver_to_next(NatsServer& server, std::string stream,
                                                         std::string consumer) {
    RP_CO_TRY(NatsStream* const found, server.find(stream));
    const auto count = static_cast<std::int64_t>(found->redeliver(consumer));
    server.changed();
    co_return count;
}

Task<Result<std::int64_t>> NatsServer::purge(NatsServer& server, std::string stream,
                                             std::string subject, std::uint64_t before) {
    RP_CO_TRY(NatsStream* const found, server.find(stream));
    found->purge(subject, before);
    co_return 0;
}

Task<Result<NatsStates>> NatsServer::states(NatsServer& server, std::string stream) {
    RP_CO_TRY(const NatsStream* const found, server.find(stream));
    NatsStates states;
    states.messages = found->size();
    for (const std::string& name : found->consumers()) {
        states.consumers[name] = found->info(name);
    }
    co_return states;
}

Task<Result<NatsEntry>> NatsServer::read_entry(NatsServer& server, std::string key) {
    RP_CO_CHECK(server.admit());
    const auto found = server.entries_.find(key);
    co_return found == server.entries_.end() ? NatsEntry() : found->second;
}

Task<Result<std::int64_t>> NatsServer::write_entry(NatsServer& server, std::string key,
                                                   std::uint64_t seen, std::string text) {
    RP_CO_CHECK(server.admit());
    NatsEntry& entry = server.entries_[key];
    if (entry.revision != seen) { co_return 0; }
    ++entry.revision;
    entry.text = std::move(text);
    co_return 1;
}

void NatsServer::in_progress(const std::string& stream, const std::string& consumer,
                             const std::vector<std::uint64_t>& sequences) {
    const auto found = find(stream);
    if (!found) { return; }
    for (const std::uint64_t sequence : sequences) {
        (*found)->in_progress(consumer, sequence, wall());
    }
}

}  // namespace rushproof::simulator
