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
#include "services/host/shard_claim.hpp"

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

Result<std::unique_ptr<SqliteDatabase>> open_sqlite(const std::string& path) {
    SqliteOptions options;
    options.path = path;
    RP_TRY(auto database, SqliteDatabase::open(std::move(options)));
    RP_CHECK(database->apply("inventory", inventory::migrations()));
    RP_CHECK(database->apply("shard", shard_migrations()));
    return database;
}

// So that a process may start before its database, or while that recovers from a crash.
Result<void> migrate_when_there(const std::string& url, Telemetry& telemetry, Duration wait) {
    using Clock = std::chrono::steady_clock;
    const auto give_up = Clock::now() + wait;
    auto migrated = migrate_postgres(url, "inventory", inventory::migrations());
    while (!migrated && migrated.error().kind() == ErrorKind::retryable && Clock::now() < give_up) {
        telemetry.log(LogLevel::warning, "waiting for the database",
                      {{"code", migrated.error().code()}});
        std::this_thread::sleep_for(retry_pause);
        migrated = migrate_postgres(url, "inventory", inventory::migrations());
    }
    RP_CHECK(migrated);
    return migrate_postgres(url, "shard", shard_migrations());
}

}  // namespace

Result<std::unique_ptr<Databases>> Databases::open(const HostConfig& config, Telemetry& telemetry,
                                                   Duration wait) {
    std::unique_ptr<Databases> databases(new Databases(config, telemetry));
    if (!config.inventory) {
        databases->shared_ = std::make_unique<NoDatabase>();
    } else if (config.postgres.url.empty()) {
        RP_TRY(databases->shared_, open_sqlite(config.database_path));
    } else {
        RP_CHECK(migrate_when_there(config.postgres.url, telemetry, wait));
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
