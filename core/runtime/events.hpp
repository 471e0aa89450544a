// A role's events on a topic of a message queue, in the shape that Debezium's outbox event router
// gives them (docs/events.md): the key is the aggregate, the body is the event's own.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/environment.hpp"
#include "core/runtime/outbox.hpp"
#include "core/runtime/scope.hpp"

namespace rushproof {

Message message_of(OutboxEvent event);
// Nothing for what is none of ours.
std::optional<OutboxEvent> event_of(Message message);

// Opens a topic when it is needed, until that succeeds.
class EventTopic {
public:
    EventTopic(Environment& environment, std::string provider, std::string topic)
        : environment_(environment), provider_(std::move(provider)), topic_(std::move(topic)) {}

    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context);

private:
    Environment& environment_;
    std::string provider_;
    std::string topic_;
    std::shared_ptr<MessageQueue> queue_;
};

// Publishes events: of one aggregate one after the other, each when the broker has accepted the one
// before; of several at once.  `environment` outlives it.
class EventPublisher {
public:
    EventPublisher(Environment& environment, std::string provider, std::string topic)
        : environment_(environment), topic_(environment, std::move(provider), std::move(topic)) {}

    // As DeliverEvents.
    Task<Deliveries> publish(Context context, std::vector<OutboxEvent> events);

private:
    Environment& environment_;
    EventTopic topic_;
};

// Gives a topic's events to somebody who takes each once, by its id; for as long as it lives.
class EventReader {
public:
    struct Source {
        std::string provider;
        std::string topic;
        std::string group;
    };
    // Metrics: <role>_failed_readings_total, <role>_foreign_messages_total.
    EventReader(Environment& environment, Source source, std::string_view role, TakeEvents take);

    // Ends when it is cancelled; tries again every `pause` after a failure.  Each taking has
    // `timeout`.
    Task<void> run(Duration pause, Duration timeout);
    // After run() has ended.
    Task<void> close();

private:
    Task<Result<void>> read_some(Duration timeout);
    Task<void> take(Duration timeout, const std::vector<OutboxEvent>& events);

    Environment& environment_;
    EventTopic topic_;
    std::string group_;
    TakeEvents take_;
    std::unique_ptr<Consumer> consumer_;
    Counter& failed_;
    Counter& foreign_;
};

// How a relay hears of new events: it looks, or the database's log tells.
enum class EventsBy : std::uint8_t { polling, log };

struct EventOptions {
    // The provider of the queue that events are published to; empty: only the feed hears of them.
    std::string to;
    EventsBy by = EventsBy::polling;
};

bool is_event_provider(std::string_view word);

// How a role's events leave its outbox: to its own feed, or to the topic <role>-events, from which
// the feed takes them like anybody else.
class EventFlow {
public:
    struct Feed {
        std::string group;  // as whom it reads the topic
        TakeEvents take;
    };
    // `environment` outlives it.  Metrics as OutboxRelay and EventReader.
    EventFlow(Environment& environment, const OutboxStatements& statements, std::string role,
              EventOptions options, Feed feed);
    EventFlow(const EventFlow&) = delete;
    EventFlow& operator=(const EventFlow&) = delete;

    Task<Result<std::size_t>> deliver_some(Context context) {
        return relay_.deliver_some(std::move(context));
    }

    // Begins; `some` is deliver_some or stands in for it while polling.
    void start(Scope& scope, Duration interval, Duration timeout, OutboxRelay::DeliverSome some);
    // When everything that was started has ended.
    Task<void> stop();

private:
    std::string role_;
    EventsBy by_;
    std::string relay_name_;
    std::string reader_name_;
    std::optional<EventPublisher> publisher_;
    std::optional<EventReader> reader_;
    OutboxRelay relay_;
};

}  // namespace rushproof
