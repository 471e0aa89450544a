#include "core/runtime/queue_choice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/runtime/memory_job_queue.hpp"
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

// The same word, living for ever.
std::string_view lasting(std::string_view word) {
    for (const std::string_view known : {embedded[0], embedded[1], brokers[0], brokers[1]}) {
        if (known == word) { return known; }
    }
    return composite;
}

bool is_shared_part(const QueueOptions& options, std::string_view provider) {
    return provider != embedded[0] && contains(options.parts, provider);
}

Error unknown_provider(std::string_view provider) {
    return {ErrorKind::permanent, "unknown-provider",
            "there is no queue called " + std::string(provider) + " here"};
}

Task<Result<OpenedQueue>> open_one(Environment& environment, Context context, std::string provider,
                                   const QueueOptions& options, const QueueOwner& owner) {
    OpenedQueue opened;
    if (provider == "memory") {
        const MemoryQueueOptions memory{options.capacity, options.message_bytes};
        opened.queue = std::make_shared<MemoryQueue>(environment, memory);
    } else if (provider == "sqlite" && owner.tables != nullptr) {
        TableQueueOptions table;
        table.capacity = options.capacity;
        table.message_bytes = options.message_bytes;
        opened.table = std::make_shared<TableQueue>(environment, *owner.tables, table);
        opened.queue = opened.table;
    } else if (contains(brokers, provider)) {
        RP_CO_TRY(opened.queue,
                  co_await environment.queues.open(std::move(context), provider, messages_topic));
    } else {
        co_return failure(unknown_provider(provider));
    }
    co_return opened;
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

std::string_view goes_on_in(const QueueRoute& route, const QueueOptions& options) {
    const bool to_part = route.phase == RoutePhase::draining && route.previous == composite &&
                         is_shared_part(options, route.provider);
    return to_part ? std::string_view(route.provider) : std::string_view();
}

std::string_view publishes_to(const QueueRoute& route, const QueueOptions& options) {
    const bool from_part = route.phase == RoutePhase::draining && route.provider == composite &&
                           is_shared_part(options, route.previous);
    return from_part ? std::string_view() : publishes_to(route);
}

Task<void> OpenedQueue::stop() const {
    if (table) { co_await table->stop(); }
}

Task<Result<OpenedQueue>> open_queue(Environment& environment, Context context,
                                     QueueOptions options, QueueOwner owner) {
    if (options.provider != composite) {
        co_return co_await open_one(environment, std::move(context), options.provider, options,
                                    owner);
    }
    OpenedQueue whole;
    std::vector<CompositeMember> members;
    for (const std::string& part : options.parts) {
        RP_CO_TRY(OpenedQueue opened,
                  co_await open_one(environment, context, part, options, owner));
        if (opened.table) { whole.table = opened.table; }
        members.push_back({lasting(part), std::move(opened.queue), false});
    }
    CompositeOptions how;
    how.strategy = options.strategy == "best-effort" ? CompositeStrategy::best_effort
                                                     : CompositeStrategy::fail_fast;
    how.record = std::move(owner.record);
    whole.composite =
        std::make_shared<CompositeQueue>(environment, std::move(members), std::move(how));
    whole.queue = whole.composite;
    co_return whole;
}

Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Environment& environment, Context context,
                                                  std::string name) {
    auto opened = co_await environment.queues.open_jobs(std::move(context), name);
    if (opened || opened.error().code() != "not-configured") { co_return opened; }
    co_return std::make_shared<MemoryJobQueue>(environment, MemoryJobQueueOptions());
}

}  // namespace rushproof
