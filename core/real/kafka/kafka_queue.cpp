#include "core/real/kafka/kafka_queue.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/real/kafka/administration.hpp"
#include "core/real/kafka/client.hpp"
#include "core/real/kafka/member.hpp"
#include "core/real/kafka/producer.hpp"
#include "core/runtime/message_size.hpp"

namespace rushproof {

namespace {

constexpr std::size_t closing_at_once = 2;

class KafkaConsumer final : public Consumer {
public:
    explicit KafkaConsumer(std::shared_ptr<kafka::Member> member) : member_(std::move(member)) {}

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        return member_->next(std::move(context), limit);
    }
    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        return member_->acknowledge(std::move(context), std::move(numbers));
    }
    Task<void> close() override { return member_->close(); }

private:
    std::shared_ptr<kafka::Member> member_;
};

}  // namespace

Task<Result<std::shared_ptr<KafkaQueue>>> KafkaQueue::open(Context context, KafkaOptions options,
                                                           Telemetry& telemetry) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::shared_ptr<KafkaQueue> queue(new KafkaQueue(executor, std::move(options), telemetry));
    const Duration left = context.deadline - kafka::now();
    std::function<Result<void>()> prepare = [administration = queue->administration_, left] {
        return administration->prepare(left);
    };
    RP_CO_CHECK(co_await queue->asker_->run(std::move(prepare)));
    co_return queue;
}

KafkaQueue::KafkaQueue(asio::any_io_executor executor, KafkaOptions options, Telemetry& telemetry)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      telemetry_(telemetry),
      asker_(std::make_shared<kafka::Reaper>(1)),
      reaper_(std::make_shared<kafka::Reaper>(closing_at_once)),
      administration_(std::make_shared<kafka::Administration>(options_)),
      producer_(std::make_shared<kafka::Producer>(executor_, options_, telemetry_, reaper_)),
      delivered_(std::make_shared<std::uint64_t>(0)) {}

// Its clients end on that thread, which its last owner waits for.
KafkaQueue::~KafkaQueue() {
    asker_->post([last = std::move(administration_)]() mutable { last.reset(); });
}

QueueFeatures KafkaQueue::features() const {
    QueueFeatures features;
    features.survives_kill = true;
    features.keeps_key_order = true;
    features.counts_size = false;
    features.counts_attempts = false;
    return features;
}

Result<void> KafkaQueue::check(const Message& message) const {
    return check_size(message, options_.message_bytes);
}

Task<Result<void>> KafkaQueue::publish(Context context, Message message) {
    return producer_->publish(std::move(context), std::move(message));
}

Task<Result<std::unique_ptr<Consumer>>> KafkaQueue::join(Context, std::string group) {
    if (!options_.group.empty()) { group = options_.group; }
    RP_CO_TRY(auto member,
              kafka::Member::join(executor_, options_, group, telemetry_, reaper_, delivered_));
    co_return std::make_unique<KafkaConsumer>(std::move(member));
}

Task<Result<QueueStats>> KafkaQueue::stats(Context context, std::string group) {
    if (!options_.group.empty()) { group = options_.group; }
    const Duration left = context.deadline - kafka::now();
    std::function<Result<std::int64_t>()> count = [administration = administration_, left,
                                                   asked = std::move(group)] {
        return administration->unfinished(asked, left);
    };
    QueueStats stats;
    RP_CO_TRY(stats.unfinished, co_await asker_->run(std::move(count)));
    stats.published = producer_->published();
    stats.delivered = *delivered_;
    co_return stats;
}

}  // namespace rushproof
