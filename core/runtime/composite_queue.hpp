// A MessageQueue over several others: each message is published to all of them, and consumed from
// all but the mirrors.  So each message is delivered once by each of them: whoever has an effect
// knows it again by its id, as ever.
//
// fail_fast: nothing is published while a provider is known to be down, nor what one of them would
// never take (check).  Once one has failed, and for a while after, they are asked one by one, what
// failed last time first, and the first error stops; all are asked at once while nothing fails.  If
// some have a message that others did not take, the outcome is unknown, "partially-published";
// publishing it again with the same id makes it whole.  ok: all have it.
//
// best_effort: all are asked at once, but those known to be down; the errors of some are logged and
// counted, and do not matter to the publisher.  ok: one that is consumed has it.  What a provider
// would never take it lacks for ever; only what all consumed ones refuse is refused beforehand.
//
// Either way a message that some have, or may have, and others lack is told to `record`, so that it
// can be published again, to those only (publish_to).
//
// Keys keep their order with fail_fast, and with one consumed provider; not with best_effort and
// several, since what one lacks comes later from another.  A key may be at one consumer for each
// provider at the same time: both work through the same messages in the same order.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/message_queue.hpp"
#include "core/runtime/retry.hpp"

namespace rushproof {

enum class CompositeStrategy : std::uint8_t { fail_fast, best_effort };

struct CompositeMember {
    std::string_view name;  // a word that lives for ever
    std::shared_ptr<MessageQueue> queue;
    bool mirror = false;  // published to, and not consumed
};

struct Divergence {
    Message message;
    std::vector<std::string> lacking;  // providers that lack it, or may
    std::string reason;
};

struct CompositeOptions {
    CompositeStrategy strategy = CompositeStrategy::fail_fast;
    // Awaited before publish() answers; its error is logged and counted.  Empty: nobody records.
    std::function<Task<Result<void>>(Context, Divergence)> record;
    // How long one provider may take to publish.
    Duration patience = std::chrono::seconds(2);
    // For how long a provider counts as down after each error in a row.  With fail_fast it is not
    // asked together with others until `longest` after its last error.
    RetryPolicy rest = {.base = std::chrono::milliseconds(200), .longest = std::chrono::seconds(5)};
};

struct CompositeProviderStats {
    std::string_view name;
    bool mirror = false;
    bool down = false;
    std::uint64_t published = 0;
    std::uint64_t failed = 0;  // publishes that ended with an error, or were not tried
    std::uint64_t delivered = 0;
};

// Everybody calls it on one executor.
class CompositeQueue final : public MessageQueue {
public:
    // `members` have different names, and one of them is no mirror.  `environment` outlives the
    // queue.  Metrics: composite_failed_publishes_total by provider, composite_divergences_total,
    // composite_unrecorded_divergences_total.
    CompositeQueue(Environment& environment, std::vector<CompositeMember> members,
                   CompositeOptions options);
    ~CompositeQueue() override;
    CompositeQueue(const CompositeQueue&) = delete;
    CompositeQueue& operator=(const CompositeQueue&) = delete;

    QueueFeatures features() const override;
    Result<void> check(const Message& message) const override;
    Task<Result<void>> publish(Context context, Message message) override;
    // Providers that cannot be joined now are joined later, as long as there is one that can.
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override;
    // Of the consumed providers: unfinished is their sum, capacity that of the smallest.
    Task<Result<QueueStats>> stats(Context context, std::string group) override;

    // Messages that the consumed providers have not finished, but for that of this name.
    Task<Result<std::int64_t>> unfinished_without(Context context, std::string group,
                                                  std::string_view name);

    // To one of them only, to repair a divergence.  Errors besides those of publish(): permanent
    // "unknown-provider"; retryable "unavailable" while it counts as down.
    Task<Result<void>> publish_to(Context context, std::string_view name, Message message);

    std::vector<CompositeProviderStats> provider_stats() const;

private:
    class State;
    struct Provider;
    class Place;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
