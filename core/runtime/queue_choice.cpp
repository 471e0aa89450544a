#include "core/runtime/queue_choice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/runtime/memory_queue.hpp"

namespace rushproof {

namespace {

constexpr std::array embedded{std::string_view("memory"), std::string_view("sqlite")};
constexpr std::array brokers{std::string_view("nats"), std::string_view("kafka")};
constexpr std::string_view composite = "composite";

template <class Words>
bool contains(const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool is_provider(std::string_view word) {
    return contains(embedded, word) || contains(brokers, word) || word == composite;
}

bool is_embedded(const QueueOptions& options) {
    if (options.provider != composite) { return contains(embedded, options.provider); }
    return std::any_of(options.parts.begin(), options.parts.end(),
                       [](const std::string& part) { return contains(embedded, part); });
}

Task<Result<std::shared_ptr<MessageQueue>>> open_queue(Environment& environment, Context context,
                                                       QueueOptions options) {
    if (options.provider == "memory") {
        const MemoryQueueOptions memory{options.capacity, options.message_bytes};
        std::shared_ptr<MessageQueue> queue = std::make_shared<MemoryQueue>(environment, memory);
        co_return queue;
    }
    if (contains(brokers, options.provider)) {
        co_return co_await environment.queues.open(std::move(context), options.provider,
                                                   messages_topic);
    }
    co_return failure(ErrorKind::permanent, "unknown-provider",
                      "there is no queue called " + options.provider);
}

}  // namespace rushproof
