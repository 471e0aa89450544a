// Goal: the public API as a client sees it: gateway and inventory together on the model database.
// Method: requests through the routers of both, no network in between.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/gateway/gateway.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/inventory_model.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;

class PublicApi : public testing::Test {
protected:
    PublicApi() {
        http_.add(gateway_->http_routes());
        rpc_.add(inventory_->rpc_methods());
        fake_.rpc.handler = [this](Context context, std::string method, std::string request) {
            return rpc_.answer(std::move(context), method, std::move(request));
        };
    }

    HttpResponse send(std::string method, std::string target, std::string body = {},
                      std::string key = {}) {
        HttpRequest request(std::move(method), std::move(target), std::move(body));
        if (!key.empty()) { request.fields.emplace_back("idempotency-key", std::move(key)); }
        request.fields.emplace_back("x-owner", owner_);
        return *fake_.world.finish(http_.answer(Context(MonotonicTime::max()), std::move(request)));
    }
    static std::string text_of(const HttpResponse& response, std::string_view member) {
        return std::string(json::parse(response.body).at(member).as_string());
    }

    static simulator::ModelOptions model_options(FakeWorld& world) {
        simulator::ModelOptions options;
        options.wall = [&world] { return world.wall(); };
        return options;
    }

    FakeEnvironment fake_;
    simulator::ModelDatabase model_{inventory::model_schema(), model_options(fake_.world)};
    simulator::DirectDatabase database_{model_};
    Environment inventory_environment_{fake_.world, fake_.world, fake_.world,       fake_.rpc,
                                       database_,   fake_.world, fake_.world.queues};
    std::unique_ptr<Service> inventory_ =
        inventory::make_inventory(inventory_environment_, inventory::Options());
    std::unique_ptr<Service> gateway_ = make_gateway(fake_.environment, Options());
    RpcRouter rpc_{fake_.world};
    HttpRouter http_{fake_.world};
    std::string owner_ = "alice";
};

TEST_F(PublicApi, AReservationsLife) {
    EXPECT_EQ(send("GET", "/api/v1/stock/SKU-1").status, 404);
    EXPECT_EQ(send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":3})").status, 200);

    const std::string body = R"({"sku":"SKU-1","quantity":2})";
    const HttpResponse made = send("POST", "/api/v1/reservations", body, "k-1");
    ASSERT_EQ(made.status, 201);
    const std::string path = "/api/v1/reservations/" + text_of(made, "id");
    EXPECT_EQ(text_of(send("GET", path), "state"), "held");

    const HttpResponse refused = send("POST", "/api/v1/reservations", body, "k-2");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(text_of(refused, "code"), "insufficient-stock");

    const HttpResponse confirmed = send("POST", path + "/confirm");
    EXPECT_EQ(confirmed.status, 200);
    EXPECT_EQ(text_of(confirmed, "state"), "confirmed");
    EXPECT_EQ(send("POST", path + "/confirm").body, confirmed.body);
    EXPECT_EQ(text_of(send("POST", path + "/release"), "code"), "not-held");

    const HttpResponse replayed = send("POST", "/api/v1/reservations", body, "k-1");
    EXPECT_EQ(replayed.status, made.status);
    EXPECT_EQ(replayed.body, made.body);

    const json::value ledger = json::parse(send("GET", "/api/v1/stock/SKU-1/ledger").body);
    ASSERT_EQ(ledger.at("entries").as_array().size(), 3u);
    EXPECT_EQ(ledger.at("entries").at(2).at("kind").as_string(), "confirm");
    EXPECT_EQ(ledger.at("entries").at(2).at("key").as_string(), "k-1");
}

TEST_F(PublicApi, RefusalsAreProblemsThatNameTheMember) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"sku":"SKU-1","quantity":0})", "quantity must be from 1 to 10000"},
        {R"({"sku":"a b","quantity":1})", "sku has a character that is not allowed"},
    };
    for (const auto& [body, detail] : cases) {
        const HttpResponse response = send("POST", "/api/v1/reservations", body, "k");
        EXPECT_EQ(response.status, 422);
        EXPECT_EQ(text_of(response, "detail"), detail);
    }
    send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":3})");
    send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":1})", "k");
    const HttpResponse reused =
        send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":2})", "k");
    EXPECT_EQ(reused.status, 422);
    EXPECT_EQ(text_of(reused, "code"), "key-reused");
}

TEST_F(PublicApi, ABasketsLife) {
    send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":3})");
    send("PUT", "/api/v1/stock/SKU-2", R"({"on_hand":3})");
    const std::string body =
        R"({"lines":[{"sku":"SKU-2","quantity":1},{"sku":"SKU-1","quantity":2}]})";
    const HttpResponse made = send("POST", "/api/v1/baskets", body, "k-1");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(send("POST", "/api/v1/baskets", body, "k-1").body, made.body);
    const HttpResponse refused = send("POST", "/api/v1/baskets", body, "k-2");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(text_of(refused, "detail"), "SKU-1: not enough is available");
    const std::string path = "/api/v1/reservations/" + text_of(made, "id");
    EXPECT_EQ(send("POST", path + "/extend").status, 200);
    EXPECT_EQ(json::parse(send("GET", path).body).at("lines").as_array().size(), 2u);
    const json::value page = json::parse(send("GET", "/api/v1/reservations?limit=1").body);
    const std::string next(page.at("next").as_string());
    EXPECT_EQ(json::parse(send("GET", "/api/v1/reservations?limit=2&after=" + next).body)
                  .at("items")
                  .as_array()
                  .size(),
              1u);
    EXPECT_EQ(send("POST", path + "/confirm").status, 200);
    EXPECT_EQ(json::parse(send("GET", "/api/v1/stock").body).at("items").at(0).at("sold"), 2);
    EXPECT_EQ(send("POST", "/api/v1/stock/SKU-2/adjustments", R"({"change":-2})", "a").status, 200);
    EXPECT_EQ(send("POST", "/api/v1/stock/SKU-2/adjustments", R"({"change":-2})", "b").status, 409);
}

TEST_F(PublicApi, SeveralStocksAreAdjustedAsOne) {
    const std::string path = "/api/v1/stock/adjustments";
    send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":3})");
    send("PUT", "/api/v1/stock/SKU-2", R"({"on_hand":3})");
    const std::string body =
        R"({"lines":[{"sku":"SKU-2","change":-3},{"sku":"SKU-1","change":2}]})";
    const HttpResponse done = send("POST", path, body, "k");
    ASSERT_EQ(done.status, 200) << done.body;
    const json::value items = json::parse(done.body).at("items");
    EXPECT_EQ(items.at(0).at("sku"), "SKU-1");
    EXPECT_EQ(items.at(0).at("on_hand"), 5);
    EXPECT_EQ(items.at(1).at("on_hand"), 0);
    EXPECT_EQ(send("POST", path, body, "k").body, done.body);
    const HttpResponse refused = send("POST", path, body, "l");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(json::parse(send("GET", "/api/v1/stock/SKU-1").body).at("on_hand"), 5);
    const std::pair<const char*, const char*> cases[] = {
        {R"({"lines":[]})", "lines must have 1 to 500 elements"},
        {R"({"lines":[{"sku":"A","change":1},{"sku":"B","change":0}]})",
         "lines[1].change must not be 0"},
        {R"({"lines":[{"sku":"A","change":1},{"sku":"A","change":1}]})",
         "lines has A more than once: add its changes up"},
    };
    for (const auto& [wrong, detail] : cases) {
        const HttpResponse response = send("POST", path, wrong, "m");
        EXPECT_EQ(response.status, 422);
        EXPECT_EQ(text_of(response, "detail"), detail);
    }
}

TEST_F(PublicApi, BadBasketsAreToldWhereAndWhy) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"lines":[]})", "lines must have 1 to 50 elements"},
        {R"({"lines":[{"sku":"A","quantity":1},{"sku":"B","quantity":0}]})",
         "lines[1].quantity must be from 1 to 10000"},
        {R"({"lines":[{"sku":"A","quantity":9000},{"sku":"A","quantity":9000}]})",
         "the quantities of A add up to more than 10000"},
    };
    for (const auto& [body, detail] : cases) {
        const HttpResponse response = send("POST", "/api/v1/baskets", body, "k");
        EXPECT_EQ(response.status, 422);
        EXPECT_EQ(text_of(response, "detail"), detail);
    }
}

TEST_F(PublicApi, OwnersSeeTheirOwnReservationsOnly) {
    send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":3})");
    const HttpResponse made =
        send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":1})", "k");
    owner_ = "bob";
    EXPECT_EQ(send("GET", "/api/v1/reservations/" + text_of(made, "id")).status, 404);
    EXPECT_EQ(send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":1})", "k").status,
              201);
}

TEST_F(PublicApi, BothAreReady) {
    const Context context(fake_.world.monotonic() + std::chrono::seconds(1));
    EXPECT_EQ(fake_.world.finish(inventory_->ready(context)), true);
    EXPECT_EQ(fake_.world.finish(gateway_->ready(context)), true);
}

}  // namespace
}  // namespace rushproof::gateway
