// Goal: the audit brings all of the ledger into the history, expirations at times that are true,
// and says so only when it has everything.
// Method: a fake API over hand-made ledgers, in virtual time.
#include "simulator/load/audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "simulator/load/client.hpp"
#include "simulator/load/recorder.hpp"
#include "simulator/load/tests/describe.hpp"
#include "simulator/load/tests/fake_shop.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

constexpr std::int64_t second = 1'000'000'000;

class AuditTest : public testing::Test {
protected:
    AuditTest() : shop_([this](Context, HttpRequest request) { return answer(request); }) {
        options_.start = world_.monotonic();
        options_.wall_start = world_.wall();
        options_.skus = {"SKU-1"};
        options_.quiet_from = world_.monotonic() + seconds(60);
        options_.deadline = world_.monotonic() + seconds(120);
    }

    // `at` is ns since the start of the run.
    void row(std::string sku, std::string kind, std::string key, std::int64_t quantity,
             std::int64_t at) {
        auto& rows = ledgers_[sku];
        LedgerRow row;
        row.number = static_cast<std::int64_t>(rows.size()) + 1;
        row.kind = std::move(kind);
        row.key = std::move(key);
        row.quantity = quantity;
        row.at_us = options_.wall_start.time_since_epoch().count() + at / 1'000;
        rows.push_back(std::move(row));
    }

    void acknowledged(Function function, std::string_view key, std::int64_t begin,
                      std::int64_t end) {
        Recorder recorder(history_);
        const auto operation =
            recorder.invoke(begin, recorder.take_process(), function, "SKU-1", key, 1);
        recorder.ok(end, operation);
    }

    bool finish(Task<Result<void>> task) {
        return world_.finish(std::move(task)).value().has_value();
    }
    bool run_audit() { return finish(audit(world_, shop_, options_, history_)); }

    std::int64_t now() const { return (world_.monotonic() - options_.start).count(); }

    FakeWorld world_;
    FakeShop shop_;
    AuditOptions options_;
    History history_;
    std::map<std::string, std::vector<LedgerRow>> ledgers_;
    int failures_left_ = 0;
    int requests_ = 0;
    std::int64_t first_request_ = -1;

private:
    Task<Result<HttpResponse>> answer(HttpRequest request) {
        ++requests_;
        EXPECT_EQ(request.field("rushproof-position"), "latest");
        if (first_request_ < 0) { first_request_ = now(); }
        co_await sleep_for(world_, milliseconds(1));
        if (failures_left_ > 0) {
            if (--failures_left_ % 2 == 0) { co_return problem_answer(503, "starting"); }
            co_return no_answer();
        }
        if (request.method == "PUT") { co_return stock_of(1); }
        const std::string path = "/api/v1/stock/";
        std::string sku = request.target.substr(path.size());
        const auto slash = sku.find('/');
        if (slash == std::string::npos) {
            if (!ledgers_.contains(sku)) { co_return problem_answer(404, "not-found"); }
            co_return stock_of(4);
        }
        sku.resize(slash);
        co_return page(sku, std::stoll(std::string(request.query("after"))),
                       std::stoll(std::string(request.query("limit"))));
    }

    HttpResponse page(const std::string& sku, std::int64_t after, std::int64_t limit) {
        std::string body = R"({"entries":[)";
        std::int64_t last = after;
        for (const LedgerRow& row : ledgers_[sku]) {
            if (row.number <= after || row.number > after + limit) { continue; }
            if (last != after) { body += ','; }
            last = row.number;
            body += R"({"number":)" + std::to_string(row.number) + R"(,"key":")" + row.key +
                    R"(","kind":")" + row.kind + R"(","quantity":)" + std::to_string(row.quantity) +
                    R"(,"at_us":)" + std::to_string(row.at_us) + '}';
        }
        const bool more = last < static_cast<std::int64_t>(ledgers_[sku].size());
        body += R"(],"next":)" + (more ? std::to_string(last) : "null") + '}';
        return HttpResponse(200, body);
    }
};

TEST_F(AuditTest, WaitsThenReadsStockAndLedgerOfEverySku) {
    options_.skus = {"SKU-1", "SKU-2"};
    row("SKU-1", "stock", "", 20, -5'000'000);
    for (int i = 0; i < 1'200; ++i) {
        row("SKU-1", "reserve", "k" + std::to_string(i), 1, i * 1'000'000);
    }
    row("SKU-2", "stock", "", 7, -4'000'000);
    EXPECT_TRUE(run_audit());
    EXPECT_EQ(first_request_, 60 * second);
    EXPECT_EQ(requests_, 2 + 3 + 1);
    EXPECT_TRUE(history_.audited);
    ASSERT_EQ(history_.ledger.size(), 1'202u);
    EXPECT_EQ(history_.ledger[0].kind, "stock");
    EXPECT_EQ(history_.ledger[0].at, -5'000'000);
    EXPECT_EQ(history_.ledger[0].reservation, no_text);
    for (std::size_t i = 0; i <= 1'200; ++i) {
        EXPECT_EQ(history_.ledger[i].number, static_cast<std::int64_t>(i) + 1);
        EXPECT_EQ(history_.texts.text(history_.ledger[i].key), "SKU-1");
    }
    EXPECT_EQ(history_.texts.text(history_.ledger[1'200].reservation), "k1199");
    ASSERT_EQ(history_.final_stock.size(), 2u);
    EXPECT_EQ(history_.texts.text(history_.final_stock[1].key), "SKU-2");
    EXPECT_EQ(history_.final_stock[1].on_hand, 9);
    EXPECT_TRUE(history_.events.empty());
}

TEST_F(AuditTest, AcknowledgedRowsBoundAllRowsBeforeThem) {
    acknowledged(Function::reserve, "a", 1 * second, 2 * second);
    acknowledged(Function::confirm, "a", 5 * second, 6 * second);
    row("SKU-1", "stock", "", 20, 0);
    row("SKU-1", "reserve", "a", 1, 1'100'000'000);
    row("SKU-1", "reserve", "unknown", 1, 1'200'000'000);
    row("SKU-1", "confirm", "a", 1, 5'500'000'000);
    row("SKU-1", "reserve", "late", 1, 7'000'000'000);
    EXPECT_TRUE(run_audit());
    std::vector<std::int64_t> bounds;
    for (const LedgerEntry& entry : history_.ledger) { bounds.push_back(entry.committed_before); }
    EXPECT_EQ(bounds,
              (std::vector<std::int64_t>{2 * second, 2 * second, 6 * second, 6 * second, now()}));
}

TEST_F(AuditTest, AnAcknowledgedBasketBoundsItsReserves) {
    acknowledged(Function::basket, "b", 1 * second, 2 * second);
    row("SKU-1", "reserve", "b", 1, 1'100'000'000);
    EXPECT_TRUE(run_audit());
    EXPECT_EQ(history_.ledger.at(0).committed_before, 2 * second);
}

TEST_F(AuditTest, ExpirationsStandBetweenTheirBeginAndTheFirstEvidence) {
    history_.clock_bound = 1'000'000;
    acknowledged(Function::reserve, "a", 1 * second, 2 * second);
    acknowledged(Function::reserve, "b", 31 * second, 32 * second);
    row("SKU-1", "stock", "", 1, 0);
    row("SKU-1", "reserve", "a", 1, 1'500'000'000);
    row("SKU-1", "expire", "a", 1, 30 * second);
    row("SKU-1", "reserve", "b", 1, 31 * second);
    EXPECT_TRUE(run_audit());
    EXPECT_EQ(describe(history_), (Lines{
                                      "1000000000 0 invoke reserve SKU-1 a 1",
                                      "2000000000 0 ok reserve SKU-1 a 1",
                                      "29999000000 expiry-0 invoke expire SKU-1 a 1",
                                      "31000000000 0 invoke reserve SKU-1 b 1",
                                      "32000000000 0 ok reserve SKU-1 b 1",
                                      "32000000000 expiry-0 ok expire SKU-1 a 1",
                                  }));
}

TEST_F(AuditTest, ExactCommitTimesAreTakenWhereTheWorldKnowsThem) {
    row("SKU-1", "expire", "a", 1, 30 * second);
    row("SKU-1", "expire", "b", 1, 30 * second + 500);
    row("SKU-1", "expire", "c", 1, 40 * second);
    options_.commit_time = [](std::string_view, std::int64_t number) {
        return number == 2 ? std::nullopt : std::optional(30 * second + number * 2'000);
    };
    EXPECT_TRUE(run_audit());
    const std::string end = std::to_string(now());
    // The second has no exact time; the third is said to have begun after it committed, so the
    // clock was wrong, and it began at the latest when it committed.
    EXPECT_EQ(describe(history_), (Lines{
                                      "30000000000 expiry-0 invoke expire SKU-1 a 1",
                                      "30000000000 expiry-1 invoke expire SKU-1 b 1",
                                      "30000002000 expiry-0 ok expire SKU-1 a 1",
                                      "30000006000 expiry-0 invoke expire SKU-1 c 1",
                                      "30000006000 expiry-0 ok expire SKU-1 c 1",
                                      end + " expiry-1 ok expire SKU-1 b 1",
                                  }));
}

TEST_F(AuditTest, PersistsThroughFailures) {
    row("SKU-1", "stock", "", 20, 0);
    failures_left_ = 9;
    EXPECT_TRUE(run_audit());
    EXPECT_TRUE(history_.audited);
    EXPECT_EQ(requests_, 11);
}

TEST_F(AuditTest, WithoutAllOfTheEvidenceItIsNoAudit) {
    row("SKU-1", "expire", "a", 1, 30 * second);
    failures_left_ = 1'000'000;
    EXPECT_FALSE(run_audit());
    EXPECT_LE(world_.monotonic(), options_.deadline);
    failures_left_ = 0;
    options_.deadline = world_.monotonic() + seconds(60);
    options_.skus = {"SKU-1", "SKU-404"};
    EXPECT_FALSE(run_audit());
    EXPECT_FALSE(history_.audited);
    EXPECT_TRUE(history_.events.empty());
    EXPECT_TRUE(history_.ledger.empty());
}

TEST_F(AuditTest, StockIsSetOncePerSkuAndPersistently) {
    failures_left_ = 3;
    const std::vector<std::pair<std::string, std::int64_t>> stock = {{"SKU-1", 20}, {"SKU-2", 7}};
    EXPECT_TRUE(finish(set_initial_stock(world_, shop_, stock, options_.deadline)));
    EXPECT_EQ(requests_, 5);
    failures_left_ = 1'000'000;
    EXPECT_FALSE(finish(set_initial_stock(world_, shop_, stock, options_.deadline)));
    EXPECT_LE(world_.monotonic(), options_.deadline);
}

}  // namespace
}  // namespace rushproof::simulator
