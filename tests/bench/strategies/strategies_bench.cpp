// Reservations a second of one hot SKU by each strategy, on SQLite and on the PostgreSQL that
// RUSHPROOF_POSTGRES_URL names, each with its rows in full: reservation, ledger, outbox and
// idempotency key.  Beside them, what the file system of TMPDIR flushes a second.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/postgres_database.hpp"
#include "core/real/sqlite/bench/raw_log.hpp"
#include "core/real/sqlite/sqlite_database.hpp"
#include "core/real/sqlite/tests/fixture.hpp"
#include "tests/bench/strategies/shop.hpp"

namespace rushproof::bench {
namespace {

constexpr Duration warm_up = std::chrono::milliseconds(300);
constexpr Duration turn = std::chrono::seconds(1);

const Statement empty_tables{
    "bench.empty_tables",
    "DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('inventory.%I', tablename), ', ')"
    " || ' RESTART IDENTITY' FROM pg_tables WHERE schemaname = 'inventory'); END $$",
    {}};

template <class T>
T expect(Result<T> result) {
    if (!result) {
        std::cerr << result.error().message() << "\n";
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(result); }
}

void report(benchmark::State& state, Measured measured) {
    const double seconds = std::chrono::duration<double>(measured.taken).count();
    const auto done = static_cast<double>(measured.latency.count());
    const auto per_reservation = [&](const char* cause) {
        const double count = measured.tally.of("inventory_failed_attempts_total", cause).value;
        return done == 0 ? 0 : count / done;
    };
    const Tally::Sum locks = measured.tally.of("inventory_lock_seconds");
    const double batches = measured.tally.of("inventory_batches_total").value;
    state.SetIterationTime(seconds);
    state.counters["per_s"] = done / seconds;
    state.counters["p50_ms"] = static_cast<double>(measured.latency.quantile(0.5)) / 1e6;
    state.counters["p99_ms"] = static_cast<double>(measured.latency.quantile(0.99)) / 1e6;
    state.counters["failed"] = static_cast<double>(measured.failed);
    state.counters["tried_again"] = per_reservation("");
    state.counters["conflicts"] =
        per_reservation("serialization-failure") + per_reservation("version-conflict");
    state.counters["lock_ms"] =
        locks.observations == 0 ? 0 : 1e3 * locks.value / static_cast<double>(locks.observations);
    state.counters["batch"] = batches == 0 ? 0 : done / batches;
}

void on_sqlite(benchmark::State& state, inventory::Strategy strategy, std::int64_t clients) {
    for ([[maybe_unused]] auto _ : state) {
        const sqlite::TemporaryDirectory directory;
        const OpenDatabase open = [&](const asio::any_io_executor&, Telemetry&) {
            SqliteOptions options;
            options.path = directory.file("bench.db");
            auto database = expect(SqliteDatabase::open(options));
            expect(database->apply("inventory", inventory::migrations()));
            return database;
        };
        report(state, sell(open, strategy, clients, warm_up, turn));
    }
}

Task<void> empty(Database& database) {
    auto begun = co_await database.begin(sqlite::context_for(sqlite::long_time));
    const auto transaction = expect(std::move(begun));
    std::vector<Call> calls;
    calls.emplace_back(empty_tables, Row());
    auto emptied = co_await transaction->commit(std::move(calls));
    expect(std::move(emptied));
}

void empty(const std::string& url) {
    asio::io_context context(1);
    Tally tally;
    PostgresOptions options;
    options.url = url;
    const auto database = expect(PostgresDatabase::create(context.get_executor(), options, tally));
    asio::co_spawn(context, empty(*database), asio::detached);
    context.run();
}

void on_postgres(benchmark::State& state, const std::string& url, inventory::Strategy strategy,
                 std::int64_t clients, std::size_t connections) {
    for ([[maybe_unused]] auto _ : state) {
        empty(url);
        const OpenDatabase open = [&](const asio::any_io_executor& executor, Telemetry& telemetry) {
            PostgresOptions options;
            options.url = url;
            options.connections_max = connections;
            return expect(PostgresDatabase::create(executor, options, telemetry));
        };
        report(state, sell(open, strategy, clients, warm_up, turn));
    }
}

void flush(benchmark::State& state) {
    const sqlite::TemporaryDirectory directory;
    sqlite::RawLog log(directory.file("raw"));
    using Clock = std::chrono::steady_clock;
    for ([[maybe_unused]] auto _ : state) {
        std::uint64_t flushes = 0;
        const auto start = Clock::now();
        for (; Clock::now() - start < turn; ++flushes) { log.flush(); }
        const std::chrono::duration<double> taken = Clock::now() - start;
        state.SetIterationTime(taken.count());
        state.counters["per_s"] = static_cast<double>(flushes) / taken.count();
    }
}

void once(benchmark::internal::Benchmark* registered) {
    registered->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
}

void register_all() {
    once(benchmark::RegisterBenchmark("disk/fdatasync", flush));
    const char* const url = std::getenv("RUSHPROOF_POSTGRES_URL");
    if (url != nullptr) { expect(migrate_postgres(url, "inventory", inventory::migrations())); }
    for (const inventory::Strategy strategy : inventory::all_strategies()) {
        if (strategy == inventory::Strategy::naive) { continue; }
        for (const std::int64_t clients : {1, 16, 64}) {
            const std::string name(inventory::to_string(strategy));
            const std::string load = "/clients:" + std::to_string(clients);
            const auto lite = [=](benchmark::State& state) { on_sqlite(state, strategy, clients); };
            once(benchmark::RegisterBenchmark(("sqlite/" + name + load).c_str(), lite));
            if (url == nullptr) { continue; }
            // As many as a process has unless told otherwise, and one for each client.
            for (const std::size_t connections : {16UL, 64UL}) {
                if (connections > 16 && clients < 64) { continue; }
                const auto real = [=, to = std::string(url)](benchmark::State& state) {
                    on_postgres(state, to, strategy, clients, connections);
                };
                once(benchmark::RegisterBenchmark(
                    ("postgres/" + name + load + "/connections:" + std::to_string(connections))
                        .c_str(),
                    real));
            }
        }
    }
}

}  // namespace
}  // namespace rushproof::bench

int main(int count, char** arguments) {
    benchmark::Initialize(&count, arguments);
    if (benchmark::ReportUnrecognizedArguments(count, arguments)) { return 1; }
    rushproof::bench::register_all();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
