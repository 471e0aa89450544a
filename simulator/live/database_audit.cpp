#include "simulator/live/database_audit.hpp"

#include <sqlite3.h>

#include <map>
#include <memory>

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

}  // namespace

std::vector<std::string> compare_with_database(const History& history,
                                               const std::filesystem::path& database) {
    std::vector<std::string> found;
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    const File file(opened);
    const Query stock =
        prepare(file.get(), "SELECT sku, on_hand, held, sold FROM stock ORDER BY sku");
    const Query ledger = prepare(file.get(), "SELECT count(*) FROM ledger");
    if (status != SQLITE_OK || !stock || !ledger) {
        return {database.string() + " cannot be read: " + sqlite3_errmsg(file.get())};
    }
    std::map<std::string, FinalStock> said;
    for (const FinalStock& line : history.final_stock) {
        said[history.texts.text(line.key)] = line;
    }
    while (sqlite3_step(stock.get()) == SQLITE_ROW) {
        const std::string sku = reinterpret_cast<const char*>(sqlite3_column_text(stock.get(), 0));
        const FinalStock& line = said[sku];
        if (sqlite3_column_int64(stock.get(), 1) != line.on_hand ||
            sqlite3_column_int64(stock.get(), 2) != line.held ||
            sqlite3_column_int64(stock.get(), 3) != line.sold) {
            found.push_back("the API and the database file disagree on the stock of " + sku);
        }
    }
    sqlite3_step(ledger.get());
    const auto rows = static_cast<std::size_t>(sqlite3_column_int64(ledger.get(), 0));
    if (rows != history.ledger.size()) {
        found.push_back("the database file has " + std::to_string(rows) +
                        " ledger rows, the API showed " + std::to_string(history.ledger.size()));
    }
    return found;
}

}  // namespace rushproof::simulator
