#include "services/host/host_config.hpp"

#include <algorithm>

namespace rushproof {

namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr std::string_view sqlite_scheme = "sqlite:";

Result<Scheduling> read_scheduling(const Setting& setting) {
    if (setting.text == "batch") { return Scheduling::batch; }
    if (setting.text == "normal") { return Scheduling::normal; }
    return bad_setting(setting, "batch or normal");
}

Result<LogLevel> read_log_level(const Setting& setting) {
    if (setting.text == "debug") { return LogLevel::debug; }
    if (setting.text == "info") { return LogLevel::info; }
    if (setting.text == "warning") { return LogLevel::warning; }
    if (setting.text == "error") { return LogLevel::error; }
    return bad_setting(setting, "one of debug, info, warning, error");
}

Result<inventory::Strategy> read_strategy(const Setting& setting) {
    if (const auto strategy = inventory::parse_strategy(setting.text)) { return *strategy; }
    std::string words;
    for (const auto strategy : inventory::all_strategies()) {
        if (!words.empty()) { words += ", "; }
        words += to_string(strategy);
    }
    return bad_setting(setting, "one of " + words);
}

Result<Route> read_route(const Setting& setting, const HostConfig& config) {
    if (setting.text == "primary") { return Route::primary; }
    if (setting.text != "replica") { return bad_setting(setting, "primary or replica"); }
    if (config.postgres.replica_url.empty()) {
        return bad_setting(setting, "primary, because no database-replica is given");
    }
    return Route::replica;
}

Result<void> read_roles(const Setting& setting, HostConfig& config) {
    RP_TRY(const auto roles, read_list(setting));
    for (const std::string& role : roles) {
        const bool all = role == "all";
        if (!all && role != "gateway" && role != "inventory" && role != "catalog" &&
            role != "ingest" && role != "processor") {
            return bad_setting(setting,
                               "a list of roles out of gateway, ingest, processor, inventory, "
                               "catalog; or all");
        }
        config.gateway |= all || role == "gateway";
        config.inventory |= all || role == "inventory";
        config.catalog |= all || role == "catalog";
        config.ingest |= all || role == "ingest";
        config.processor |= all || role == "processor";
    }
    if (roles.empty()) { return bad_setting(setting, "at least one role, such as all"); }
    return {};
}

Result<void> read_limits(const Settings& settings, HttpServerOptions& http) {
    RP_TRY(http.request_timeout, read_duration(settings.get("request-timeout"), 1ms, 1h));
    RP_TRY(http.drain_grace, read_duration(settings.get("drain-grace"), 0ms, 1min));
    RP_TRY(http.idle_timeout, read_duration(settings.get("idle-timeout"), 100ms, 1h));
    RP_TRY(http.connections_max, read_count(settings.get("connections-max"), 1, 1'000'000));
    RP_TRY(http.requests_in_flight_max,
           read_count(settings.get("requests-in-flight-max"), 1, 1'000'000));
    RP_TRY(http.body_bytes_max, read_count(settings.get("body-bytes-max"), 1024, 64 << 20));
    RP_TRY(const auto rate, read_count(settings.get("client-rate"), 0, 1'000'000));
    RP_TRY(const auto burst, read_count(settings.get("client-burst"), 1, 1'000'000));
    if (rate > 0) {
        http.rate_limit_per_client =
            HttpRateLimit{static_cast<double>(rate), static_cast<double>(burst)};
    }
    return {};
}

Result<void> read_rpc(const Settings& settings, HostConfig& config) {
    const Setting listen = settings.get("rpc-listen");
    if (listen.text.empty()) {
        if (config.gateway || config.ingest || config.processor) { return {}; }
        return bad_setting(listen, "where others reach the roles here, such as 127.0.0.1:9090");
    }
    RP_TRY(const auto address, read_listen_address(listen));
    HttpServerOptions options = config.http;
    options.name = "rpc";
    options.address = address.host;
    options.port = address.port;
    options.rate_limit_per_client.reset();
    config.rpc = options;
    return {};
}

GrpcServerOptions grpc_options(const HostConfig& config, const ListenAddress& address) {
    GrpcServerOptions options;
    options.address = address.host;
    options.port = address.port;
    options.calls_in_flight_max = config.http.requests_in_flight_max;
    options.message_bytes_max = config.http.body_bytes_max;
    options.request_timeout = config.http.request_timeout;
    options.rate_limit_per_client = config.http.rate_limit_per_client;
    return options;
}

Result<void> read_grpc(const Settings& settings, HostConfig& config) {
    const Setting listen = settings.get("grpc-listen");
    if (listen.text.empty()) { return {}; }
    if (!config.inventory && !config.catalog && !config.ingest) {
        return bad_setting(
            listen, "nothing, because no role here answers gRPC; inventory, catalog and ingest do");
    }
    RP_TRY(const auto address, read_listen_address(listen));
    config.grpc = grpc_options(config, address);
    return {};
}

// Also by the variable that clients of the pipeline know, which may be a port, or "on".
Result<void> read_ingest_grpc(const Settings& settings, HostConfig& config) {
    Setting listen = settings.get("ingest-grpc");
    if (listen.text.empty()) {
        if (auto known = settings.variable("INGEST_GRPC")) { listen = *std::move(known); }
    }
    if (listen.text.empty()) { return {}; }
    if (!config.ingest) {
        return bad_setting(listen, "nothing, because ingest is not among the roles here");
    }
    if (listen.text == "on") { listen.text = "50052"; }
    if (listen.text.find(':') == std::string::npos) { listen.text = "127.0.0.1:" + listen.text; }
    RP_TRY(const auto address, read_listen_address(listen));
    config.ingest_grpc = grpc_options(config, address);
    return {};
}

Result<void> read_inventory_urls(const Settings& settings, HostConfig& config) {
    const Setting setting = settings.get("inventory-url");
    std::string_view rest = setting.text;
    while (!rest.empty()) {
        const auto end = rest.find(';');
        RP_TRY(const auto urls, read_list({std::string(rest.substr(0, end)), setting.source}));
        std::vector<HttpEndpoint> shard;
        for (const std::string& url : urls) {
            auto endpoint = HttpEndpoint::parse(url);
            if (!endpoint) { return bad_setting(setting, "URLs such as http://127.0.0.1:9090"); }
            shard.push_back(*std::move(endpoint));
        }
        if (shard.empty() || end + 1 == rest.size()) {
            return bad_setting(setting, "URLs for each shard, with ; between shards");
        }
        config.inventory_urls.push_back(std::move(shard));
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    const std::size_t shards = config.inventory_urls.size();
    if (config.inventory && shards > 0) {
        return bad_setting(setting, "nothing, because inventory is among the roles here");
    }
    // The pipeline can be used without: then there is nothing to reserve.
    const bool needs_inventory =
        config.catalog || (config.gateway && !config.ingest && config.pipeline.ingest_urls.empty());
    if (!config.inventory && shards == 0 && needs_inventory) {
        return bad_setting(setting, "the URLs of inventory, which is not among the roles here");
    }
    if (shards > shards_max) {
        return bad_setting(setting, "at most " + std::to_string(shards_max) + " shards");
    }
    return {};
}

Result<void> read_catalog_urls(const Settings& settings, HostConfig& config) {
    const Setting setting = settings.get("catalog-url");
    RP_TRY(const auto urls, read_list(setting));
    for (const std::string& url : urls) {
        auto endpoint = HttpEndpoint::parse(url);
        if (!endpoint) { return bad_setting(setting, "URLs such as http://127.0.0.1:9090"); }
        config.catalog_urls.push_back(*std::move(endpoint));
    }
    if (config.catalog && !urls.empty()) {
        return bad_setting(setting, "nothing, because catalog is among the roles here");
    }
    return {};
}

Result<void> read_shard(const Settings& settings, HostConfig& config) {
    const Setting setting = settings.get("shard");
    const auto shard = parse_shard(setting.text);
    if (!shard) { return bad_setting(setting, "a number and how many there are, such as 2/3"); }
    if (shard->count > 1 &&
        (config.gateway || config.catalog || config.processor || !config.inventory)) {
        return bad_setting(setting,
                           "1/1, because only a process with --role inventory alone keeps "
                           "one shard of several");
    }
    config.inventory_options.shard = *shard;
    return {};
}

bool is_postgres(const std::string& text) {
    return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

Result<std::string> read_postgres_url(const Setting& setting) {
    if (!is_postgres(setting.text) || !check_postgres_url(setting.text)) {
        // Not what was given: it may hold a password.
        return bad_setting({"(not shown)", setting.source},
                           "a URL such as postgresql://user@host:5432/database");
    }
    return setting.text;
}

Result<void> read_database(const Settings& settings, HostConfig& config) {
    const Setting database = settings.get("database");
    const Setting replica = settings.get("database-replica");
    RP_TRY(config.postgres.connections_max,
           read_count(settings.get("database-connections"), 1, 10'000));
    if (is_postgres(database.text)) {
        RP_TRY(config.postgres.url, read_postgres_url(database));
        if (!replica.text.empty()) {
            RP_TRY(config.postgres.replica_url, read_postgres_url(replica));
        }
        return {};
    }
    if (!database.text.starts_with(sqlite_scheme) || database.text.size() == sqlite_scheme.size()) {
        return bad_setting(
            database, "sqlite:PATH, such as sqlite:rushproof.db, or postgresql://user@host/name");
    }
    if (!replica.text.empty()) {
        return bad_setting(replica, "nothing, because SQLite has no replicas");
    }
    config.database_path = database.text.substr(sqlite_scheme.size());
    return {};
}

std::vector<SettingInfo> all_settings() {
    std::vector<SettingInfo> settings{
        {"role", "all",
         "What to be: gateway, ingest, processor, inventory, catalog, a list of them, or all"},
        {"listen", "127.0.0.1:8080",
         "Where to answer HTTP (API_PORT sets the port alone); 8081 for ingest alone, 8082 for "
         "processor"},
        {"rpc-listen", "", "Where to answer other processes' calls; empty: nowhere"},
        {"grpc-listen", "", "Where to answer clients' gRPC calls, such as 127.0.0.1:50051"},
        {"ingest-grpc", "",
         "Where to answer diplom.v1.IngestService by gRPC (INGEST_GRPC), such as 127.0.0.1:50052, "
         "which is also what \"on\" means; empty: nowhere"},
        {"inventory-url", "",
         "Where inventory answers calls, when it runs in other processes; a semicolon separates "
         "shards"},
        {"catalog-url", "",
         "Where catalog answers calls, when it runs in other processes; empty: no products"},
        {"database", "sqlite:rushproof.db",
         "Where the roles here keep their data: sqlite:PATH or postgresql://user@host/name"},
        {"database-replica", "", "A PostgreSQL replica for reads; empty: the database itself"},
        {"reads", "primary",
         "Where calls that only read go: primary, or replica unless it is behind their position"},
        {"database-connections", "16", "Connections to PostgreSQL, and as many to the replica"},
        {"shard", "1/1",
         "Which of how many databases, by SKU, this inventory keeps; the same for ever"},
        {"strategy", "batched", "How a reservation is made safe"},
        {"reservation-ttl", "10m", "How long a reservation is held before it expires"},
        {"sweep-interval", "1s", "How often expired reservations are looked for"},
        {"threads", "1", "Cores to use: each has its own instance of every role"},
        {"scheduling", "batch",
         "What a thread does that becomes ready while others run: batch (wait, which gets more "
         "done) or normal (it may interrupt them)"},
        {"request-timeout", "5s", "The deadline of a request that brings none"},
        {"idle-timeout", "75s", "How long a connection may wait between requests"},
        {"drain-grace", "1s", "How long idle connections stay open when the process stops"},
        {"connections-max", "10000", "Connections at once; more are answered 503"},
        {"requests-in-flight-max", "4096", "Requests at once; more are answered 503"},
        {"body-bytes-max", "1048576", "Bytes in a request's body; more are answered 413"},
        {"client-rate", "0",
         "Requests per second and client address, 0: any; more are answered 429"},
        {"client-burst", "100", "Requests that a client may send at once within its rate"},
        {"ready-fd", "", "File descriptor to write one line of JSON with the ports to, once ready"},
        {"log-level", "info", "debug, info, warning or error"},
    };
    settings.insert(settings.end(), pipeline_settings().begin(), pipeline_settings().end());
    return settings;
}

// Read already; now it is known where the events lie.
Result<void> check_events(const Settings& settings, const HostConfig& config) {
    if (!config.reads_log() || !config.postgres.url.empty()) { return {}; }
    Setting by = settings.get("events-by");
    if (const auto known = settings.variable("EVENTS_BY"); known && by.text == "polling") {
        by = *known;
    }
    return bad_setting(by, "polling, because SQLite has no log that tells of events");
}

}  // namespace

const std::vector<SettingInfo>& known_settings() {
    static const std::vector<SettingInfo> settings = all_settings();
    return settings;
}

Result<HostConfig> read_migrate_config(const Settings& settings) {
    HostConfig config;
    config.inventory = true;
    config.catalog = true;
    config.processor = true;
    RP_CHECK(read_database(settings, config));
    return config;
}

Result<HostConfig> read_config(const Settings& settings) {
    HostConfig config;
    RP_CHECK(read_roles(settings.get("role"), config));
    RP_TRY(const auto listen, read_listen_address(main_listen_setting(settings, config)));
    config.http.address = listen.host;
    config.http.port = listen.port;
    RP_CHECK(read_limits(settings, config.http));
    RP_CHECK(read_rpc(settings, config));
    RP_CHECK(read_grpc(settings, config));
    RP_CHECK(read_ingest_grpc(settings, config));
    RP_CHECK(read_pipeline(settings, config));
    RP_CHECK(read_inventory_urls(settings, config));
    RP_CHECK(read_catalog_urls(settings, config));
    RP_CHECK(read_database(settings, config));
    RP_CHECK(check_events(settings, config));
    RP_CHECK(read_shard(settings, config));
    inventory::Options& inventory = config.inventory_options;
    inventory.events = config.pipeline.events;
    RP_TRY(inventory.strategy, read_strategy(settings.get("strategy")));
    RP_TRY(inventory.reads, read_route(settings.get("reads"), config));
    RP_TRY(inventory.reservation_ttl, read_duration(settings.get("reservation-ttl"), 1ms, 24h));
    RP_TRY(inventory.sweep_interval, read_duration(settings.get("sweep-interval"), 1ms, 1h));
    RP_TRY(config.threads, read_count(settings.get("threads"), 1, 256));
    RP_TRY(config.scheduling, read_scheduling(settings.get("scheduling")));
    RP_TRY(config.log_level, read_log_level(settings.get("log-level")));
    if (const auto fd = settings.given("ready-fd")) {
        RP_TRY(const auto number, read_count(*fd, 0, 1'000'000));
        config.ready_fd = static_cast<int>(number);
    }
    return config;
}

}  // namespace rushproof
