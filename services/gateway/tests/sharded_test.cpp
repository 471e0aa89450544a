// Goal: SKUs spread over two databases look like one shop, and a gateway that is wrong about the
// map sells nothing.  Method: gateway and two inventories on a model database each.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/shard.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/gateway/gateway.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/inventory_model.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;

simulator::ModelOptions model_options(FakeWorld& world) {
    simulator::ModelOptions options;
    options.wall = [&world] { return world.wall(); };
    return options;
}

inventory::Options of_shard(std::uint32_t number) {
    inventory::Options options;
    options.shard = {number, 2};
    return options;
}

struct Keeper {
    Keeper(FakeWorld& world, Rpc& rpc, std::uint32_t number)
        : model(inventory::model_schema(), model_options(world)),
          database(model),
          environment{world, world, world, rpc, database, world, world.queues},
          service(inventory::make_inventory(environment, of_shard(number))),
          router(world) {
        router.add(service->rpc_methods());
    }
    simulator::ModelDatabase model;
    simulator::DirectDatabase database;
    Environment environment;
    std::unique_ptr<Service> service;
    RpcRouter router;
};

// Which inventory each group means.
class Groups final : public Rpc {
public:
    explicit Groups(std::vector<const RpcRouter*> groups) : groups_(std::move(groups)) {}
    Task<Result<std::string>> call(Context context, RpcTarget target,
                                   std::string request) override {
        return groups_.at(target.group - 1)
            ->answer(std::move(context), target.method, std::move(request));
    }

private:
    std::vector<const RpcRouter*> groups_;
};

// A gateway with a map of its own.
struct Door {
    Door(FakeWorld& world, Database& none, std::vector<const RpcRouter*> map)
        : shards(static_cast<std::uint32_t>(map.size())),
          groups(std::move(map)),
          environment{world, world, world, groups, none, world, world.queues},
          service(make_gateway(environment, options())),
          router(world) {
        router.add(service->http_routes());
    }
    Options options() const {
        Options result;
        result.shards = shards;
        return result;
    }
    std::uint32_t shards;
    Groups groups;
    Environment environment;
    std::unique_ptr<Service> service;
    HttpRouter router;
};

class ShardedShop : public testing::Test {
protected:
    HttpResponse send(Door& door, std::string method, const std::string& target,
                      std::string body = {}) {
        const auto query = target.find('?');
        HttpRequest request(std::move(method), target.substr(0, query), std::move(body));
        if (query != target.npos) { add_queries(request, target.substr(query + 1)); }
        request.fields.emplace_back("idempotency-key", "k-" + std::to_string(++keys_));
        request.fields.emplace_back("x-owner", "alice");
        return *fake_.world.finish(
            door.router.answer(Context(MonotonicTime::max()), std::move(request)));
    }
    static void add_queries(HttpRequest& request, const std::string& text) {
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('&', begin), text.size());
            const std::string pair = text.substr(begin, end - begin);
            request.queries.emplace_back(pair.substr(0, pair.find('=')),
                                         pair.substr(pair.find('=') + 1));
            begin = end + 1;
        }
    }
    static std::string text_of(const HttpResponse& response, std::string_view member) {
        return std::string(json::parse(response.body).at(member).as_string());
    }

    HttpResponse set_stock(Door& door, const std::string& sku, int on_hand) {
        return send(door, "PUT", "/api/v1/stock/" + sku,
                    R"({"on_hand":)" + std::to_string(on_hand) + "}");
    }
    HttpResponse reserve(Door& door, const std::string& sku, int quantity = 1) {
        return send(door, "POST", "/api/v1/reservations",
                    R"({"sku":")" + sku + R"(","quantity":)" + std::to_string(quantity) + "}");
    }
    // Everything that a list has, page after page.
    std::vector<std::string> pages(const std::string& list, const std::string& member) {
        std::vector<std::string> items;
        std::string after;
        do {
            const HttpResponse page = send(right_, "GET", list + "?limit=2&after=" + after);
            EXPECT_EQ(page.status, 200);
            const json::value parsed = json::parse(page.body);
            EXPECT_LE(parsed.at("items").as_array().size(), 2U);
            for (const json::value& item : parsed.at("items").as_array()) {
                items.emplace_back(item.at(member).as_string());
            }
            const json::value* next = parsed.as_object().if_contains("next");
            after = next == nullptr ? std::string() : std::string(next->as_string());
        } while (!after.empty());
        return items;
    }
    std::size_t stocks_in(const Keeper& keeper) {
        return keeper.model.committed_rows("stock").size();
    }

    FakeEnvironment fake_;
    Keeper first_{fake_.world, fake_.rpc, 1};
    Keeper second_{fake_.world, fake_.rpc, 2};
    Door right_{fake_.world, fake_.absent_database, {&first_.router, &second_.router}};
    Door swapped_{fake_.world, fake_.absent_database, {&second_.router, &first_.router}};
    Door unaware_{fake_.world, fake_.absent_database, {&first_.router}};
    Door of_three_{
        fake_.world, fake_.absent_database, {&first_.router, &second_.router, &first_.router}};
    int keys_ = 0;
};

TEST_F(ShardedShop, EachSkuIsInOneDatabaseAndItsReservationsAreFound) {
    for (int i = 0; i < 8; ++i) {
        const std::string sku = "SKU-" + std::to_string(i);
        ASSERT_EQ(set_stock(right_, sku, 3).status, 200);
        const HttpResponse made = reserve(right_, sku, 2);
        ASSERT_EQ(made.status, 201);
        EXPECT_EQ(reserve(right_, sku, 2).status, 409);
        const std::string path = "/api/v1/reservations/" + text_of(made, "id");
        EXPECT_EQ(text_of(send(right_, "GET", path), "state"), "held");
        EXPECT_EQ(text_of(send(right_, "POST", path + "/confirm"), "state"), "confirmed");
        EXPECT_EQ(json::parse(send(right_, "GET", "/api/v1/stock/" + sku).body).at("sold"), 2);
    }
    EXPECT_EQ(stocks_in(first_) + stocks_in(second_), 8U);
    EXPECT_GT(stocks_in(first_), 0U);
    EXPECT_GT(stocks_in(second_), 0U);
    EXPECT_EQ(send(right_, "GET", "/api/v1/reservations/" + new_uuid({2, 2}, fake_.world)).status,
              404);
    EXPECT_EQ(send(right_, "GET", "/api/v1/reservations/not-an-id").status, 404);
}

TEST_F(ShardedShop, ListsHaveOneOrderAcrossShards) {
    std::vector<std::string> skus;
    std::set<std::string> ids;
    for (int i = 0; i < 9; ++i) {
        skus.push_back("SKU-" + std::to_string(i));
        set_stock(right_, skus.back(), 3);
        ids.insert(text_of(reserve(right_, skus.back()), "id"));
    }
    EXPECT_EQ(pages("/api/v1/stock", "sku"), skus);
    EXPECT_EQ(pages("/api/v1/reservations", "id"),
              std::vector<std::string>(ids.begin(), ids.end()));
    const HttpResponse of_one = send(right_, "GET", "/api/v1/reservations?sku=SKU-4");
    EXPECT_EQ(json::parse(of_one.body).at("items").as_array().size(), 1U);
}

TEST_F(ShardedShop, ABasketIsOfOneShardOrRefusedWithItsGroups) {
    std::vector<std::string> here;
    std::string there;
    for (int i = 0; here.size() < 2 || there.empty(); ++i) {
        const std::string sku = "SKU-" + std::to_string(i);
        set_stock(right_, sku, 3);
        if (shard_of_key(sku, 2) == 1) {
            here.push_back(sku);
        } else {
            there = sku;
        }
    }
    const auto basket = [&](const std::string& a, const std::string& b) {
        return send(right_, "POST", "/api/v1/baskets",
                    R"({"lines":[{"sku":")" + a + R"(","quantity":1},{"sku":")" + b +
                        R"(","quantity":1}]})");
    };
    EXPECT_EQ(basket(here[0], here[1]).status, 201);
    const HttpResponse refused = basket(here[0], there);
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(text_of(refused, "code"), "spans-shards");
    EXPECT_NE(text_of(refused, "detail").find("[" + here[0] + "] [" + there + "]"),
              std::string::npos);
    EXPECT_EQ(json::parse(send(right_, "GET", "/api/v1/stock/" + there).body).at("held"), 0);

    const auto adjust = [&](const std::string& a, const std::string& b) {
        return send(
            right_, "POST", "/api/v1/stock/adjustments",
            R"({"lines":[{"sku":")" + a + R"(","change":1},{"sku":")" + b + R"(","change":1}]})");
    };
    EXPECT_EQ(adjust(here[0], here[1]).status, 200);
    EXPECT_EQ(text_of(adjust(here[0], there), "code"), "spans-shards");
}

// Gateways with different maps serve at once: every unit is sold by the database that has it, or
// not at all.
TEST_F(ShardedShop, WrongMapsSellNothingTwice) {
    for (int i = 0; i < 8; ++i) {
        const std::string sku = "SKU-" + std::to_string(i);
        ASSERT_EQ(set_stock(right_, sku, 3).status, 200);
        EXPECT_EQ(set_stock(swapped_, sku, 3).status, 421);
        int sold = 0;
        for (Door* door :
             {&swapped_, &right_, &of_three_, &unaware_, &right_, &of_three_, &unaware_, &right_}) {
            const HttpResponse response = reserve(*door, sku);
            if (response.status == 201) { ++sold; }
            if (door == &swapped_) { EXPECT_EQ(text_of(response, "code"), "wrong-shard"); }
        }
        EXPECT_EQ(sold, 3) << sku;
    }
    EXPECT_EQ(stocks_in(first_) + stocks_in(second_), 8U);
}

TEST_F(ShardedShop, ReadinessAsksEveryShard) {
    const auto ready = [&](Door& door) {
        return *fake_.world.finish(door.service->ready(Context(MonotonicTime::max())));
    };
    EXPECT_TRUE(ready(right_));
    EXPECT_FALSE(ready(swapped_));
}

}  // namespace
}  // namespace rushproof::gateway
