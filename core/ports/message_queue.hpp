// Messages from any number of publishers to groups of consumers that share the work.  Every
// provider delivers at least once: whoever has an effect knows a message again by its id.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

struct Message {
    std::string id;   // chosen by its publisher; a repeat of a message has the same
    std::string key;  // messages of one key keep their order; empty: there is none to keep
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
};

// What a provider promises, where they differ.
struct QueueFeatures {
    bool survives_kill = false;   // what was accepted outlives the process that accepted it
    bool keeps_key_order = true;  // of messages whose publishing did not overlap
    bool counts_size = true;      // knows how many messages it keeps
    bool counts_attempts = false;
    Duration drops_repeats_for{};  // a repeat within this time is accepted and not kept; 0: never
};

// Of one process for what only grows, of the whole queue for the rest.
struct QueueStats {
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::optional<std::int64_t> size;      // messages that it keeps for the group
    std::optional<std::int64_t> capacity;  // of a bounded queue
    // Accepted, and not acknowledged by the group, whether it was delivered or not.  0 while nobody
    // publishes: the queue is drained.
    std::int64_t unfinished = 0;
};

struct Delivery {
    Message message;
    std::uint64_t number = 0;   // names it to the consumer that delivered it
    std::int64_t attempt = 1;   // which delivery of the message this is, where that is counted
    std::string_view provider;  // a word that lives for ever
};

// One member of a group.  One call of next() at a time; the rest may be called meanwhile.
class Consumer {
public:
    // What was delivered and not acknowledged is delivered again, to any member of the group.
    virtual ~Consumer() = default;

    // Between one and `limit` messages, in order within each key; none when the deadline comes
    // first.  Of a key, later messages may be delivered before earlier ones are acknowledged, but
    // only to the same consumer.  What it holds stays its own for as long as it takes, unless its
    // process is paused or away for too long.  Errors are retryable: "unavailable", and "closed"
    // after close().
    virtual Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) = 0;

    // After the effect.  ok: they will hardly be delivered again (a failure of the provider may
    // still do that).  Any error: they may be.
    virtual Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) = 0;

    // Leaves the group at once; a next() under way ends.
    virtual Task<void> close() = 0;
};

class MessageQueue {
public:
    virtual ~MessageQueue() = default;
    virtual QueueFeatures features() const = 0;

    // What publish would refuse for good, whenever it is asked: permanent "too-large", "malformed".
    virtual Result<void> check(const Message& message) const = 0;

    // ok: accepted.  Errors: retryable "queue-full", "unavailable"; permanent as check();
    // unknown outcome "connection-lost", "deadline-exceeded".  Any number may be under way.
    virtual Task<Result<void>> publish(Context context, Message message) = 0;

    // A member of the group, which gets every message that the group has not acknowledged. Outlived
    // by the queue.
    virtual Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) = 0;

    virtual Task<Result<QueueStats>> stats(Context context, std::string group) = 0;
};

}  // namespace rushproof
