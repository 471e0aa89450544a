// Goal: baskets are held whole or not at all; extending, restocking, lists and events of low stock
// keep their contracts, with every strategy, on the model database and on our SQL alike.
// Method: as use_case_test; the outbox is read before anybody delivers it.
#include <gtest/gtest.h>

#include <algorithm>

#include "services/inventory/app/feed.hpp"
#include "services/inventory/store/statements_outbox.hpp"
#include "services/inventory/tests/engines.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;

const Sku sku_b("SKU-B");
const Sku sku_c("SKU-C");

Options low_at_three() {
    Options options;
    options.low_stock = Quantity(3);
    return options;
}

class Baskets : public OnEveryEngine {
protected:
    Baskets() : OnEveryEngine(low_at_three()) {}

    Result<Reservation> basket(const std::string& key, std::vector<Line> lines) {
        ReserveRequest request{alice, IdempotencyKey(key), merge_lines(std::move(lines))};
        return *world_.finish(bench_.application.reserve(bench_.context(), std::move(request)));
    }
    Result<Stock> adjust(const std::string& key, std::int64_t change, const Sku& sku = sku_a) {
        Adjustment adjustment{alice, IdempotencyKey(key), {Line{sku, Quantity(change)}}};
        const auto stocks =
            *world_.finish(bench_.application.adjust(bench_.context(), std::move(adjustment)));
        if (!stocks) { return failure(stocks.error()); }
        return stocks->front();
    }
    Result<Reservation> extend(const ReservationId& id, const Owner& owner = alice) {
        return *world_.finish(bench_.application.extend(bench_.context(), id, owner));
    }
    std::string audit() {
        std::string wrong;
        for (const Sku& sku : {sku_a, sku_b, sku_c}) {
            if (bench_.stock(sku)) { wrong += bench_.audit(sku); }
        }
        return wrong;
    }

    // Delivers everything that lies in the outbox; the events' kinds, SKU by SKU.
    std::vector<std::string> deliver() {
        std::vector<std::string> kinds;
        TakeEvents take = [&](Context context, std::vector<OutboxEvent> events) {
            for (const OutboxEvent& event : events) {
                kinds.push_back(event.aggregate + ' ' + event.kind);
            }
            return add_to_feed(database(), std::move(context), std::move(events));
        };
        OutboxRelay relay(bench_.environment, statements::outbox::for_relay(), "test",
                          all_or_none(std::move(take)));
        EXPECT_TRUE(*world_.finish(relay.prepare(bench_.context())));
        while (**world_.finish(relay.deliver_some(bench_.context())) > 0) {}
        std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
            return a.substr(0, a.find(' ')) < b.substr(0, b.find(' '));
        });
        return kinds;
    }
};

INSTANTIATE_TEST_SUITE_P(All, Baskets, every_engine_and_strategy(), &name_of);

TEST_P(Baskets, AreHeldWholeOrNotAtAll) {
    bench_.set_stock(5, sku_a);
    bench_.set_stock(2, sku_b);
    const auto refused = basket("k1", {{sku_a, Quantity(3)}, {sku_b, Quantity(3)}});
    EXPECT_EQ(refused.error().code(), "insufficient-stock");
    EXPECT_EQ(refused.error().message(), "SKU-B: not enough is available");
    EXPECT_EQ(basket("k1", {{sku_a, Quantity(3)}, {sku_c, Quantity(1)}}).error().message(),
              "SKU-C: no such SKU");
    EXPECT_EQ(bench_.stock(sku_a)->held, Quantity(0));
    const auto held = basket("k2", {{sku_b, Quantity(2)}, {sku_a, Quantity(3)}});
    ASSERT_TRUE(held);
    EXPECT_EQ(held->lines, (std::vector{Line{sku_a, Quantity(3)}, Line{sku_b, Quantity(2)}}));
    EXPECT_EQ(bench_.stock(sku_a)->held, Quantity(3));
    EXPECT_EQ(bench_.stock(sku_b)->held, Quantity(2));
    const auto again = basket("k2", {{sku_a, Quantity(3)}, {sku_b, Quantity(2)}});
    EXPECT_EQ(again->id, held->id);
    EXPECT_EQ(again->lines, held->lines);
    EXPECT_EQ(basket("k2", {{sku_a, Quantity(3)}}).error().code(), "key-reused");
    EXPECT_EQ(bench_.get(held->id)->lines, held->lines);
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, TheSameSkuTwiceAddsUp) {
    bench_.set_stock(5);
    EXPECT_EQ(basket("k1", {{sku_a, Quantity(3)}, {sku_a, Quantity(3)}}).error().code(),
              "insufficient-stock");
    EXPECT_EQ(basket("k2", {{sku_a, Quantity(2)}, {sku_a, Quantity(3)}})->lines,
              (std::vector{Line{sku_a, Quantity(5)}}));
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, EndWhole) {
    for (const Sku& sku : {sku_a, sku_b, sku_c}) { bench_.set_stock(10, sku); }
    const std::vector<Line> lines{{sku_a, Quantity(1)}, {sku_b, Quantity(2)}, {sku_c, Quantity(3)}};
    EXPECT_EQ(bench_.confirm(basket("k1", lines)->id)->lines, lines);
    EXPECT_EQ(bench_.stock(sku_c)->sold, Quantity(3));
    EXPECT_EQ(bench_.release(basket("k2", lines)->id)->lines, lines);
    const ReservationId id = basket("k3", lines)->id;
    world_.run_for(minutes(11));
    EXPECT_EQ(bench_.expire(), 3u);
    EXPECT_EQ(bench_.get(id)->state, State::expired);
    EXPECT_EQ(bench_.stock(sku_b)->held, Quantity(0));
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, ASweepLeavesNoneHalf) {
    bench_.set_stock(10'000, sku_a);
    bench_.set_stock(10'000, sku_b);
    const std::vector<Line> lines{{sku_a, Quantity(1)}, {sku_b, Quantity(1)}};
    bench_.reserve("single", 1);
    std::vector<ReservationId> ids;
    for (int i = 0; i < 60; ++i) { ids.push_back(basket("k" + std::to_string(i), lines)->id); }
    world_.run_for(minutes(11));
    std::size_t expired = 0;
    for (std::size_t some = 1; some > 0; expired += some) {
        some = *bench_.expire();
        const std::int64_t difference =
            bench_.stock(sku_a)->held.units() - bench_.stock(sku_b)->held.units();
        EXPECT_TRUE(difference == 0 || difference == 1) << difference;  // the single one
    }
    EXPECT_EQ(expired, 121u);
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, ExtendingBeginsTheTimeAnew) {
    bench_.set_stock(5);
    const ReservationId id = bench_.reserve("k", 2)->id;
    world_.run_for(minutes(9));
    EXPECT_EQ(extend(id)->time_left, minutes(10));
    world_.run_for(minutes(9));
    EXPECT_EQ(bench_.expire(), 0u);
    EXPECT_EQ(bench_.get(id)->time_left, minutes(1));
    EXPECT_EQ(extend(id, Owner("bob")).error().code(), "not-found");
    world_.run_for(minutes(1));
    EXPECT_EQ(extend(id).error().code(), "not-held");
    EXPECT_EQ(bench_.expire(), 1u);
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, NobodyExtendsForEver) {
    bench_.set_stock(5);
    const auto reservation = bench_.reserve("k", 2);
    for (int i = 0; i < 200; ++i) {
        world_.run_for(minutes(9));
        if (!extend(reservation->id)) { break; }
    }
    EXPECT_EQ(bench_.get(reservation->id)->expires_at - reservation->expires_at + minutes(10),
              limits::reservation_ttl);
}

TEST_P(Baskets, AdjustingIsRelativeAndHappensOnce) {
    EXPECT_EQ(adjust("k0", 5).error().code(), "not-found");
    bench_.set_stock(5);
    EXPECT_EQ(adjust("k1", 5)->on_hand, Quantity(10));
    EXPECT_EQ(adjust("k1", 5)->on_hand, Quantity(10));
    EXPECT_EQ(adjust("k1", 6).error().code(), "key-reused");
    bench_.reserve("r", 6);
    EXPECT_EQ(adjust("k2", -5).error().code(), "conflict");
    EXPECT_EQ(adjust("k3", -4)->on_hand, Quantity(6));
    EXPECT_EQ(bench_.stock()->available(), Quantity(0));
    EXPECT_EQ(adjust("k1", 5)->on_hand, Quantity(10));  // as it was answered first
    EXPECT_EQ(audit(), "");
}

TEST_P(Baskets, ListsComeInPages) {
    for (const Sku& sku : {sku_c, sku_a, sku_b}) { bench_.set_stock(10, sku); }
    for (int i = 0; i < 5; ++i) { bench_.reserve("k" + std::to_string(i), 1); }
    const auto pair = basket("pair", {{sku_b, Quantity(1)}, {sku_c, Quantity(1)}});
    bench_.confirm(bench_.reserve("sold", 1)->id);

    ReservationPage page{alice, {}, {}, {}, {}, 3};
    std::vector<std::pair<std::string, std::string>> seen;
    for (bool more = true; more;) {
        const auto items =
            *world_.finish(bench_.application.list_reservations(bench_.context(), page));
        for (const Reservation& item : *items) {
            seen.emplace_back(item.id.text(), item.lines.at(0).sku.text());
        }
        more = items->size() == 3;
        if (more) {
            page.after_id = items->back().id;
            page.after_sku = items->back().lines[0].sku;
        }
    }
    EXPECT_EQ(seen.size(), 8u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));

    const auto count = [&](const Owner& owner, const Sku& sku, const std::string& state) {
        return (*world_.finish(bench_.application.list_reservations(
                    bench_.context(), ReservationPage{owner, sku, state, {}, {}, 100})))
            ->size();
    };
    EXPECT_EQ(count(alice, sku_a, ""), 6u);
    EXPECT_EQ(count(alice, sku_a, "confirmed"), 1u);
    EXPECT_EQ(count(alice, sku_b, "held"), 1u);
    EXPECT_EQ(count(Owner("bob"), {}, ""), 0u);

    const auto stocks =
        *world_.finish(bench_.application.list_stock(bench_.context(), StockPage{sku_a, 1}));
    ASSERT_EQ(stocks->size(), 1u);
    EXPECT_EQ(stocks->front().first, sku_b);
    EXPECT_EQ(stocks->front().second.held, Quantity(1));
}

TEST_P(Baskets, StockBecomesLowOncePerCrossing) {
    bench_.set_stock(4);
    const auto first = bench_.reserve("k1", 2);  // 2 are left: low
    bench_.reserve("k2", 1);                     // still low
    bench_.release(first->id);                   // 3 are left: not low any more
    bench_.reserve("k3", 1);                     // low again
    EXPECT_EQ(deliver(), (std::vector<std::string>{"SKU-A stock.changed", "SKU-A stock.reserved",
                                                   "SKU-A stock.low", "SKU-A stock.reserved",
                                                   "SKU-A stock.released", "SKU-A stock.reserved",
                                                   "SKU-A stock.low"}));
    EXPECT_TRUE(deliver().empty());
}

TEST_P(Baskets, EveryChangeIsAnEvent) {
    bench_.set_stock(10, sku_a);
    bench_.set_stock(10, sku_b);
    const std::vector<Line> lines{{sku_a, Quantity(1)}, {sku_b, Quantity(2)}};
    bench_.confirm(basket("k1", lines)->id);
    basket("k2", lines);
    world_.run_for(minutes(11));
    bench_.expire();
    adjust("k3", 5, sku_b);
    EXPECT_EQ(deliver(),
              (std::vector<std::string>{
                  "SKU-A stock.changed", "SKU-A stock.reserved", "SKU-A stock.confirmed",
                  "SKU-A stock.reserved", "SKU-A stock.expired", "SKU-B stock.changed",
                  "SKU-B stock.reserved", "SKU-B stock.confirmed", "SKU-B stock.reserved",
                  "SKU-B stock.expired", "SKU-B stock.changed"}));
}

TEST(Feed, CountsOnceWhatComesTwiceAtOnce) {
    FakeWorld world;
    MemorySqlite database([&world] { return world.wall(); });
    const OutboxEvent reserved{7, "id-7", "SKU-A", "stock.reserved", R"({"quantity":2})"};
    const OutboxEvent released{8, "id-8", "SKU-A", "stock.released", R"({"quantity":1})"};
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(*world.finish(add_to_feed(database, Context(world.monotonic()),
                                              {reserved, reserved, released, reserved})));
    }
    sqlite3_stmt* read = nullptr;
    sqlite3_prepare_v2(database.connection(), "SELECT held, disorder FROM feed", -1, &read,
                       nullptr);
    ASSERT_EQ(sqlite3_step(read), SQLITE_ROW);
    EXPECT_EQ(sqlite3_column_int64(read, 0), 1);
    EXPECT_EQ(sqlite3_column_int64(read, 1), 0);
    sqlite3_finalize(read);
}

}  // namespace
}  // namespace rushproof::inventory
