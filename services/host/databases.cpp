#include "services/host/databases.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "core/real/postgres/migrations.hpp"
#include "core/real/sqlite/sqlite_database.hpp"
#include "services/catalog/catalog.hpp"
#include "services/host/shard_claim.hpp"
#include "services/processor/processor.hpp"

namespace rushproof {

namespace {

constexpr auto retry_pause = std::chrono::milliseconds(200);
constexpr auto claim_within = std::chrono::seconds(10);

class NoDatabase final : public Database {
public:
    Task<Result<std::unique_ptr<Transaction>>> begin(Context, TransactionOptions) override {
        co_return failure(ErrorKind::retryable, "unavailable", "this process has no database");
    }
};

struct Schema {
    std::string_view role;
    const std::vector<Migration>& migrations;
};

// Of the roles here; which shard a database is stands beside inventory's tables.
std::vector<Schema> schemas_of(const HostConfig& config) {
    std::vector<Schema> schemas;
    if (config.inventory) {
        schemas.push_back({"inventory", inventory::migrations()});
        schemas.push_back({"shard", shard_migrations()});
    }
    if (config.catalog) { schemas.push_back({"catalog", catalog::migrations()}); }
    if (config.processor) { schemas.push_back({"processor", processor::migrations()}); }
    return schemas;
}

Result<std::unique_ptr<SqliteDatabase>> open_sqlite(const HostConfig& config) {
    SqliteOptions options;
    options.path = config.database_path;
    RP_TRY(auto database, SqliteDatabase::open(std::move(options)));
    for (const Schema& schema : schemas_of(config)) {
        RP_CHECK(database->apply(schema.role, schema.migrations));
    }
    return database;
}

Result<void> migrate_all(const HostConfig& config) {
    for (const Schema& schema : schemas_of(config)) {
        RP_CHECK(migrate_postgres(config.postgres.url, schema.role, schema.migrations));
    }
    return {};
}

// So that a process may start before its database, or while that recovers from a crash.
Result<void> migrate_when_there(const HostConfig& config, Telemetry& telemetry, Duration wait) {
    using Clock = std::chrono::steady_clock;
    const auto give_up = Clock::now() + wait;
    auto migrated = migrate_all(config);
    while (!migrated && migrated.error().kind() == ErrorKind::retryable && Clock::now() < give_up) {
        telemetry.log(LogLevel::warning, "waiting for the database",
                      {{"code", migrated.error().code()}});
        std::this_thread::sleep_for(retry_pause);
        migrated = migrate_all(config);
    }
    return migrated;
}

}  // namespace

Result<std::unique_ptr<Databases>> Databases::open(const HostConfig& config, Telemetry& telemetry,
                                                   Duration wait) {
    std::unique_ptr<Databases> databases(new Databases(config, telemetry));
    if (!config.keeps_data()) {
        databases->shared_ = std::make_unique<NoDatabase>();
    } else if (config.postgres.url.empty()) {
        RP_TRY(databases->shared_, open_sqlite(config));
    } else {
        RP_CHECK(migrate_when_there(config, telemetry, wait));
        if (config.reads_log()) { RP_CHECK(check_postgres_log(config.postgres.url)); }
    }
    return databases;
}

Result<void> Databases::claim() {
    if (!config_.inventory) { return {}; }
    asio::io_context context(1);
    std::unique_ptr<Database> own;
    if (!shared_) {
        RP_TRY(own, PostgresDatabase::create(context.get_executor(), config_.postgres, telemetry_));
    }
    Database& database = own ? *own : *shared_;
    Result<void> claimed;
    const auto deadline = std::chrono::steady_clock::now().time_since_epoch() + claim_within;
    asio::co_spawn(
        context,
        claim_shard(database, Context(MonotonicTime(deadline)), config_.inventory_options.shard),
        [&](const std::exception_ptr& thrown, Result<void> answer) {
            if (thrown) { std::rethrow_exception(thrown); }
            claimed = std::move(answer);
        });
    context.run();
    return claimed;
}

Database& Databases::add_core(const asio::any_io_executor& executor) {
    if (shared_) { return *shared_; }
    PostgresOptions options = config_.postgres;
    options.connections_max = std::max<std::size_t>(1, options.connections_max / config_.threads);
    options.core = std::to_string(of_cores_.size());
    // read_config has checked the URLs.
    of_cores_.push_back(PostgresDatabase::create(executor, std::move(options), telemetry_).value());
    return *of_cores_.back();
}

}  // namespace rushproof
