#include "simulator/live/database_audit.hpp"

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

tl::unexpected<Error> cannot_read(const std::string& what, const std::string& why) {
    return failure(ErrorKind::permanent, "cannot-read", what + " cannot be read: " + why);
}

}  // namespace

Result<DatabaseContents> read_sqlite(const std::filesystem::path& database) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const File file(opened);
    const Query stock = prepare(file.get(), "SELECT sku, on_hand, held, sold FROM stock");
    const Query ledger = prepare(file.get(), "SELECT count(*) FROM ledger");
    if (status != SQLITE_OK || !stock || !ledger) {
        return cannot_read(database.string(), sqlite3_errmsg(file.get()));
    }
    DatabaseContents contents;
    while (sqlite3_step(stock.get()) == SQLITE_ROW) {
        FinalStock& line =
            contents.stock[reinterpret_cast<const char*>(sqlite3_column_text(stock.get(), 0))];
        line.on_hand = sqlite3_column_int64(stock.get(), 1);
        line.held = sqlite3_column_int64(stock.get(), 2);
        line.sold = sqlite3_column_int64(stock.get(), 3);
    }
    sqlite3_step(ledger.get());
    contents.ledger_rows = static_cast<std::size_t>(sqlite3_column_int64(ledger.get(), 0));
    return contents;
}

Result<DatabaseContents> read_postgres(const std::string& url) {
    try {
        pqxx::connection connection(url);
        pqxx::read_transaction reader(connection);
        DatabaseContents contents;
        for (const auto& row :
             reader.exec("SELECT sku, on_hand, held, sold FROM inventory.stock")) {
            FinalStock& line = contents.stock[row[0].as<std::string>()];
            line.on_hand = row[1].as<std::int64_t>();
            line.held = row[2].as<std::int64_t>();
            line.sold = row[3].as<std::int64_t>();
        }
        contents.ledger_rows =
            reader.exec1("SELECT count(*) FROM inventory.ledger")[0].as<std::size_t>();
        return contents;
    } catch (const pqxx::failure& error) { return cannot_read("the database", error.what()); }
}

std::vector<std::string> compare_with_database(const History& history,
                                               const Result<DatabaseContents>& contents) {
    if (!contents) { return {contents.error().message()}; }
    std::vector<std::string> found;
    std::map<std::string, FinalStock> said;
    for (const FinalStock& line : history.final_stock) {
        said[history.texts.text(line.key)] = line;
    }
    for (const auto& [sku, line] : contents->stock) {
        const FinalStock& claimed = said[sku];
        if (line.on_hand != claimed.on_hand || line.held != claimed.held ||
            line.sold != claimed.sold) {
            found.push_back("the API and the database disagree on the stock of " + sku);
        }
    }
    if (contents->ledger_rows != history.ledger.size()) {
        found.push_back("the database has " + std::to_string(contents->ledger_rows) +
                        " ledger rows, the API showed " + std::to_string(history.ledger.size()));
    }
    return found;
}

}  // namespace rushproof::simulator
