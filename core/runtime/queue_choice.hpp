// Which queue carries the messages, and how to open it.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"

namespace rushproof {

struct QueueOptions {
    // memory, sqlite, nats, kafka, or composite.
    std::string provider = "memory";
    // Of memory and sqlite: messages that are kept, and bytes of each.
    std::size_t capacity = 1'000;
    std::size_t message_bytes = 1 << 20;
    // What a composite is made of, and its promise: fail-fast or best-effort.
    std::vector<std::string> parts = {"nats", "kafka"};
    std::string strategy = "fail-fast";
};

// Of our messages, at any broker.
inline constexpr std::string_view messages_topic = "messages";

bool is_provider(std::string_view word);
// It lives in the processor, or a part of it does: others reach it by calls only.
bool is_embedded(const QueueOptions& options);

// Errors: those of Environment::queues; permanent "unknown-provider".  `environment` outlives the
// queue.
Task<Result<std::shared_ptr<MessageQueue>>> open_queue(Environment& environment, Context context,
                                                       QueueOptions options);

}  // namespace rushproof
