// The queue of a processor: opened once it is there, and then for good.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/ports/environment.hpp"
#include "services/processor/processor.hpp"

namespace rushproof::processor {

class QueueAccess {
public:
    QueueAccess(Environment& environment, const Options& options);

    // Opens the queue and joins its consumers; tried without end.
    Task<void> open();

    // Retryable "unavailable" until it is open.  What another instance of the process keeps in
    // order goes there.
    Task<Result<void>> publish(Context context, Message message);
    Task<Result<QueueStats>> stats(Context context);

    bool is_open() const { return consumer_ != nullptr; }
    MessageQueue& queue() { return *queue_; }
    Consumer& consumer() { return *consumer_; }
    const QueueOptions& options() const { return options_.queue; }
    QueueFeatures features() const { return queue_->features(); }

private:
    Task<Result<void>> open_once();
    bool is_mine(const std::string& order) const;

    Environment& environment_;
    const Options& options_;
    std::shared_ptr<MessageQueue> queue_;
    std::unique_ptr<Consumer> consumer_;
};

}  // namespace rushproof::processor
