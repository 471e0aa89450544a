// The MessageQueue port on the simulated NATS, as core/real/nats does it: the keys of a topic are
// spread over subjects ("shares"), each with a durable consumer of each group, and a table tells
// which member of the group has which share.
#pragma once
#include <memory>
#include <string>

#include "core/ports/message_queue.hpp"
#include "simulator/world/broker_access.hpp"
#include "simulator/world/nats_server.hpp"

namespace rushproof::simulator {

struct NatsTwinOptions {
    std::size_t shares = 8;
    std::int64_t messages_max = 1'000'000;
    Duration duplicate_window = std::chrono::minutes(2);
    std::size_t prefetch = 256;
    std::int64_t held_max = 16'384;
    Duration ack_wait = std::chrono::seconds(30);
};

using NatsAccess = BrokerAccess<NatsServer>;

// Makes the stream when it is not there.  Error: retryable "unavailable".
Task<Result<std::shared_ptr<MessageQueue>>> open_nats(NatsAccess access, NatsTwinOptions options,
                                                      std::string topic, MonotonicTime deadline);

}  // namespace rushproof::simulator
