// A MessageQueue in the memory of one process: fast, bounded, and gone with the process.
//
// What it keeps is what some group has not acknowledged; a group begins with its first member, gets
// all that is kept then, and never ends.  While a consumer holds a message of a key, it alone gets
// that key's messages.  What a closed or destroyed consumer held goes back to its old place.  A
// repeat of a message that is still kept is accepted and dropped; once all have acknowledged it,
// its id is forgotten, so no time is promised.
#pragma once
#include <cstddef>
#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/message_queue.hpp"

namespace rushproof {

struct MemoryQueueOptions {
    // Messages that are kept, delivered or not; more are refused with "queue-full".
    std::size_t capacity = 1000;
    // Of a message's texts together; a larger one is refused with "too-large".
    std::size_t message_bytes = 1 << 20;
};

// Everybody calls it on one executor.
class MemoryQueue final : public MessageQueue {
public:
    // `environment` outlives the queue.
    MemoryQueue(Environment& environment, MemoryQueueOptions options);
    ~MemoryQueue() override;

    QueueFeatures features() const override;
    Result<void> check(const Message& message) const override;
    // Never waits.
    Task<Result<void>> publish(Context context, Message message) override;
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override;
    Task<Result<QueueStats>> stats(Context context, std::string group) override;

private:
    class State;
    struct Group;
    struct Member;
    class Place;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
