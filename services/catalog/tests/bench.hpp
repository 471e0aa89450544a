// What the tests of catalog share: its use cases and a real inventory on one database, called
// through a router.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "services/catalog/app/application.hpp"
#include "services/catalog/app/feed.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/catalog_model.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/inventory_model.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::catalog {

inline const Owner alice("alice");

// The tables of both roles, as the simulated system has them.
inline ModelSchema schema_of_both() {
    ModelSchema schema = inventory::model_schema();
    ModelSchema ours = model_schema();
    std::ranges::move(ours.tables, std::back_inserter(schema.tables));
    std::ranges::move(ours.statements, std::back_inserter(schema.statements));
    return schema;
}

class ModelEngine {
public:
    explicit ModelEngine(FakeWorld& world)
        : model_(schema_of_both(), options(world)), database_(model_) {}
    Database& database() { return database_; }

private:
    static simulator::ModelOptions options(FakeWorld& world) {
        simulator::ModelOptions options;
        options.wall = [&world] { return world.wall(); };
        options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
        return options;
    }

    simulator::ModelDatabase model_;
    simulator::DirectDatabase database_;
};

inline Product mug(const std::string& sku = "MUG-1") {
    Product product;
    product.sku = Sku(sku);
    product.name = "Mug";
    product.description = "Holds tea.\nAnd coffee.";
    product.category = "kitchen";
    product.price = {1'250, "EUR"};
    return product;
}

// What the feed knows of a product.
struct Known {
    std::int64_t version = 0;
    std::string kind;
    std::int64_t gaps = 0;

    friend bool operator==(const Known&, const Known&) = default;
};

class Bench {
public:
    // Inventory's database is `inner`: `database` may fail.
    Bench(FakeWorld& world, Database& database, Database& inner)
        : environment{world, world, world, rpc, database, world, world.queues},
          application(environment, 1),
          world_(world),
          inventory_environment_{world, world, world, rpc, inner, world, world.queues} {
        inventory_ = inventory::make_inventory(inventory_environment_, inventory::Options());
        router_.add(inventory_->rpc_methods());
        restore_inventory();
    }

    void restore_inventory() {
        rpc.handler = [this](Context context, std::string method, std::string request) {
            return router_.answer(std::move(context), method, std::move(request));
        };
    }

    Context context(Duration limit = std::chrono::seconds(30)) const {
        return Context(world_.monotonic() + limit);
    }

    Result<Product> create(const std::string& key, Product product = mug()) {
        CreateRequest request{alice, IdempotencyKey(key), std::move(product)};
        return finish(application.create(context(), std::move(request)));
    }
    Result<Product> get(const ProductId& id) { return finish(application.get(context(), id)); }
    Result<Product> patch(const ProductId& id, Patch patch,
                          std::optional<std::int64_t> if_version = std::nullopt) {
        PatchRequest request{id, std::move(patch), if_version};
        return finish(application.patch(context(), std::move(request)));
    }
    Result<Product> rename(const ProductId& id, const std::string& name,
                           std::optional<std::int64_t> if_version = std::nullopt) {
        Patch wish;
        wish.name = name;
        return patch(id, std::move(wish), if_version);
    }
    Result<void> remove(const ProductId& id,
                        std::optional<std::int64_t> if_version = std::nullopt) {
        DeleteRequest request{id, if_version};
        return finish(application.remove(context(), std::move(request)));
    }
    std::vector<Product> list(const std::string& category, const ProductId& after,
                              std::int64_t limit) {
        ProductPage page{category, after, limit};
        return finish(application.list(context(), std::move(page))).value();
    }
    // The reservation's id.
    Result<std::string> reserve(const ProductId& id, std::int64_t quantity,
                                const std::string& key) {
        Context with_key = context();
        with_key.principal = alice.text();
        with_key.idempotency_key = key;
        RP_TRY(const std::string answer,
               finish(application.reserve(std::move(with_key), id, quantity)));
        ::inventory::v1::Reservation reservation;
        EXPECT_TRUE(reservation.ParseFromString(answer));
        return reservation.id();
    }

    // Of inventory itself.
    Result<std::string> ask_inventory(const std::string& method, const std::string& request) {
        Context of_alice = context();
        of_alice.principal = alice.text();
        return finish(
            router_.answer(std::move(of_alice), "inventory.v1.Inventory/" + method, request));
    }
    void set_stock(const std::string& sku, std::int64_t on_hand) {
        ::inventory::v1::SetStockRequest request;
        request.set_sku(sku);
        request.set_on_hand(on_hand);
        EXPECT_TRUE(ask_inventory("SetStock", request.SerializeAsString()));
    }
    std::int64_t on_hand(const std::string& sku) {
        ::inventory::v1::StockRequest request;
        request.set_sku(sku);
        ::inventory::v1::Stock stock;
        EXPECT_TRUE(
            stock.ParseFromString(ask_inventory("GetStock", request.SerializeAsString()).value()));
        return stock.on_hand();
    }
    void release(const std::string& reservation) {
        ::inventory::v1::ReservationRequest request;
        request.set_id(reservation);
        EXPECT_TRUE(ask_inventory("Release", request.SerializeAsString()));
    }

    // Delivers everything that lies in the outbox; the events as they came.
    std::vector<OutboxEvent> deliver() {
        std::vector<OutboxEvent> seen;
        TakeEvents take = [&](Context context, std::vector<OutboxEvent> events) {
            seen.insert(seen.end(), events.begin(), events.end());
            return add_to_feed(inventory_environment_.database, std::move(context),
                               std::move(events));
        };
        OutboxRelay relay(inventory_environment_, statements::outbox().for_relay(), "test",
                          all_or_none(std::move(take)));
        EXPECT_TRUE(finish(relay.prepare(context())));
        while (finish(relay.deliver_some(context())).value() > 0) {}
        return seen;
    }
    std::optional<Known> known_of(const ProductId& id) {
        auto calls = pipeline(product_call(statements::read_feed, id));
        const auto found =
            finish(read_only(inventory_environment_.database, context(), std::move(calls))).value();
        if (found[0].rows.empty()) { return std::nullopt; }
        const Row& row = found[0].rows[0];
        return Known{integer(row, 0), text(row, 1), integer(row, 2)};
    }

    template <class T>
    T finish(Task<T> task) {
        return world_.finish(std::move(task)).value();
    }

    FakeRpc rpc;
    Environment environment;
    Application application;

private:
    FakeWorld& world_;
    Environment inventory_environment_;
    std::unique_ptr<Service> inventory_;
    RpcRouter router_{world_};
};

}  // namespace rushproof::catalog
