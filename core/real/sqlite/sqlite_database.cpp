#include "core/real/sqlite/sqlite_database.hpp"

#include <chrono>

#include "core/real/sqlite/connection.hpp"
#include "core/real/sqlite/gathered_log.hpp"
#include "core/real/sqlite/lane.hpp"
#include "core/real/sqlite/migrations.hpp"
#include "core/real/sqlite/owner_lock.hpp"

namespace rushproof {

namespace {

WallTime system_time() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return WallTime(std::chrono::duration_cast<WallTime::duration>(since_1970));
}

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(SqliteOptions options) {
    using sqlite::Connection;
    if (!options.wall_clock) options.wall_clock = system_time;
    RP_TRY(auto owner, sqlite::OwnerLock::take(options.path));
    auto log = std::make_unique<sqlite::GatheredLog>(options.vfs);
    if (!log->registered()) {
        return failure(ErrorKind::permanent, "open-failed", "there is no VFS " + options.vfs);
    }
    options.vfs = log->name();
    std::vector<std::unique_ptr<Connection>> writer(1);
    std::vector<std::unique_ptr<Connection>> readers(options.readers);
    RP_TRY(writer[0], Connection::open(options, Access::read_write));
    for (auto& reader : readers) { RP_TRY(reader, Connection::open(options, Access::read_only)); }
    auto writer_lane = std::make_shared<sqlite::Lane>(std::move(writer), options.waiting_max);
    auto reader_lane = std::make_shared<sqlite::Lane>(std::move(readers), options.waiting_max);
    return std::unique_ptr<SqliteDatabase>(
        new SqliteDatabase(std::move(options), std::move(owner), std::move(log),
                           std::move(writer_lane), std::move(reader_lane)));
}

SqliteDatabase::SqliteDatabase(SqliteOptions options, std::unique_ptr<sqlite::OwnerLock> owner,
                               std::unique_ptr<sqlite::GatheredLog> log,
                               std::shared_ptr<sqlite::Lane> writer,
                               std::shared_ptr<sqlite::Lane> readers)
    : options_(std::move(options)),
      owner_(std::move(owner)),
      log_(std::move(log)),
      writer_(std::move(writer)),
      readers_(std::move(readers)) {}

SqliteDatabase::~SqliteDatabase() {
    // The connection that closes last folds the log into the file: let it be the one that may
    // write.
    readers_->stop();
    writer_->stop();
}

Task<Result<std::unique_ptr<Transaction>>> SqliteDatabase::begin(Context context,
                                                                 TransactionOptions options) {
    const bool reads = options.access == Access::read_only;
    co_return (reads ? readers_ : writer_)->begin(context.deadline);
}

Result<void> SqliteDatabase::apply(std::string_view schema,
                                   const std::vector<Migration>& migrations) {
    // A connection of its own, on the caller's thread: SQLite's lock keeps it apart from the
    // writer.
    RP_TRY(const auto connection, sqlite::Connection::open(options_, Access::read_write));
    return sqlite::migrate(*connection, schema, migrations);
}

}  // namespace rushproof
