// How many commits a second, and how many flushes a second the same file system does without a
// database: SQLite in WAL mode with synchronous=FULL needs one flush per commit, so the second
// number bounds the first.  Both take turns, since other programs' flushes slow down ours.
// TMPDIR chooses the file system.
#include <benchmark/benchmark.h>

#include <boost/asio/detached.hpp>

#include "core/real/sqlite/bench/raw_log.hpp"
#include "core/real/sqlite/tests/fixture.hpp"

namespace rushproof::sqlite {
namespace {

// A small reservation: one conditional update and two inserts.
const std::vector<Migration> schema = {
    {1, "bench.tables",
     "CREATE TABLE stock(sku TEXT PRIMARY KEY, on_hand INTEGER, held INTEGER) WITHOUT ROWID;"
     "INSERT INTO stock VALUES ('S', 1000000000, 0);"
     "CREATE TABLE reservation(id INTEGER PRIMARY KEY, sku TEXT, state TEXT, at TIMESTAMP);"
     "CREATE TABLE ledger(id INTEGER PRIMARY KEY, sku TEXT, delta INTEGER, at TIMESTAMP)",
     ""}};
const Statement hold{
    "bench.hold",
    "UPDATE stock SET held = held + $2 WHERE sku = $1 AND on_hand - held >= $2 RETURNING held", ""};
const Statement add_reservation{
    "bench.add_reservation",
    "INSERT INTO reservation(sku, state, at) VALUES ($1, 'held', transaction_time())", ""};
const Statement add_ledger{"bench.add_ledger",
                           "INSERT INTO ledger(sku, delta, at) VALUES ($1, $2, transaction_time())",
                           ""};
const Statement read_stock{"bench.read_stock", "SELECT on_hand, held FROM stock WHERE sku = $1",
                           ""};

const Row sku{"S"};
const Row sku_and_one{"S", std::int64_t{1}};

Task<void> reserve(Database& database, benchmark::IterationCount& left) {
    while (left > 0) {
        --left;
        auto transaction = co_await database.begin(context_for(long_time));
        std::vector<Call> first{Call(hold, sku_and_one)};
        std::vector<Call> last{Call(add_reservation, sku), Call(add_ledger, sku_and_one)};
        if (!co_await transaction.value()->execute(std::move(first))) std::abort();
        if (!co_await transaction.value()->commit(std::move(last))) std::abort();
    }
}

Task<void> read(Database& database, benchmark::IterationCount& left) {
    while (left > 0) {
        --left;
        TransactionOptions options;
        options.access = Access::read_only;
        auto transaction = co_await database.begin(context_for(long_time), options);
        std::vector<Call> last{Call(read_stock, sku)};
        if (!co_await transaction.value()->commit(std::move(last))) std::abort();
    }
}

using Work = Task<void> (*)(Database&, benchmark::IterationCount&);
using Seconds = std::chrono::duration<double>;

// A database on a file of its own, and `callers` coroutines on one thread.
class Bench {
public:
    explicit Bench(std::int64_t callers) : callers_(callers) {
        SqliteOptions options;
        options.path = directory_.file("bench.db");
        database_ = SqliteDatabase::open(options).value();
        if (!database_->apply("bench", schema)) std::abort();
    }

    Seconds run(Work work, benchmark::IterationCount count) {
        const auto start = std::chrono::steady_clock::now();
        asio::io_context context(1);
        for (std::int64_t caller = 0; caller < callers_; ++caller) {
            asio::co_spawn(context, work(*database_, count), asio::detached);
        }
        context.run();
        return std::chrono::steady_clock::now() - start;
    }

    Seconds flush(benchmark::IterationCount count) {
        const auto start = std::chrono::steady_clock::now();
        for (benchmark::IterationCount done = 0; done < count; ++done) raw_.flush();
        return std::chrono::steady_clock::now() - start;
    }

private:
    TemporaryDirectory directory_;
    RawLog raw_{directory_.file("raw")};
    std::unique_ptr<SqliteDatabase> database_;
    std::int64_t callers_;
};

void commit(benchmark::State& state) {
    Bench bench(state.range(0));
    constexpr benchmark::IterationCount turn = 20;
    Seconds committing{};
    Seconds flushing{};
    for ([[maybe_unused]] auto _ : state) {
        const Seconds taken = bench.run(reserve, turn);
        state.SetIterationTime(taken.count());
        committing += taken;
        flushing += bench.flush(turn);
    }
    const auto done = static_cast<double>(state.iterations() * turn);
    state.counters["commits_per_s"] = done / committing.count();
    state.counters["flushes_per_s"] = done / flushing.count();
    state.counters["commits_per_flush"] = flushing / committing;
}

void read_transaction(benchmark::State& state) {
    Bench bench(state.range(0));
    constexpr benchmark::IterationCount turn = 1000;
    for ([[maybe_unused]] auto _ : state) state.SetIterationTime(bench.run(read, turn).count());
    state.SetItemsProcessed(state.iterations() * turn);
}

BENCHMARK(commit)->ArgName("callers")->Arg(1)->Arg(8)->Arg(64)->UseManualTime();
BENCHMARK(read_transaction)->ArgName("callers")->Arg(1)->Arg(8)->Arg(64)->UseManualTime();

}  // namespace
}  // namespace rushproof::sqlite

BENCHMARK_MAIN();
