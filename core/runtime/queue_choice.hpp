// Which queue carries the messages, and how to open it.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/composite_queue.hpp"
#include "core/runtime/queue_route.hpp"
#include "core/runtime/table_queue.hpp"

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
    // As whom processors consume.
    std::string group = "processor";
};

// Of our messages, at any broker.
inline constexpr std::string_view messages_topic = "messages";

bool is_provider(std::string_view word);
// It lives in the processor, or a part of it does: others reach it by calls only.
bool is_embedded(const QueueOptions& options);

// A broker, or the table of sqlite, may be a queue and a part of a composite; in memory each has
// its own.  A switch between the two:
//
// From the composite to its part, all but that part has to be drained.  Empty if it is no such
// switch.
std::string_view goes_on_in(const QueueRoute& route, const QueueOptions& options);
// From the part to the composite, the part would never be empty while messages go to the composite:
// nobody publishes while it is drained.  As publishes_to() else.
std::string_view publishes_to(const QueueRoute& route, const QueueOptions& options);

// What whoever opens a queue has for it.
struct QueueOwner {
    // Tables for sqlite; whoever has none cannot open it.
    const TableQueueSql* tables = nullptr;
    // As CompositeOptions says.
    std::function<Task<Result<void>>(Context, Divergence)> record;
};

struct OpenedQueue {
    std::shared_ptr<MessageQueue> queue;
    std::shared_ptr<CompositeQueue> composite;  // the same, if it is one
    std::shared_ptr<TableQueue> table;          // the same, or a part of it

    // When no call is under way and its consumers are closed.
    Task<void> stop() const;
};

// Errors: those of Environment::queues; permanent "unknown-provider".  `environment` outlives the
// queue.  A composite is open when all of its parts are.
Task<Result<OpenedQueue>> open_queue(Environment& environment, Context context,
                                     QueueOptions options, QueueOwner owner);

// Jobs of RabbitMQ where it is configured, else of a queue in the caller's memory.  Errors: those
// of Environment::queues, but for "not-configured".
Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Environment& environment, Context context,
                                                  std::string name);

}  // namespace rushproof
