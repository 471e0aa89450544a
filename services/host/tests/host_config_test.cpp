// Goal: a process starts with what was meant or not at all, and says which flag or variable is
// wrong. Method: command lines and environments in, configurations or messages out.
#include "services/host/host_config.hpp"

#include <gtest/gtest.h>

#include "services/host/command_line.hpp"

namespace rushproof {
namespace {

Result<HostConfig> config_of(Settings::Texts flags, Settings::Texts variables = {}) {
    return read_config(Settings(known_settings(), std::move(flags), std::move(variables)));
}

TEST(HostConfig, DefaultsAreAllRolesOnLoopback) {
    const auto config = config_of({}).value();
    EXPECT_TRUE(config.gateway);
    EXPECT_TRUE(config.inventory);
    EXPECT_EQ(config.http.address, "127.0.0.1");
    EXPECT_EQ(config.http.port, 8080);
    EXPECT_FALSE(config.rpc);
    EXPECT_FALSE(config.http.rate_limit_per_client);
    EXPECT_FALSE(config.ready_fd);
    EXPECT_EQ(config.database_path, "rushproof.db");
}

TEST(HostConfig, EveryDefaultIsAcceptedAndEveryHelpSaysSomething) {
    for (const SettingInfo& info : known_settings()) {
        EXPECT_FALSE(info.help.empty()) << info.name;
        if (info.fallback.empty()) { continue; }
        const auto config =
            config_of({{std::string(info.name), std::string(info.fallback)}}).map([](auto) {});
        EXPECT_TRUE(config) << config.error().message();
    }
}

TEST(HostConfig, ReadsVariables) {
    const auto config = config_of({}, {{"RUSHPROOF_ROLE", "gateway"},
                                       {"RUSHPROOF_INVENTORY_URL", "http://a:1,http://b:2"},
                                       {"RUSHPROOF_CLIENT_RATE", "50"},
                                       {"RUSHPROOF_RPC_LISTEN", "[::1]:0"}})
                            .value();
    EXPECT_FALSE(config.inventory);
    ASSERT_EQ(config.inventory_urls.size(), 1u);
    ASSERT_EQ(config.inventory_urls[0].size(), 2u);
    EXPECT_EQ(config.inventory_urls[0][1].host, "b");
    EXPECT_EQ(config.http.rate_limit_per_client->requests_per_second, 50);
    EXPECT_EQ(config.rpc->address, "::1");
    EXPECT_FALSE(config.rpc->rate_limit_per_client);
}

TEST(HostConfig, ReadsShards) {
    const auto gateway =
        config_of({{"role", "gateway"}, {"inventory-url", "http://a:1,http://b:2;http://c:3"}})
            .value();
    ASSERT_EQ(gateway.inventory_urls.size(), 2u);
    EXPECT_EQ(gateway.inventory_urls[0].size(), 2u);
    EXPECT_EQ(gateway.inventory_urls[1][0].host, "c");
    const auto inventory =
        config_of({{"role", "inventory"}, {"rpc-listen", "127.0.0.1:0"}, {"shard", "2/3"}}).value();
    EXPECT_EQ(inventory.inventory_options.shard, (Shard{2, 3}));
}

TEST(HostConfig, ReadsMayGoToAReplicaThatIsThere) {
    EXPECT_EQ(config_of({})->inventory_options.reads, Route::primary);
    const auto config = config_of({{"database", "postgresql://u@a/x"},
                                   {"database-replica", "postgresql://u@b/x"},
                                   {"reads", "replica"}});
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->inventory_options.reads, Route::replica);
}

TEST(HostConfig, ThreadsWaitForOthersUnlessToldNotTo) {
    EXPECT_EQ(config_of({})->scheduling, Scheduling::batch);
    EXPECT_EQ(config_of({{"scheduling", "normal"}})->scheduling, Scheduling::normal);
}

TEST(HostConfig, ApiPortSetsThePortUnlessListenIsGiven) {
    EXPECT_EQ(config_of({}, {{"API_PORT", "9000"}})->http.port, 9000);
    EXPECT_EQ(config_of({}, {{"API_PORT", "9000"}})->http.address, "127.0.0.1");
    EXPECT_EQ(config_of({{"listen", "0.0.0.0:1"}}, {{"API_PORT", "9000"}})->http.port, 1);
    EXPECT_EQ(config_of({}, {{"API_PORT", "9000"}, {"RUSHPROOF_LISTEN", "0.0.0.0:1"}})->http.port,
              1);
    const auto bad = config_of({}, {{"API_PORT", "http"}});
    EXPECT_EQ(bad.error().message().substr(0, 11), "API_PORT is");
}

TEST(HostConfig, ReadsThePipelineAsItsClientsKnowIt) {
    const auto plain = config_of({}).value();
    EXPECT_EQ(plain.pipeline.queue.provider, "memory");
    EXPECT_EQ(plain.pipeline.queue.capacity, 1'000u);
    EXPECT_EQ(plain.pipeline.workers, 4u);
    EXPECT_EQ(plain.pipeline.kafka_topic, "diplom-messages");
    EXPECT_FALSE(plain.pipeline.ingest_http) << "nobody asked for it";
    const auto given = config_of({}, {{"QUEUE_TYPE", "composite"},
                                      {"QUEUE_SIZE", "7"},
                                      {"PROCESSOR_WORKERS", "8"},
                                      {"KAFKA_BROKERS", "a:1, b:2"},
                                      {"COMPOSITE_PROVIDERS", "memory,nats"},
                                      {"COMPOSITE_STRATEGY", "best-effort"},
                                      {"INGEST_PORT", "8081"},
                                      {"PROCESSOR_PORT", "8082"},
                                      {"INGEST_GRPC", "on"}})
                           .value();
    EXPECT_EQ(given.pipeline.queue.capacity, 7u);
    EXPECT_EQ(given.pipeline.workers, 8u);
    EXPECT_EQ(given.pipeline.kafka_brokers, (std::vector<std::string>{"a:1", "b:2"}));
    EXPECT_EQ(given.pipeline.queue.parts, (std::vector<std::string>{"memory", "nats"}));
    EXPECT_EQ(given.pipeline.queue.strategy, "best-effort");
    EXPECT_EQ(given.pipeline.ingest_http->port, 8081);
    EXPECT_EQ(given.pipeline.processor_http->port, 8082);
    EXPECT_EQ(given.ingest_grpc->port, 50052);
}

TEST(HostConfig, EventsAndJobsGoToBrokersWhereTheyAreNamed) {
    const auto plain = config_of({}).value();
    EXPECT_EQ(plain.inventory_options.events.to, "");
    EXPECT_EQ(plain.pipeline.rabbitmq_url, "");
    const auto given = config_of({}, {{"EVENTS_TO", "kafka"}, {"RABBITMQ_URL", "amqp://me:p@a"}});
    ASSERT_TRUE(given) << given.error().message();
    EXPECT_EQ(given->pipeline.events.to, "kafka");
    EXPECT_EQ(given->inventory_options.events.to, "kafka");
    EXPECT_EQ(given->pipeline.rabbitmq_url, "amqp://me:p@a");
    EXPECT_EQ(config_of({{"events-to", "nats"}}, {{"EVENTS_TO", "kafka"}})->pipeline.events.to,
              "nats");
    EXPECT_EQ(plain.inventory_options.events.by, EventsBy::polling);
    const auto by_log =
        config_of({{"database", "postgresql://u@a/x"}}, {{"EVENTS_BY", "log"}}).value();
    EXPECT_EQ(by_log.inventory_options.events.by, EventsBy::log);
}

TEST(HostConfig, GivesEachRoleThePortThatItIsKnownBy) {
    EXPECT_EQ(config_of({{"role", "ingest"}})->http.port, 8081);
    EXPECT_EQ(config_of({{"role", "processor"}})->http.port, 8082);
    EXPECT_EQ(config_of({{"role", "ingest"}}, {{"INGEST_PORT", "1"}})->http.port, 1);
    EXPECT_EQ(config_of({{"role", "processor"}}, {{"PROCESSOR_PORT", "2"}})->http.port, 2);
    EXPECT_EQ(config_of({{"role", "ingest"}})->pipeline.processor_urls.at(0).port, 8082);
    const auto gateway = config_of({{"role", "gateway"}}, {{"INGEST_URL", "http://a:1"}});
    ASSERT_TRUE(gateway) << "the pipeline needs no inventory: " << gateway.error().message();
    EXPECT_EQ(gateway->pipeline.ingest_urls.at(0).host, "a");
    EXPECT_FALSE(config_of({{"role", "gateway"}})) << "there is nothing to pass on to";
}

struct Mistake {
    const char* variable;
    const char* text;
    const char* remedy;
};

TEST(HostConfig, EveryMistakeNamesItsVariableAndTheRemedy) {
    const Mistake mistakes[] = {
        {"RUSHPROOF_ROLE", "gatway", "gateway, ingest, processor, inventory"},
        {"RUSHPROOF_ROLE", "", "all"},
        {"RUSHPROOF_ROLE", "inventory", "127.0.0.1:9090"},   // of --rpc-listen
        {"RUSHPROOF_ROLE", "gateway", "URLs of inventory"},  // of --inventory-url
        {"RUSHPROOF_LISTEN", "8080", "127.0.0.1:8080"},
        {"EVENTS_TO", "sqlite", "feed, nats or kafka"},
        {"EVENTS_BY", "magic", "polling or log"},
        {"EVENTS_BY", "log", "SQLite has no log"},
        {"RUSHPROOF_EVENTS_BY", "log", "SQLite has no log"},
        {"RABBITMQ_URL", "http://me:secret@a", "amqp://"},
        {"RUSHPROOF_RPC_LISTEN", "here", "127.0.0.1:8080"},
        {"RUSHPROOF_ROLE", "catalog", "127.0.0.1:9090"},
        {"RUSHPROOF_INVENTORY_URL", "http://a:1", "nothing"},
        {"RUSHPROOF_INVENTORY_URL", ";http://a:1", "; between shards"},
        {"RUSHPROOF_INVENTORY_URL", "http://a:1;", "; between shards"},
        {"RUSHPROOF_SHARD", "2", "2/3"},
        {"RUSHPROOF_SHARD", "3/2", "2/3"},
        {"RUSHPROOF_SHARD", "1/2", "--role inventory"},
        {"RUSHPROOF_CATALOG_URL", "http://a:1", "nothing"},
        {"RUSHPROOF_DATABASE", "postgres:x", "sqlite:PATH"},
        {"RUSHPROOF_DATABASE", "sqlite:", "sqlite:PATH"},
        {"RUSHPROOF_READS", "replica", "no database-replica"},
        {"RUSHPROOF_READS", "somewhere", "primary or replica"},
        {"RUSHPROOF_STRATEGY", "hope", "naive, pessimistic, conditional, optimistic"},
        {"RUSHPROOF_RESERVATION_TTL", "10x", "10m"},
        {"RUSHPROOF_SWEEP_INTERVAL", "0ms", "from 1ms"},
        {"RUSHPROOF_THREADS", "0", "from 1 to 256"},
        {"RUSHPROOF_SCHEDULING", "fifo", "batch or normal"},
        {"RUSHPROOF_REQUEST_TIMEOUT", "soon", "30s"},
        {"RUSHPROOF_IDLE_TIMEOUT", "1ms", "from 100ms"},
        {"RUSHPROOF_DRAIN_GRACE", "-1s", "from 0h"},
        {"RUSHPROOF_CONNECTIONS_MAX", "none", "whole number"},
        {"RUSHPROOF_REQUESTS_IN_FLIGHT_MAX", "0", "whole number"},
        {"RUSHPROOF_BODY_BYTES_MAX", "1", "from 1024"},
        {"RUSHPROOF_CLIENT_RATE", "fast", "whole number"},
        {"RUSHPROOF_CLIENT_BURST", "0", "whole number"},
        {"RUSHPROOF_READY_FD", "stdout", "whole number"},
        {"RUSHPROOF_LOG_LEVEL", "loud", "debug, info, warning, error"},
        {"RUSHPROOF_INGEST_URL", "http://a:1", "nothing"},
        {"INGEST_URL", "localhost", "URLs such as"},
        {"PROCESSOR_URL", "https://a", "URLs such as"},
        {"PROCESSOR_WORKERS", "0", "from 1 to 256"},
        {"QUEUE_SIZE", "many", "whole number"},
        {"QUEUE_TYPE", "rabbitmq", "memory, sqlite, nats, kafka or composite"},
        {"NATS_URL", "localhost:4222", "nats://localhost:4222"},
        {"KAFKA_BROKERS", "a,,b", "without empty items"},
        {"KAFKA_BROKERS", "a, ,b", "without empty items"},
        {"KAFKA_TOPIC", "", "a topic"},
        {"KAFKA_CONSUMER_GROUP", "", "a group"},
        {"COMPOSITE_PROVIDERS", "nats,composite", "each once"},
        {"COMPOSITE_PROVIDERS", "nats,nats", "each once"},
        {"COMPOSITE_STRATEGY", "all", "fail-fast or best-effort"},
        {"INGEST_PORT", "x", "an address and a port"},
        {"PROCESSOR_PORT", "99999", "an address and a port"},
        {"INGEST_GRPC", "x", "an address and a port"},
        {"RUSHPROOF_PROCESSOR_GRACE", "1d", "such as 250ms"},
    };
    for (const auto& [variable, text, remedy] : mistakes) {
        const auto config = config_of({}, {{variable, text}});
        ASSERT_FALSE(config) << variable << "=" << text;
        EXPECT_EQ(config.error().code(), "bad-setting");
        const std::string& message = config.error().message();
        EXPECT_NE(message.find(remedy), std::string::npos) << message;
        if (std::string_view(variable) != "RUSHPROOF_ROLE") {
            EXPECT_EQ(message.substr(0, std::string_view(variable).size()), variable) << message;
        }
    }
}

TEST(CommandLine, TellsCommandsFlagsAndMistakesApart) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto end_of = [](std::vector<std::string> arguments) {
        const auto parsed = parse_command_line(std::move(arguments), {});
        const auto* end = std::get_if<CommandLineEnd>(&parsed);
        return end == nullptr ? -1 : end->exit_code;
    };
    EXPECT_EQ(end_of({"--help"}), 0);
    EXPECT_EQ(end_of({"serve", "--help"}), 0);
    EXPECT_EQ(end_of({}), exit_bad_usage);
    EXPECT_EQ(end_of({"serve", "--lisen", "x"}), exit_bad_usage);
    EXPECT_EQ(end_of({"serve", "--role", "all", "--threads=2"}), -1);
    EXPECT_EQ(end_of({"migrate", "--database=sqlite:x"}), -1);
    const std::string help = testing::internal::GetCapturedStdout();
    const std::string complaint = testing::internal::GetCapturedStderr();
    EXPECT_NE(help.find("RUSHPROOF_RESERVATION_TTL"), std::string::npos);
    EXPECT_NE(complaint.find("--lisen"), std::string::npos) << complaint;

    auto parsed = parse_command_line({"serve", "--threads=2"}, {{"RUSHPROOF_ROLE", "x"}});
    const auto& line = std::get<CommandLine>(parsed);
    EXPECT_EQ(line.command, HostCommand::serve);
    EXPECT_EQ(line.settings.get("threads").source, "--threads");
    EXPECT_EQ(line.settings.get("role").source, "RUSHPROOF_ROLE");
}

}  // namespace
}  // namespace rushproof
