// One stream of NATS JetStream with its consumers: what a server of one replica and a file store
// keeps, in memory and on disk.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof::simulator {

struct NatsMessage {
    std::string subject;
    std::string id;  // header Nats-Msg-Id; empty: no repeat of it is known again
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

// limits: messages stay; work_queue: the acknowledgement of the only consumer of a subject removes
// them.
enum class NatsRetention : std::uint8_t { limits, work_queue };

struct NatsStreamOptions {
    NatsRetention retention = NatsRetention::limits;
    Duration duplicate_window = std::chrono::minutes(2);
    std::int64_t messages_max = 0;  // a full stream refuses new ones; 0: it has no limit
    std::size_t body_max = 1'048'576;
};

struct NatsConsumerOptions {
    std::string filter = {};  // a subject, or empty for all
    Duration ack_wait = std::chrono::seconds(30);
    std::int64_t ack_pending_max = 1'000;
    std::int64_t deliveries_max = 0;  // then silence; 0: no limit
};

struct NatsPublished {
    std::uint64_t sequence = 0;
    bool duplicate = false;  // of the message with that sequence, and not stored
};

struct NatsDelivery {
    std::uint64_t sequence = 0;  // in the stream
    std::uint64_t number = 0;    // of this delivery, counted by the consumer
    std::int64_t attempt = 1;
    std::shared_ptr<const NatsMessage> message;
};

struct NatsConsumerInfo {
    std::int64_t waiting = 0;      // not delivered yet
    std::int64_t ack_pending = 0;  // delivered, and not acknowledged
    std::int64_t redelivered = 0;  // of those, delivered more than once
    std::uint64_t floor = 0;       // up to here everything of its subject is acknowledged
    std::string filter;
};

// Mistakes that tests plant, so that the suites show that they would find them.
enum class NatsMistake : std::uint8_t { none, forgets_pending, ignores_ids };

// Every time is the server's wall clock, which is what it stores; as in the server, a step of that
// clock moves duplicate windows and redeliveries.
class NatsStream {
public:
    explicit NatsStream(NatsStreamOptions options, NatsMistake mistake = NatsMistake::none);

    const NatsStreamOptions& options() const { return options_; }

    // Errors: retryable "queue-full"; permanent "too-large".
    Result<NatsPublished> publish(NatsMessage message, WallTime now);

    // Makes a durable pull consumer, or changes nothing when there is one of that name.
    void add_consumer(const std::string& name, NatsConsumerOptions options);
    std::vector<std::string> consumers() const;
    bool has_consumer(std::string_view name) const { return consumers_.contains(name); }

    // Up to `limit` messages, those due again first.  At most ack_pending_max are out at a time.
    std::vector<NatsDelivery> fetch(std::string_view consumer, std::size_t limit, WallTime now);
    bool can_deliver(std::string_view consumer) const;

    // Of a message that is out, whichever of its deliveries is meant: an acknowledgement of the
    // first settles the second as well.  False: it is not out.
    bool acknowledge(std::string_view consumer, std::uint64_t sequence);
    // Its ack_wait begins anew.
    bool in_progress(std::string_view consumer, std::uint64_t sequence, WallTime now);
    // Delivered again as soon as somebody fetches.
    bool refuse(std::string_view consumer, std::uint64_t sequence);

    // Makes due again what was out for ack_wait; -> how many messages.
    std::size_t expire(WallTime now);
    // When expire() has something to do next; nothing while all is settled.
    std::optional<WallTime> next_expiry() const;
    // Everything that is out is due again at once, as when its ack_wait is made short: of one
    // consumer, or of all.
    std::size_t redeliver(std::string_view consumer);
    std::size_t redeliver_all();
    // Removes the messages of a subject before that sequence.
    void purge(std::string_view subject, std::uint64_t before);

    NatsConsumerInfo info(std::string_view consumer) const;
    std::int64_t size() const { return static_cast<std::int64_t>(messages_.size()); }
    std::uint64_t last_sequence() const { return last_; }

    // Messages are written as they are stored; the state of consumers a while later.
    void write_consumers();
    bool consumers_written() const { return !dirty_; }
    // fsync, which the server calls once in a while and not per message.
    void sync();

    // The process died: what was written is there, and the ids of the duplicate window are read
    // from the messages that still are.
    void kill();
    // The machine lost power: what was not synced is gone as well; -> how many stored messages.
    std::size_t lose_power();

private:
    struct Stored {
        WallTime at;
        std::shared_ptr<const NatsMessage> message;
    };
    struct Pending {
        WallTime since;
        std::uint64_t number;
        std::int64_t attempt;
    };
    struct State {
        std::uint64_t next = 1;  // in the stream
        std::uint64_t deliveries = 0;
        std::map<std::uint64_t, Pending> pending;
    };
    struct Consumer {
        NatsConsumerOptions options;
        State state;
        State written;
        State synced;
        std::set<std::uint64_t> due;  // again; all of them are pending
    };
    using Consumers = std::map<std::string, Consumer, std::less<>>;

    struct Known {
        std::uint64_t sequence;
        WallTime at;
    };

    void forget_ids(WallTime now);
    void remember_ids();
    void recover(Consumer& consumer, State state);
    bool matches(const Consumer& consumer, const Stored& stored) const;
    // The next message for the consumer from `sequence` on.
    std::map<std::uint64_t, Stored>::const_iterator find_next(const Consumer& consumer) const;
    std::optional<NatsDelivery> redeliver(Consumer& consumer, WallTime now);
    std::optional<NatsDelivery> deliver_new(Consumer& consumer, WallTime now);
    void remove(std::uint64_t sequence);

    NatsStreamOptions options_;
    NatsMistake mistake_;
    std::map<std::uint64_t, Stored> messages_;
    std::uint64_t last_ = 0;
    std::map<std::string, Known> ids_;
    std::vector<std::pair<WallTime, std::string>> ids_by_age_;
    std::size_t ids_forgotten_ = 0;  // of ids_by_age_
    Consumers consumers_;
    bool dirty_ = false;
    std::uint64_t synced_ = 0;                 // the last sequence that is on the disk for good
    std::map<std::uint64_t, Stored> removed_;  // since the last sync
};

}  // namespace rushproof::simulator
