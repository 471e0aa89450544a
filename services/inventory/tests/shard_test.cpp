// Goal: an inventory answers for its own shard only, whatever it is asked.
// Method: one of two shards on the model database, called as a gateway with a wrong map would.
#include <gtest/gtest.h>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/rpc_router.hpp"
#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

namespace wire = ::inventory::v1;

class ShardTest : public testing::Test {
protected:
    ShardTest() { router_.add(service_->rpc_methods()); }

    static Options options() {
        Options options;
        options.shard = {1, 2};
        return options;
    }

    // One that this shard keeps, or the other.
    static std::string sku_of(std::uint32_t shard) {
        std::string sku = "SKU";
        while (shard_of_key(sku, 2) != shard) { sku += '-'; }
        return sku;
    }

    template <class Request>
    std::string call(const std::string& method, const Request& request) {
        Context context(MonotonicTime::max());
        context.principal = "alice";
        context.idempotency_key = "k-" + std::to_string(++keys_);
        last_ = *fake_.world.finish(router_.answer(
            std::move(context), "inventory.v1.Inventory/" + method, request.SerializeAsString()));
        return last_ ? "ok" : std::string(last_.error().code());
    }

    std::string set_stock(const std::string& sku) {
        wire::SetStockRequest request;
        request.set_sku(sku);
        request.set_on_hand(5);
        return call("SetStock", request);
    }

    FakeEnvironment fake_;
    ModelEngine engine_{fake_.world};
    Environment environment_{fake_.world,        fake_.world, fake_.world,       fake_.rpc,
                             engine_.database(), fake_.world, fake_.world.queues};
    std::unique_ptr<Service> service_ = make_inventory(environment_, options());
    RpcRouter router_{fake_.world};
    Result<std::string> last_ = std::string();
    int keys_ = 0;
    const std::string own_ = sku_of(1);
    const std::string foreign_ = sku_of(2);
};

TEST_F(ShardTest, ItsOwnIsServed) {
    EXPECT_EQ(set_stock(own_), "ok");
    wire::ReserveRequest reserve;
    reserve.set_sku(own_);
    reserve.set_quantity(2);
    ASSERT_EQ(call("Reserve", reserve), "ok");
    wire::Reservation made;
    made.ParseFromString(*last_);
    EXPECT_EQ(shard_of_uuid(made.id(), 2), 1U);
    wire::ReservationRequest confirm;
    confirm.set_id(made.id());
    EXPECT_EQ(call("Confirm", confirm), "ok");
}

TEST_F(ShardTest, WhatAnotherKeepsIsRefused) {
    EXPECT_EQ(set_stock(foreign_), "wrong-shard");
    wire::ReserveRequest reserve;
    reserve.set_sku(foreign_);
    reserve.set_quantity(1);
    EXPECT_EQ(call("Reserve", reserve), "wrong-shard");
    wire::BasketRequest basket;
    for (const std::string& sku : {own_, foreign_}) {
        wire::Line& line = *basket.add_lines();
        line.set_sku(sku);
        line.set_quantity(1);
    }
    EXPECT_EQ(call("ReserveBasket", basket), "wrong-shard");
    wire::AdjustStockRequest adjust;
    adjust.set_sku(foreign_);
    adjust.set_change(1);
    EXPECT_EQ(call("AdjustStock", adjust), "wrong-shard");
    wire::AdjustStocksRequest adjust_both;
    for (const std::string& sku : {own_, foreign_}) {
        wire::AdjustStockRequest& line = *adjust_both.add_lines();
        line.set_sku(sku);
        line.set_change(1);
    }
    EXPECT_EQ(call("AdjustStocks", adjust_both), "wrong-shard");
    wire::StockRequest stock;
    stock.set_sku(foreign_);
    EXPECT_EQ(call("GetStock", stock), "wrong-shard");
    wire::LedgerRequest ledger;
    ledger.set_sku(foreign_);
    EXPECT_EQ(call("GetLedger", ledger), "wrong-shard");
    wire::ListReservationsRequest list;
    list.set_sku(foreign_);
    EXPECT_EQ(call("ListReservations", list), "wrong-shard");
    wire::ReservationRequest of_other;
    of_other.set_id(new_uuid({2, 2}, fake_.world));
    for (const char* method : {"GetReservation", "Confirm", "Release", "Extend"}) {
        EXPECT_EQ(call(method, of_other), "wrong-shard") << method;
    }
}

// No shard gave such an identifier out, so no other one needs to be asked.
TEST_F(ShardTest, WhatNobodyKeepsIsNotFound) {
    wire::ReservationRequest request;
    request.set_id(new_uuid({9, 9}, fake_.world));
    EXPECT_EQ(call("GetReservation", request), "not-found");
}

}  // namespace
}  // namespace rushproof::inventory
