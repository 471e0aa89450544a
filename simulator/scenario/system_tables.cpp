#include "simulator/scenario/system_tables.hpp"

#include <chrono>

#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/load_tables.hpp"

namespace rushproof::simulator {

namespace {

using std::chrono::milliseconds;

constexpr auto no_time = Duration::zero();
constexpr auto longest = limits::duration_max;

using Words = std::vector<std::pair<std::string, std::string>>;

Words embedded_and_brokers() {
    return {{"memory", "in the processor's memory: a kill loses what waits"},
            {"sqlite", "a table of the processor's database, whatever its engine"},
            {"nats", "NATS JetStream; live: of infra/stack"},
            {"kafka", "Apache Kafka; live: of infra/stack"}};
}

Type<SystemSpec> services_type() {
    const auto instances = integer_type(1, limits::instances_max);
    return Object<SystemSpec>("services", "How many instances of each role run.")
        .field("gateway", instances, &SystemSpec::gateways, "the public REST API")
        .field("inventory", instances, &SystemSpec::inventories,
               "owns stock, reservations and the ledger")
        .type();
}

Type<SystemSpec> clock_type() {
    return Object<SystemSpec>("clock", "How wrong the clocks are. Virtual time only.")
        .field("skew-max", duration_type(no_time, longest), &SystemSpec::clock_skew_max,
               "each machine's wall clock is off by up to this, either way, by the seed")
        .type();
}

Type<SystemSpec> queue_options_type() {
    const Words strategies{
        {"fail-fast", "refused unless every provider has the message"},
        {"best-effort", "accepted when one provider has it; what others lack is repaired"}};
    const Words parts = embedded_and_brokers();
    return Object<SystemSpec>("queue-options", "How a composite queue is made.")
        .field(
            "providers", list_of(word_type(parts), 2, parts.size()),
            [](SystemSpec& system) -> std::vector<std::string>& {
                return system.queue_options.providers;
            },
            "what it is composed of; the first is consumed, the others are mirrors",
            Presence::required)
        .field(
            "strategy", word_type(strategies),
            [](SystemSpec& system) -> std::string& { return system.queue_options.strategy; },
            "when a message is accepted")
        .type();
}

// The keys of the pipeline of messages.
void describe_pipeline(Object<SystemSpec>& object) {
    const auto instances = integer_type(1, limits::instances_max);
    object
        .field("queue", queue_type(), &SystemSpec::queue,
               "what carries messages from ingest to processor; without it there is no pipeline")
        .field(
            "queue-options", queue_options_type(),
            [](SystemSpec& system, SystemSpec read) {
                system.queue_options = std::move(read.queue_options);
            },
            "how a composite queue is made")
        .field("ingests", instances, &SystemSpec::ingests,
               "instances of ingest, which accepts messages")
        .field("processors", instances, &SystemSpec::processors,
               "instances of processor, which gives each message its effect; live on SQLite they "
               "are one process")
        .field("queue-size", integer_type(1, limits::queue_size_max), &SystemSpec::queue_size,
               "messages that an embedded queue keeps; more are refused")
        .field("workers", integer_type(1, limits::workers_max), &SystemSpec::workers,
               "workers of each processor");
}

}  // namespace

Type<std::string> queue_type() {
    Words queues = embedded_and_brokers();
    queues.emplace_back("composite", "several of them at once, as queue-options says");
    return word_type(queues);
}

Type<SystemSpec> system_type() {
    const Words strategies{{"batched", "one transaction for all who wait"},
                           {"conditional", "one conditional UPDATE"},
                           {"optimistic", "compare-and-set of a version"},
                           {"pessimistic", "SELECT ... FOR UPDATE"},
                           {"serializable", "SERIALIZABLE transactions, repeated when refused"},
                           {"advisory-lock", "pg_advisory_xact_lock of the SKU"},
                           {"table-lock", "LOCK TABLE, one reserve at a time"},
                           {"naive", "read, then write: the negative control, which oversells"}};
    const Words databases{{"model", "in-memory tables of the simulator"},
                          {"sqlite", "the embedded default, also of live runs that say `model`"},
                          {"postgres",
                           "in live runs a private PostgreSQL of infra/stack; in "
                           "virtual time the model"}};
    const Words routes{{"primary", "they see what was written"},
                       {"replica", "they may lag, but never behind the position they carry"}};
    const Words topics{{"feed", "to the feed in their own database, and nowhere else"},
                       {"nats", "to topics of NATS, from which the feed takes them"},
                       {"kafka", "the same with Kafka"}};
    Object<SystemSpec> object("system", "What is tested.");
    object
        .field(
            "services", services_type(),
            [](SystemSpec& system, const SystemSpec& services) {
                system.gateways = services.gateways;
                system.inventories = services.inventories;
            },
            "how many instances of each role")
        .field("shards", integer_type(1, limits::shards_max), &SystemSpec::shards,
               "databases over which the SKUs are spread; instance i of inventory serves the one "
               "numbered i % shards + 1")
        .field("reservation", word_type(strategies), &SystemSpec::reservation,
               "the strategy that makes a reservation safe")
        .field("database", word_type(databases), &SystemSpec::database, "the database engine")
        .field("replicas", integer_type(0, limits::replicas_max), &SystemSpec::replicas,
               "standbys that follow the database, `replica/0` and so on; live: one at most")
        .field("synchronous-commit", boolean_type(), &SystemSpec::synchronous_commit,
               "`false`: commits are acknowledged before they are on disk; a crash loses the last")
        .field("synchronous-standbys", integer_type(0, limits::replicas_max),
               &SystemSpec::synchronous_standbys,
               "how many standbys must have a commit before it is acknowledged; `0`: a promotion "
               "may lose the last ones")
        .field("replica-lag", duration_draw_type(), &SystemSpec::replica_lag,
               "how long after receiving a commit a standby replays it; exponential with a mean "
               "of 2ms by itself. Virtual time only")
        .field("reads", word_type(routes), &SystemSpec::reads,
               "where calls that only read go; without replicas it is all the same")
        .field("reservation-ttl", duration_type(milliseconds(1), longest),
               &SystemSpec::reservation_ttl, "how long a reservation is held")
        .field("sweep-interval", duration_type(milliseconds(1), longest),
               &SystemSpec::sweep_interval, "how often an instance looks for due reservations")
        .field("request-timeout", duration_type(milliseconds(1), longest),
               &SystemSpec::request_timeout, "the time that the gateway gives a request")
        .field("mutant", name_type("the name of a bug", "name"), &SystemSpec::mutant,
               "a documented bug to switch on, such as `M07`, or `none`; test builds only")
        .field(
            "clock", clock_type(),
            [](SystemSpec& system, const SystemSpec& clock) {
                system.clock_skew_max = clock.clock_skew_max;
            },
            "how wrong the clocks are")
        .field("events", word_type(topics), &SystemSpec::events,
               "where events of stock and products go. Virtual time only");
    describe_pipeline(object);
    return object.type();
}

}  // namespace rushproof::simulator
