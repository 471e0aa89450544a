// Goal: what the database says and the API did not is told, and so is what its events leave out.
// Method: one good set of books, spoiled in one place at a time.
#include "simulator/load/database_contents.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

using Sentences = std::vector<std::string>;

class DatabaseContentsTest : public testing::Test {
protected:
    DatabaseContentsTest() {
        const TextId sku = history_.texts.intern("SKU-1");
        const auto entry = [&](std::string kind, std::int64_t quantity) {
            LedgerEntry row;
            row.key = sku;
            row.kind = std::move(kind);
            row.quantity = quantity;
            history_.ledger.push_back(std::move(row));
        };
        entry("stock", 10);
        entry("reserve", 3);
        entry("reserve", 2);
        entry("reserve", 1);
        entry("confirm", 3);
        entry("release", 2);
        entry("expire", 1);
        entry("reserve", 4);
        history_.final_stock.push_back({sku, 7, 4, 3});
        contents_.stock["SKU-1"] = {7, 4, 3};
        contents_.ledger_rows = history_.ledger.size();
        contents_.events.emplace().sums["SKU-1"] = {7, 4, 3};
    }

    Sentences found() const { return compare_with_database(history_, contents_); }

    History history_;
    DatabaseContents contents_;
};

TEST_F(DatabaseContentsTest, AgreesWithItself) { EXPECT_EQ(found(), Sentences()); }

TEST_F(DatabaseContentsTest, TellsWhatTheApiSaidWrongly) {
    contents_.stock["SKU-1"].held = 5;
    contents_.ledger_rows = 7;
    EXPECT_EQ(found(), (Sentences{"the API and the database disagree on the stock of SKU-1",
                                  "the database has 7 ledger rows, the API showed 8"}));
}

TEST_F(DatabaseContentsTest, TellsOfMessagesThatTheApiDidNotShow) {
    Event effect;
    effect.type = EventType::ok;
    effect.function = Function::process;
    history_.events.push_back(effect);
    contents_.pipeline = PipelineContents{1, 0};
    EXPECT_EQ(found(), Sentences());
    contents_.pipeline = PipelineContents{2, 1};
    EXPECT_EQ(found(),
              (Sentences{"the database has 2 messages that were processed, the API showed 1",
                         "the database has 1 messages that were set aside, the API showed 0"}));
}

TEST_F(DatabaseContentsTest, TellsOfEventsThatAreMissingMadeUpOrInDisorder) {
    contents_.events->sums["SKU-1"].sold = 2;
    contents_.events->sums["SKU-2"].held = 1;
    contents_.events->in_disorder = {"SKU-1"};
    contents_.events->undelivered = 2;
    EXPECT_EQ(found(),
              (Sentences{"2 events were never delivered", "events of SKU-1 came in disorder",
                         "the events and the ledger disagree on SKU-1",
                         "the events and the ledger disagree on SKU-2"}));
}

TEST_F(DatabaseContentsTest, EventsFollowTheLedgerNotTheStock) {
    // As after an update that was lost: the stock is wrong, and the API says so too.
    contents_.stock["SKU-1"].held = 1;
    history_.final_stock[0].held = 1;
    EXPECT_EQ(found(), Sentences());
}

TEST_F(DatabaseContentsTest, ASystemNeedNotSendEvents) {
    contents_.events.reset();
    EXPECT_EQ(found(), Sentences());
}

TEST_F(DatabaseContentsTest, ShardsAreOneDatabase) {
    DatabaseContents other;
    other.events.emplace();
    contents_ = merge_shards({contents_, other});
    EXPECT_EQ(found(), Sentences());
    other.stock["SKU-1"] = {1, 0, 0};
    other.ledger_rows = 1;
    other.events->undelivered = 1;
    contents_ = merge_shards({contents_, other});
    EXPECT_EQ(found(),
              (Sentences{"the database has 9 ledger rows, the API showed 8",
                         "SKU-1 is in more than one database", "1 events were never delivered"}));
}

TEST_F(DatabaseContentsTest, TellsWhyItCouldNotLook) {
    const Result<DatabaseContents> none =
        failure(ErrorKind::permanent, "cannot-read", "it cannot be read");
    EXPECT_EQ(compare_with_database(history_, none), Sentences{"it cannot be read"});
}

}  // namespace
}  // namespace rushproof::simulator
