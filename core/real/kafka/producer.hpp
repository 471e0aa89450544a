// Messages on their way into a topic.
#pragma once
#include <deque>
#include <memory>

#include "core/ports/context.hpp"
#include "core/ports/message_queue.hpp"
#include "core/real/kafka/batch_gate.hpp"
#include "core/real/kafka/client.hpp"
#include "core/real/kafka/kafka_queue.hpp"
#include "core/real/os/alarm.hpp"

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

    Result<void> start();
    void send_those_who_may();
    Result<void> send(const std::shared_ptr<Publishing>& publishing);
    void reported();

    asio::any_io_executor executor_;
    KafkaOptions options_;
    std::shared_ptr<Reaper> reaper_;
    std::shared_ptr<Client> client_;
    std::deque<std::shared_ptr<Publishing>> waiting_;
    BatchGate gate_;
    Alarm gate_opens_;
    std::uint64_t published_ = 0;
    Counter& refused_;
    Counter& unknown_;
};

}  // namespace rushproof::kafka
