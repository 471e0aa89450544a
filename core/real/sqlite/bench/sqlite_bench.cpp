// How many commits a second, and how many flushes a second the same file system does without a
// database: SQLite in WAL mode with synchronous=FULL needs one flush per commit, so the second
// number bounds the first.  TMPDIR chooses the file system.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>

#include "core/real/sqlite/tests/fixture.hpp"

namespace rushproof::sqlite {
namespace {

constexpr std::size_t page_size = 4096;

// Writes as many bytes as a commit of `pages` pages writes, and flushes them.
void flush_raw(benchmark::State& state) {
    const TemporaryDirectory directory;
    const auto pages = static_cast<std::size_t>(state.range(0));
    const std::string commit((page_size + 24) * pages, 'x');
    const int file = ::open(directory.file("raw").c_str(), O_RDWR | O_CREAT, 0600);
    // Like a log that starts over, this overwrites what is there.
    const std::string log(1000 * page_size, 'y');
    if (pwrite(file, log.data(), log.size(), 0) < 0 || fsync(file) != 0) std::abort();
    std::size_t offset = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (offset + commit.size() > log.size()) offset = 0;
        if (pwrite(file, commit.data(), commit.size(), static_cast<off_t>(offset)) < 0 ||
            fdatasync(file) != 0) {
            std::abort();
        }
        offset += commit.size();
    }
    state.SetItemsProcessed(state.iterations());
    ::close(file);
}

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

// `range(0)` coroutines on one thread share the iterations.
void run(benchmark::State& state, Work work) {
    const TemporaryDirectory directory;
    SqliteOptions options;
    options.path = directory.file("bench.db");
    const auto database = SqliteDatabase::open(options).value();
    if (!database->apply("bench", schema)) std::abort();
    asio::io_context context(1);
    benchmark::IterationCount left = state.max_iterations;
    for (int caller = 0; caller < state.range(0); ++caller) {
        asio::co_spawn(context, work(*database, left), asio::detached);
    }
    while (state.KeepRunningBatch(state.max_iterations)) context.run();
    state.SetItemsProcessed(state.iterations());
}

void commit(benchmark::State& state) { run(state, reserve); }
void read_transaction(benchmark::State& state) { run(state, read); }

BENCHMARK(flush_raw)->ArgName("pages")->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK(commit)->ArgName("callers")->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK(read_transaction)->ArgName("callers")->Arg(1)->Arg(8)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace rushproof::sqlite

BENCHMARK_MAIN();
