#include "services/host/pipeline_config.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/real/rabbitmq/rabbit_job_queue.hpp"
#include "services/host/host_config.hpp"
#include "services/processor/limits.hpp"

namespace rushproof {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;

constexpr std::string_view loopback = "127.0.0.1:";

// A flag or its variable, or the variable that the pipeline's clients know, or the default.
Setting setting_of(const Settings& settings, std::string_view name, std::string_view variable) {
    if (auto given = settings.given(name)) { return *std::move(given); }
    if (auto known = settings.variable(variable)) { return *std::move(known); }
    return settings.get(name);
}

std::string trimmed(std::string_view text) {
    while (text.starts_with(' ')) { text.remove_prefix(1); }
    while (text.ends_with(' ')) { text.remove_suffix(1); }
    return std::string(text);
}

Result<std::vector<std::string>> read_trimmed_list(const Setting& setting) {
    std::vector<std::string> items;
    RP_TRY(const auto list, read_list(setting));
    for (const std::string& item : list) {
        items.push_back(trimmed(item));
        if (items.back().empty()) { return bad_setting(setting, "a list without empty items"); }
    }
    if (items.empty()) { return bad_setting(setting, "at least one item"); }
    return items;
}

Result<std::vector<HttpEndpoint>> read_urls(const Setting& setting) {
    std::vector<HttpEndpoint> endpoints;
    RP_TRY(const auto urls, read_list(setting));
    for (const std::string& url : urls) {
        auto endpoint = HttpEndpoint::parse(url);
        if (!endpoint) { return bad_setting(setting, "URLs such as http://127.0.0.1:8082"); }
        endpoints.push_back(*std::move(endpoint));
    }
    return endpoints;
}

Result<void> read_queue(const Settings& settings, QueueOptions& queue) {
    const Setting provider = setting_of(settings, "queue", "QUEUE_TYPE");
    if (!is_provider(provider.text)) {
        return bad_setting(provider, "memory, sqlite, nats, kafka or composite");
    }
    queue.provider = provider.text;
    RP_TRY(queue.capacity,
           read_count(setting_of(settings, "queue-size", "QUEUE_SIZE"), 1, 10'000'000));
    const Setting parts = setting_of(settings, "composite-providers", "COMPOSITE_PROVIDERS");
    RP_TRY(queue.parts, read_trimmed_list(parts));
    for (const std::string& part : queue.parts) {
        const bool is_part = is_provider(part) && part != "composite";
        if (!is_part || std::count(queue.parts.begin(), queue.parts.end(), part) > 1) {
            return bad_setting(parts, "a list of memory, sqlite, nats, kafka, each once");
        }
    }
    const Setting strategy = setting_of(settings, "composite-strategy", "COMPOSITE_STRATEGY");
    if (strategy.text != "fail-fast" && strategy.text != "best-effort") {
        return bad_setting(strategy, "fail-fast or best-effort");
    }
    queue.strategy = strategy.text;
    return {};
}

Result<void> read_brokers(const Settings& settings, PipelineConfig& pipeline) {
    const Setting nats = setting_of(settings, "nats-url", "NATS_URL");
    if (!nats.text.starts_with("nats://")) {
        return bad_setting(nats, "a URL such as nats://localhost:4222");
    }
    pipeline.nats_url = nats.text;
    RP_TRY(pipeline.kafka_brokers,
           read_trimmed_list(setting_of(settings, "kafka-brokers", "KAFKA_BROKERS")));
    pipeline.kafka_topic = setting_of(settings, "kafka-topic", "KAFKA_TOPIC").text;
    pipeline.kafka_group = setting_of(settings, "kafka-group", "KAFKA_CONSUMER_GROUP").text;
    if (pipeline.kafka_topic.empty()) {
        return bad_setting(setting_of(settings, "kafka-topic", "KAFKA_TOPIC"), "a topic");
    }
    if (pipeline.kafka_group.empty()) {
        return bad_setting(setting_of(settings, "kafka-group", "KAFKA_CONSUMER_GROUP"), "a group");
    }
    return {};
}

Result<void> read_jobs(const Settings& settings, PipelineConfig& pipeline) {
    const Setting url = setting_of(settings, "rabbitmq-url", "RABBITMQ_URL");
    if (!url.text.empty() && !check_rabbit_url(url.text)) {
        // Not what was given: it may hold a password.
        return bad_setting({"(not shown)", url.source},
                           "a URL such as amqp://user:password@localhost:5672/");
    }
    pipeline.rabbitmq_url = url.text;
    return {};
}

Result<void> read_events(const Settings& settings, EventOptions& events) {
    const Setting to = setting_of(settings, "events-to", "EVENTS_TO");
    if (to.text != "feed" && !is_event_provider(to.text)) {
        return bad_setting(to,
                           "feed, nats or kafka: other queues live in a process or in the database "
                           "that the events are to leave");
    }
    events.to = to.text == "feed" ? "" : to.text;
    const Setting by = setting_of(settings, "events-by", "EVENTS_BY");
    if (by.text != "polling" && by.text != "log") { return bad_setting(by, "polling or log"); }
    events.by = by.text == "log" ? EventsBy::log : EventsBy::polling;
    return {};
}

Setting port_setting(const Setting& port) {
    return Setting{std::string(loopback) + port.text, port.source};
}

// Of a role that is here, but not the first.
Result<std::optional<HttpServerOptions>> read_own_listen(const Settings& settings,
                                                         const HostConfig& config,
                                                         std::string_view role,
                                                         std::string_view port_variable) {
    std::optional<HttpServerOptions> options;
    const std::string name = std::string(role) + "-listen";
    Setting listen = settings.get(name);
    const auto port = settings.variable(port_variable);
    if (listen.text.empty() && port) { listen = port_setting(*port); }
    if (listen.text.empty()) { return options; }
    RP_TRY(const auto address, read_listen_address(listen));
    options = config.http;
    options->name = role;
    options->address = address.host;
    options->port = address.port;
    return options;
}

Result<void> read_listens(const Settings& settings, HostConfig& config) {
    PipelineConfig& pipeline = config.pipeline;
    RP_TRY(auto ingest, read_own_listen(settings, config, "ingest", "INGEST_PORT"));
    RP_TRY(auto processor, read_own_listen(settings, config, "processor", "PROCESSOR_PORT"));
    if (config.ingest && config.gateway) { pipeline.ingest_http = std::move(ingest); }
    if (config.processor && (config.gateway || config.ingest)) {
        pipeline.processor_http = std::move(processor);
    }
    return {};
}

}  // namespace

const std::vector<SettingInfo>& pipeline_settings() {
    static const std::vector<SettingInfo> settings{
        {"ingest-url", "",
         "Where ingest answers, when it runs in other processes (INGEST_URL); empty: nowhere"},
        {"processor-url", "",
         "Where processor answers, when it runs in other processes (PROCESSOR_URL); empty: "
         "http://localhost:8082"},
        {"ingest-listen", "",
         "Where ingest answers HTTP beside the gateway (INGEST_PORT sets the port alone); empty: "
         "nowhere"},
        {"processor-listen", "",
         "Where processor answers HTTP beside other roles (PROCESSOR_PORT); empty: nowhere"},
        {"queue", "memory",
         "What carries messages: memory, sqlite, nats, kafka or composite (QUEUE_TYPE)"},
        {"queue-size", "1000",
         "Messages that memory and sqlite keep; more are answered 503 (QUEUE_SIZE)"},
        {"composite-providers", "nats,kafka",
         "What a composite queue is made of (COMPOSITE_PROVIDERS)"},
        {"composite-strategy", "fail-fast", "fail-fast or best-effort (COMPOSITE_STRATEGY)"},
        {"workers", "4", "Messages that are worked on at once (PROCESSOR_WORKERS)"},
        {"processor-grace", "10s", "How long a processor that stops works on what it has"},
        {"events-to", "feed",
         "Where events go: feed (nobody outside hears of them), or the broker nats or kafka, to "
         "the "
         "topics inventory-events and catalog-events (EVENTS_TO)"},
        {"events-by", "polling",
         "How new events are heard of: by polling, or by the log of PostgreSQL (EVENTS_BY)"},
        {"nats-url", "nats://localhost:4222", "The NATS server (NATS_URL)"},
        {"kafka-brokers", "localhost:9092", "Kafka's brokers, a list (KAFKA_BROKERS)"},
        {"kafka-topic", "diplom-messages", "Where messages go in Kafka (KAFKA_TOPIC)"},
        {"kafka-group", "processor-group",
         "As whom processors consume, at any provider (KAFKA_CONSUMER_GROUP)"},
        {"rabbitmq-url", "",
         "The RabbitMQ that keeps jobs, amqp://... (RABBITMQ_URL); empty: each process keeps its "
         "own "
         "in memory"},
        {"admin-token", "",
         "What administrators send as Bearer; empty: only where nobody else can ask"},
    };
    return settings;
}

Setting main_listen_setting(const Settings& settings, const HostConfig& config) {
    if (auto given = settings.given("listen")) { return *std::move(given); }
    const bool pipeline_alone = !config.gateway && (config.ingest || config.processor);
    const std::string_view variable = !pipeline_alone ? "API_PORT"
                                      : config.ingest ? "INGEST_PORT"
                                                      : "PROCESSOR_PORT";
    if (auto port = settings.variable(variable)) { return port_setting(*port); }
    if (!pipeline_alone) { return settings.get("listen"); }
    return Setting{std::string(loopback) + (config.ingest ? "8081" : "8082"),
                   "the default of --listen"};
}

Result<void> read_pipeline(const Settings& settings, HostConfig& config) {
    PipelineConfig& pipeline = config.pipeline;
    RP_CHECK(read_queue(settings, pipeline.queue));
    pipeline.queue.message_bytes = config.http.body_bytes_max;
    RP_CHECK(read_brokers(settings, pipeline));
    RP_CHECK(read_jobs(settings, pipeline));
    RP_CHECK(read_events(settings, pipeline.events));
    pipeline.queue.group = pipeline.kafka_group;
    RP_TRY(pipeline.workers, read_count(setting_of(settings, "workers", "PROCESSOR_WORKERS"), 1,
                                        processor::limits::workers));
    RP_TRY(pipeline.processor_grace, read_duration(settings.get("processor-grace"), 0ms, 10min));
    RP_TRY(pipeline.ingest_urls, read_urls(setting_of(settings, "ingest-url", "INGEST_URL")));
    RP_TRY(pipeline.processor_urls,
           read_urls(setting_of(settings, "processor-url", "PROCESSOR_URL")));
    if (config.ingest && !settings.get("ingest-url").text.empty()) {
        return bad_setting(settings.get("ingest-url"),
                           "nothing, because ingest is among the roles here");
    }
    if (config.processor && !settings.get("processor-url").text.empty()) {
        return bad_setting(settings.get("processor-url"),
                           "nothing, because processor is among the roles here");
    }
    if (pipeline.processor_urls.empty()) {
        pipeline.processor_urls.push_back(*HttpEndpoint::parse("http://localhost:8082"));
    }
    pipeline.admin_token = settings.get("admin-token").text;
    return read_listens(settings, config);
}

}  // namespace rushproof
