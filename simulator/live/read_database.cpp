#include "simulator/live/read_database.hpp"

#include <sqlite3.h>

#include <memory>
#include <pqxx/pqxx>

namespace rushproof::simulator {

namespace {

struct Closer {
    void operator()(sqlite3* file) const { sqlite3_close(file); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using File = std::unique_ptr<sqlite3, Closer>;
using Query = std::unique_ptr<sqlite3_stmt, Closer>;

Query prepare(sqlite3* file, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(file, sql, -1, &statement, nullptr);
    return Query(statement);
}

std::string text_of(sqlite3_stmt* row) {
    return reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
}

StockLine line_of(sqlite3_stmt* row) {
    return {sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
            sqlite3_column_int64(row, 3)};
}

StockLine line_of(const pqxx::row& row) {
    return {row[1].as<std::int64_t>(), row[2].as<std::int64_t>(), row[3].as<std::int64_t>()};
}

tl::unexpected<Error> cannot_read(const std::string& what, const std::string& why) {
    return failure(ErrorKind::permanent, "cannot-read", what + " cannot be read: " + why);
}

}  // namespace

Result<DatabaseContents> read_sqlite(const std::filesystem::path& database) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const File file(opened);
    const Query stock = prepare(file.get(), "SELECT sku, on_hand, held, sold FROM stock");
    const Query feed = prepare(file.get(), "SELECT sku, on_hand, held, sold, disorder FROM feed");
    const Query counts =
        prepare(file.get(), "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM outbox)");
    if (status != SQLITE_OK || !stock || !feed || !counts) {
        return cannot_read(database.string(), sqlite3_errmsg(file.get()));
    }
    DatabaseContents contents;
    DeliveredEvents& events = contents.events.emplace();
    while (sqlite3_step(stock.get()) == SQLITE_ROW) {
        contents.stock[text_of(stock.get())] = line_of(stock.get());
    }
    while (sqlite3_step(feed.get()) == SQLITE_ROW) {
        events.sums[text_of(feed.get())] = line_of(feed.get());
        if (sqlite3_column_int64(feed.get(), 4) > 0) {
            events.in_disorder.push_back(text_of(feed.get()));
        }
    }
    sqlite3_step(counts.get());
    contents.ledger_rows = static_cast<std::size_t>(sqlite3_column_int64(counts.get(), 0));
    events.undelivered = static_cast<std::size_t>(sqlite3_column_int64(counts.get(), 1));
    return contents;
}

Result<DatabaseContents> read_postgres(const std::string& url) {
    try {
        pqxx::connection connection(url);
        pqxx::read_transaction reader(connection);
        DatabaseContents contents;
        DeliveredEvents& events = contents.events.emplace();
        for (const auto& row :
             reader.exec("SELECT sku, on_hand, held, sold FROM inventory.stock")) {
            contents.stock[row[0].as<std::string>()] = line_of(row);
        }
        for (const auto& row :
             reader.exec("SELECT sku, on_hand, held, sold, disorder FROM inventory.feed")) {
            events.sums[row[0].as<std::string>()] = line_of(row);
            if (row[4].as<std::int64_t>() > 0) {
                events.in_disorder.push_back(row[0].as<std::string>());
            }
        }
        contents.ledger_rows =
            reader.exec1("SELECT count(*) FROM inventory.ledger")[0].as<std::size_t>();
        events.undelivered =
            reader.exec1("SELECT count(*) FROM inventory.outbox")[0].as<std::size_t>();
        return contents;
    } catch (const pqxx::failure& error) { return cannot_read("the database", error.what()); }
}

Result<PipelineContents> count_messages_sqlite(const std::filesystem::path& file) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const File closing(opened);
    const Query counts = prepare(opened,
                                 "SELECT (SELECT count(*) FROM processor_result), "
                                 "(SELECT count(*) FROM processor_dead_letter)");
    if (status != SQLITE_OK || !counts) {
        return cannot_read(file.string(), sqlite3_errmsg(opened));
    }
    sqlite3_step(counts.get());
    return PipelineContents{static_cast<std::size_t>(sqlite3_column_int64(counts.get(), 0)),
                            static_cast<std::size_t>(sqlite3_column_int64(counts.get(), 1))};
}

Result<PipelineContents> count_messages_postgres(const std::string& url) {
    try {
        pqxx::connection connection(url);
        pqxx::read_transaction reader(connection);
        const auto count = [&](const std::string& table) {
            return reader.exec1("SELECT count(*) FROM " + table)[0].as<std::size_t>();
        };
        return PipelineContents{count("processor.result"), count("processor.dead_letter")};
    } catch (const pqxx::failure& error) { return cannot_read("the database", error.what()); }
}

}  // namespace rushproof::simulator
