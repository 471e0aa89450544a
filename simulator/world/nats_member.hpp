// What the queue on the simulated NATS and the members of its groups share.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/ports/message_queue.hpp"
#include "simulator/world/nats_client.hpp"

namespace rushproof::simulator {

// "unavailable", of what did nothing that a repeat would not do again.
Error unavailable(const Error& error);

struct NatsTopic {
    NatsAccess access;
    NatsTwinOptions options;
    std::string stream;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;

    static constexpr std::string_view key_header = "rushproof-key";

    std::string subject(std::size_t share) const;
    static std::string durable(const std::string& group, std::size_t share);
    NatsMessage to_nats(Message message) const;
    static Message from_nats(const NatsMessage& stored);

    static Task<Result<void>> ensure(std::shared_ptr<NatsTopic> topic, MonotonicTime deadline);
    static Task<Result<void>> ensure_durable(std::shared_ptr<NatsTopic> topic, std::string group,
                                             std::size_t share, MonotonicTime deadline);
    static Task<Result<NatsStates>> states(std::shared_ptr<NatsTopic> topic,
                                           MonotonicTime deadline);
};

std::unique_ptr<Consumer> start_nats_consumer(std::shared_ptr<NatsTopic> topic, std::string group);

}  // namespace rushproof::simulator
