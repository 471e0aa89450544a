// What the queue and its consumers share.
#pragma once
#include <memory>
#include <string>

#include "core/real/nats/client.hpp"
#include "core/real/nats/jetstream.hpp"
#include "core/real/nats/nats_queue.hpp"

namespace rushproof::nats {

inline constexpr std::string_view id_header = "Nats-Msg-Id";
inline constexpr std::string_view key_header = "Rushproof-Key";

struct Topic {
    std::shared_ptr<ClientHandle> client;
    NatsOptions options;
    NatsTopic names;
    Telemetry& telemetry;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;

    // Makes the stream, and the table of its groups.
    Task<Result<void>> ensure(MonotonicTime deadline) const;
    // The durable consumer of a group and a share.
    std::string durable(const std::string& group, std::size_t share) const;
    Task<Result<DurableState>> ensure_durable(MonotonicTime deadline, std::string group,
                                              std::size_t share, Duration answer_within) const;
    // Where a group's table stands.
    std::string table_subject(const std::string& group) const;
};

inline constexpr std::string_view table_stream = "RUSHPROOF_GROUPS";

Outgoing to_wire(const Topic& topic, Message message);
// The id and the key of what others published: "STREAM:sequence", and none.
Message from_wire(Incoming incoming, const std::string& stream, std::uint64_t sequence);

}  // namespace rushproof::nats
