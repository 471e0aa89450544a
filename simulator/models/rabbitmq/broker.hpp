// A RabbitMQ broker: durable queues, channels with what they have out, dead letters.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof::simulator {

struct RabbitMessage {
    std::string id;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    // By (queue, reason): how often it was dead-lettered there.
    std::map<std::pair<std::string, std::string>, std::int64_t> deaths;
};

struct RabbitQueueOptions {
    Duration time_to_live{};             // then it is dead-lettered; 0: it waits for ever
    std::string dead_letter_queue = {};  // empty: what dies is gone
    std::int64_t messages_max = 0;       // of those that wait; more are refused; 0: no limit
};

struct RabbitDelivery {
    std::uint64_t tag = 0;  // of the channel
    bool redelivered = false;
    RabbitMessage message;
};

// Mistakes that tests plant, so that the suites show that they would find them.
enum class RabbitMistake : std::uint8_t { none, drops_unacknowledged, confirms_early };

using RabbitChannel = std::uint64_t;

// Times are those of the server's monotonic clock.
class RabbitBroker {
public:
    explicit RabbitBroker(std::size_t body_max = 1'048'576,
                          RabbitMistake mistake = RabbitMistake::none)
        : body_max_(body_max), mistake_(mistake) {}

    // Changes nothing when there is one of that name.
    void declare(const std::string& queue, RabbitQueueOptions options);
    bool has_queue(std::string_view queue) const { return queues_.contains(queue); }

    // Stored; confirmed() once it is synced.  -> its number.  Errors: permanent "no-route",
    // "too-large"; retryable "queue-full".
    Result<std::uint64_t> publish(std::string_view queue, RabbitMessage message, MonotonicTime now);
    bool confirmed(std::uint64_t number) const {
        return number <= synced_ || mistake_ == RabbitMistake::confirms_early;
    }

    RabbitChannel open_channel() { return next_channel_++; }
    // What it has out returns to its place.
    void close_channel(RabbitChannel channel);
    std::optional<RabbitDelivery> get(RabbitChannel channel, std::string_view queue,
                                      MonotonicTime now);
    // False, and nothing done: the channel has no such delivery out.
    bool acknowledge(RabbitChannel channel, std::uint64_t tag);
    enum class Requeue : std::uint8_t { no, yes };
    bool reject(RabbitChannel channel, std::uint64_t tag, Requeue requeue, MonotonicTime now);

    // Dead-letters what is over its time.
    void expire(MonotonicTime now);
    std::optional<MonotonicTime> next_expiry() const;

    std::int64_t waiting(std::string_view queue) const;  // not out
    std::int64_t out(std::string_view queue) const;
    // Up to `limit` that wait, the first first; they stay.
    std::vector<RabbitMessage> peek(std::string_view queue, std::size_t limit) const;

    void sync();
    // Its process died: connections, and whatever was not synced, are gone.  -> published messages
    // that are gone, none of them confirmed.
    std::size_t kill();
    // Every channel's deliveries return, as if the connections had broken.
    std::size_t close_channels();

private:
    struct Stored {
        RabbitMessage message;
        std::uint64_t number = 0;  // of its publish
        MonotonicTime since;       // in this queue
        bool redelivered = false;
    };
    struct Queue {
        RabbitQueueOptions options;
        std::map<std::uint64_t, Stored> messages;  // by position
        std::map<std::uint64_t, Stored> out;       // the same
    };
    using Queues = std::map<std::string, Queue, std::less<>>;
    struct Out {
        std::string queue;
        std::uint64_t position;
    };
    struct Channel {
        std::uint64_t tags = 0;
        std::map<std::uint64_t, Out> out;
    };

    using Position = std::pair<std::string, std::uint64_t>;  // queue, position

    void store(Queue& queue, const std::string& name, Stored stored);
    // Gone from its queue for good, once that is synced.
    void removed(const std::string& queue, std::uint64_t position, Stored stored);
    void dead_letter(const std::string& from, Stored stored, const std::string& reason,
                     MonotonicTime now);
    std::optional<Out> take_out(RabbitChannel channel, std::uint64_t tag);

    std::size_t body_max_;
    RabbitMistake mistake_;
    Queues queues_;
    std::map<RabbitChannel, Channel> channels_;
    RabbitChannel next_channel_ = 1;
    std::uint64_t next_position_ = 1;
    std::uint64_t published_ = 0;
    std::uint64_t synced_ = 0;
    // Since the last sync.
    std::set<Position> added_;
    std::map<Position, Stored> removed_;
};

}  // namespace rushproof::simulator
