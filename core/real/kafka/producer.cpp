#include "core/real/kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>

#include "core/real/kafka/errors.hpp"
#include "core/real/kafka/records.hpp"
#include "core/runtime/message_size.hpp"

namespace rushproof::kafka {

namespace {

constexpr std::size_t record_overhead_bytes = 512;
constexpr int reports_at_once = 1000;
constexpr Duration gate_wait_max = std::chrono::milliseconds(5);

}  // namespace

// What the caller and the delivery report share.
struct Producer::Publishing {
    Publishing(Producer& its_producer, Message its_message)
        : producer(its_producer.weak_from_this()),
          message(std::move(its_message)),
          changes(its_producer.executor_) {}
    void tell(Result<void> what) {
        verdict = std::move(what);
        changes.tell();
    }
    void report(Result<void> what) {
        tell(std::move(what));
        if (const auto its_producer = producer.lock()) { its_producer->reported(); }
    }

    std::weak_ptr<Producer> producer;
    Message message;
    Headers headers;
    std::optional<Result<void>> verdict;
    Changes changes;
};

// Whether reports still have an executor to be told on.
using Listening = std::atomic<bool>;

// One librdkafka client.  A fatal error of the idempotent producer ends it, and another one begins.
class Producer::Client {
public:
    Client(const asio::any_io_executor& executor, rd_kafka_t* handle,
           std::shared_ptr<Reaper> reaper, std::shared_ptr<Listening> listening)
        : handle_(handle),
          reaper_(std::move(reaper)),
          listening_(std::move(listening)),
          queue_(rd_kafka_queue_get_main(handle)),
          events_(std::make_unique<Events>(executor, queue_.get())) {}

    // Whoever still waits has a deadline; what is not on the brokers by then stays unknown.
    ~Client() {
        events_.reset();
        queue_.reset();
        stop_listening();
        reaper_->post([handle = handle_, kept = listening_] {
            rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
            rd_kafka_flush(handle, 100);
            rd_kafka_destroy(handle);
        });
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void start() {
        events_->start([this] { return rd_kafka_poll(handle_, 0) >= reports_at_once; });
    }
    void stop_listening() { *listening_ = false; }
    rd_kafka_t* handle() const { return handle_; }
    bool broken() const {
        std::array<char, 8> why{};
        return rd_kafka_fatal_error(handle_, why.data(), why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
    }

private:
    rd_kafka_t* handle_;
    std::shared_ptr<Reaper> reaper_;
    std::shared_ptr<Listening> listening_;
    QueueHandle queue_;
    std::unique_ptr<Events> events_;
};

namespace {

template <class T>
void report(rd_kafka_t*, const rd_kafka_message_t* record, void* listening) {
    // The caller's share is what it handed over to rd_kafka_producev.
    const std::unique_ptr<std::shared_ptr<T>> own(
        static_cast<std::shared_ptr<T>*>(record->_private));
    if (!*static_cast<Listening*>(listening)) { return; }
    T& publishing = **own;
    if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        publishing.report({});
    } else {
        publishing.report(failure(publish_error(record->err, rd_kafka_message_status(record))));
    }
}

}  // namespace

Producer::Producer(asio::any_io_executor executor, const KafkaOptions& options,
                   Telemetry& telemetry, std::shared_ptr<Reaper> reaper)
    : executor_(std::move(executor)),
      options_(options),
      reaper_(std::move(reaper)),
      gate_(gate_wait_max),
      gate_opens_(executor_,
                  [this] {
                      const auto self = shared_from_this();
                      send_those_who_may();
                  }),
      refused_(telemetry.counter("kafka_refused_messages_total",
                                 "Messages that the brokers did not take",
                                 {{"topic", options.topic}})),
      unknown_(telemetry.counter("kafka_unknown_messages_total",
                                 "Messages that the brokers may have taken",
                                 {{"topic", options.topic}})) {}

Producer::~Producer() = default;

Result<void> Producer::start() {
    RP_TRY(Configuration configuration,
           configure(options_.brokers,
                     {{"enable.idempotence", "true"},
                      {"acks", "all"},
                      // As the clients in Java, Go and Python place a key.
                      {"partitioner", "murmur2_random"},
                      {"sticky.partitioning.linger.ms", "0"},
                      // Its own ways to gather (this one, one request in flight) poll instead of
                      // sleeping.
                      {"linger.ms", "0"},
                      {"message.timeout.ms", milliseconds(options_.delivery_timeout)},
                      {"message.max.bytes",
                       std::to_string(options_.message_bytes + record_overhead_bytes)},
                      {"queue.buffering.max.messages", std::to_string(options_.publishing_max)}}));
    rd_kafka_conf_set_dr_msg_cb(configuration.get(), report<Publishing>);
    auto listening = std::make_shared<Listening>(true);
    rd_kafka_conf_set_opaque(configuration.get(), listening.get());
    RP_TRY(rd_kafka_t* const handle, make_client(RD_KAFKA_PRODUCER, std::move(configuration)));
    if (client_) {
        client_->stop_listening();
        gate_ = BatchGate(gate_wait_max);
        // It may be the one that is telling something right now.
        asio::post(executor_, [old = std::move(client_)] {});
    }
    client_ = std::make_shared<Client>(executor_, handle, reaper_, std::move(listening));
    client_->start();
    return {};
}

// All that wait, at once: librdkafka sends what it has as soon as it has something.
void Producer::send_those_who_may() {
    if (waiting_.empty()) { return; }
    if (!gate_.open(now())) { return gate_opens_.set(gate_.opens_at()); }
    const Result<void> started = !client_ || client_->broken() ? start() : Result<void>();
    std::size_t sent = 0;
    const auto going = std::exchange(waiting_, {});
    // All before the first: librdkafka's thread begins with that, and polls without a pause for the
    // first answer while the batch's others come too late for it.
    for (const auto& publishing : going) { publishing->headers = headers_of(publishing->message); }
    for (const auto& publishing : going) {
        if (const auto taken = started ? send(publishing) : started) {
            ++sent;
        } else {
            publishing->tell(failure(taken.error()));
        }
    }
    if (sent > 0) { gate_.go(sent, now()); }
}

void Producer::reported() {
    gate_.done();
    send_those_who_may();
}

Result<void> Producer::send(const std::shared_ptr<Publishing>& publishing) {
    const Message& message = publishing->message;
    auto share = std::make_unique<std::shared_ptr<Publishing>>(publishing);
    const bool with_key = !message.key.empty();
    const auto error = rd_kafka_producev(
        client_->handle(), RD_KAFKA_V_TOPIC(options_.topic.c_str()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(with_key ? message.key.data() : nullptr, message.key.size()),
        // An empty value is not the absence of one.
        RD_KAFKA_V_VALUE(const_cast<char*>(message.body.c_str()), message.body.size()),
        RD_KAFKA_V_HEADERS(publishing->headers.get()), RD_KAFKA_V_OPAQUE(share.get()),
        RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(publish_error(error, RD_KAFKA_MSG_STATUS_NOT_PERSISTED));
    }
    [[maybe_unused]] const auto* const its_headers = publishing->headers.release();
    [[maybe_unused]] const auto* const its_share = share.release();
    return {};
}

Task<Result<void>> Producer::publish(Context context, Message message) {
    const auto self = shared_from_this();
    if (const auto checked = check_size(message, options_.message_bytes); !checked) {
        refused_.add();
        co_return checked;
    }
    const auto publishing = std::make_shared<Publishing>(*this, std::move(message));
    waiting_.push_back(publishing);
    send_those_who_may();
    while (!publishing->verdict && now() < context.deadline) {
        co_await publishing->changes.wait(context.deadline);
    }
    if (!publishing->verdict && std::erase(waiting_, publishing) > 0) {
        refused_.add();
        co_return failure(ErrorKind::retryable, "deadline-exceeded",
                          "Kafka was busy until the deadline; the message was not sent");
    }
    if (!publishing->verdict) {
        unknown_.add();
        co_return failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                          "Kafka did not answer until the deadline");
    }
    if (*publishing->verdict) {
        ++published_;
    } else {
        (publishing->verdict->error().kind() == ErrorKind::unknown_outcome ? unknown_ : refused_)
            .add();
    }
    co_return *std::move(publishing->verdict);
}

}  // namespace rushproof::kafka
