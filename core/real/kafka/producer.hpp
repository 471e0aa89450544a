// Messages on their way into a topic.
#pragma once
#include <memory>

#include "core/ports/context.hpp"
#include "core/ports/message_queue.hpp"
#include "core/real/kafka/client.hpp"
#include "core/real/kafka/kafka_queue.hpp"

namespace rushproof::kafka {

// On one executor.  Idempotent and acks=all: the brokers keep a message once, in the order of its
// key, however often the client has to send it.
class Producer : public std::enable_shared_from_this<Producer> {
public:
    Producer(asio::any_io_executor executor, const KafkaOptions& options, Telemetry& telemetry,
             std::shared_ptr<Reaper> reaper);
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    Task<Result<void>> publish(Context context, Message message);
    std::uint64_t published() const { return published_; }

private:
    struct Publishing;
    class Client;
    class UnderWay;

    Result<void> start();
    Task<void> gather(MonotonicTime deadline);
    Result<void> send(const Message& message, const std::shared_ptr<Publishing>& publishing);

    asio::any_io_executor executor_;
    KafkaOptions options_;
    std::shared_ptr<Reaper> reaper_;
    std::shared_ptr<Client> client_;
    std::size_t under_way_ = 0;
    std::uint64_t batch_ = 0;  // which of them is under way
    Changes batch_ends_;
    std::uint64_t published_ = 0;
    Counter& refused_;
    Counter& unknown_;
};

}  // namespace rushproof::kafka
