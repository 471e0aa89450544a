#include "core/runtime/events.hpp"

#include <charconv>
#include <map>
#include <utility>

#include "core/runtime/data_message.hpp"

namespace rushproof {

namespace {

constexpr std::string_view event_id_header = "id";
constexpr std::string_view event_type_header = "event-type";
constexpr std::string_view event_number_header = "event-number";

constexpr std::size_t events_at_once = 100;
constexpr Duration look_for = std::chrono::seconds(5);

Task<void> publish_in_order(std::shared_ptr<MessageQueue> queue, Context context,
                            std::vector<OutboxEvent> events, Deliveries& deliveries) {
    for (OutboxEvent& event : events) {
        const std::int64_t number = event.number;
        Message message = message_of(std::move(event));
        const auto published = co_await queue->publish(context, std::move(message));
        if (published) {
            deliveries.done.push_back(number);
            continue;
        }
        const Error& error = published.error();
        if (error.kind() == ErrorKind::permanent) {
            deliveries.refused.push_back({number, error.code() + ": " + error.message()});
        } else {
            deliveries.error = error;
        }
        co_return;
    }
}

}  // namespace

Message message_of(OutboxEvent event) {
    Message message;
    message.headers.emplace_back(event_id_header, event.id);
    message.headers.emplace_back(event_type_header, std::move(event.kind));
    message.headers.emplace_back(event_number_header, std::to_string(event.number));
    message.id = std::move(event.id);
    message.key = std::move(event.aggregate);
    message.body = std::move(event.body);
    return message;
}

std::optional<OutboxEvent> event_of(Message message) {
    const std::string_view number = header_of(message, event_number_header);
    OutboxEvent event;
    event.kind = header_of(message, event_type_header);
    const char* const end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, event.number);
    const bool is_number = read.ec == std::errc() && read.ptr == end;
    if (!is_number || event.kind.empty() || message.key.empty()) { return std::nullopt; }
    event.id = std::move(message.id);
    event.aggregate = std::move(message.key);
    event.body = std::move(message.body);
    return event;
}

Task<Result<std::shared_ptr<MessageQueue>>> EventTopic::open(Context context) {
    if (!queue_) {
        RP_CO_TRY(queue_, co_await environment_.queues.open(std::move(context), provider_, topic_));
    }
    co_return queue_;
}

Task<Deliveries> EventPublisher::publish(Context context, std::vector<OutboxEvent> events) {
    Deliveries deliveries;
    const auto opened = co_await topic_.open(context);
    if (!opened) {
        deliveries.error = opened.error();
        co_return deliveries;
    }
    std::map<std::string, std::vector<OutboxEvent>> by_aggregate;
    for (OutboxEvent& event : events) { by_aggregate[event.aggregate].push_back(std::move(event)); }
    Scope publishing(environment_.spawner);
    for (auto& [aggregate, own] : by_aggregate) {
        publishing.start("events.publish",
                         publish_in_order(*opened, context, std::move(own), deliveries));
    }
    co_await publishing.join();
    co_return deliveries;
}

EventReader::EventReader(Environment& environment, Source source, std::string_view role,
                         TakeEvents take)
    : environment_(environment),
      topic_(environment, std::move(source.provider), std::move(source.topic)),
      group_(std::move(source.group)),
      take_(std::move(take)),
      failed_(environment.telemetry.counter(std::string(role) + "_failed_readings_total",
                                            "Readings of events that ended with an error")),
      foreign_(environment.telemetry.counter(std::string(role) + "_foreign_messages_total",
                                             "Messages on the topic of events that are none")) {}

Task<void> EventReader::run(Duration pause, Duration timeout) {
    while (true) {
        const auto read = co_await read_some(timeout);
        if (read) { continue; }
        failed_.add();
        co_await sleep_for(environment_.clock, pause);
    }
}

Task<Result<void>> EventReader::read_some(Duration timeout) {
    Context looking(environment_.clock.monotonic() + look_for);
    if (!consumer_) {
        RP_CO_TRY(const auto queue, co_await topic_.open(looking));
        RP_CO_TRY(consumer_, co_await queue->join(looking, group_));
    }
    RP_CO_TRY(auto found, co_await consumer_->next(std::move(looking), events_at_once));
    std::vector<OutboxEvent> events;
    std::vector<std::uint64_t> numbers;
    for (Delivery& delivery : found) {
        numbers.push_back(delivery.number);
        auto event = event_of(std::move(delivery.message));
        if (event) {
            events.push_back(*std::move(event));
        } else {
            foreign_.add();
        }
    }
    if (numbers.empty()) { co_return Result<void>(); }
    co_await take(timeout, events);
    Context acknowledging(environment_.clock.monotonic() + timeout);
    const auto acknowledged =
        co_await consumer_->acknowledge(std::move(acknowledging), std::move(numbers));
    if (!acknowledged) {
        // It would keep them from everybody, and never say so again.
        co_await consumer_->close();
        consumer_.reset();
    }
    co_return acknowledged;
}

// For as long as it takes: nobody else may have them meanwhile.
Task<void> EventReader::take(Duration timeout, const std::vector<OutboxEvent>& events) {
    while (!events.empty()) {
        const auto taken =
            co_await take_(Context(environment_.clock.monotonic() + timeout), events);
        if (taken) { co_return; }
        failed_.add();
        co_await sleep_for(environment_.clock, timeout);
    }
}

Task<void> EventReader::close() {
    if (consumer_) { co_await consumer_->close(); }
}

bool is_event_provider(std::string_view word) { return word == "nats" || word == "kafka"; }

EventFlow::EventFlow(Environment& environment, const OutboxStatements& statements, std::string role,
                     EventOptions options, Feed feed)
    : role_(std::move(role)),
      by_(options.by),
      relay_name_(role_ + ".relay"),
      reader_name_(role_ + ".feed"),
      publisher_(options.to.empty() ? std::nullopt
                                    : std::optional<EventPublisher>(std::in_place, environment,
                                                                    options.to, role_ + "-events")),
      relay_(environment, statements, role_,
             publisher_ ? DeliverEvents([this](Context context, std::vector<OutboxEvent> events) {
                 return publisher_->publish(std::move(context), std::move(events));
             })
                        : all_or_none(feed.take)) {
    if (options.to.empty()) { return; }
    EventReader::Source source{options.to, role_ + "-events", std::move(feed.group)};
    reader_.emplace(environment, std::move(source), role_, std::move(feed.take));
}

void EventFlow::start(Scope& scope, Duration interval, Duration timeout,
                      OutboxRelay::DeliverSome some) {
    auto relaying = by_ == EventsBy::log ? relay_.run_by_log(interval, timeout)
                                         : relay_.run(interval, timeout, std::move(some));
    scope.start(relay_name_, std::move(relaying));
    if (reader_) { scope.start(reader_name_, reader_->run(interval, timeout)); }
}

Task<void> EventFlow::stop() {
    if (reader_) { co_await reader_->close(); }
}

}  // namespace rushproof
