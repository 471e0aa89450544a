// Goal: products as a client sees them: gateway, catalog and inventory together on the model
// database.  Method: requests through the routers of all, no network in between.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/runtime/http_router.hpp"
#include "services/catalog/tests/bench.hpp"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;

class ProductApi : public testing::Test {
protected:
    ProductApi() {
        http_.add(gateway_->http_routes());
        catalog_router_.add(catalog_->rpc_methods());
        bench_.rpc.handler = [this, inventory = bench_.rpc.handler](
                                 Context context, std::string method, std::string request) {
            if (!method.starts_with("catalog.")) {
                return inventory(std::move(context), std::move(method), std::move(request));
            }
            return catalog_router_.answer(std::move(context), method, std::move(request));
        };
    }

    HttpResponse send(std::string method, std::string target, std::string body = {},
                      std::string key = {}, std::string if_match = {}) {
        HttpRequest request(std::move(method), std::move(target), std::move(body));
        if (!key.empty()) { request.fields.emplace_back("idempotency-key", std::move(key)); }
        if (!if_match.empty()) { request.fields.emplace_back("if-match", std::move(if_match)); }
        return *world_.finish(http_.answer(Context(MonotonicTime::max()), std::move(request)));
    }
    static std::string text_of(const HttpResponse& response, std::string_view member) {
        return std::string(json::parse(response.body).at(member).as_string());
    }

    FakeWorld world_;
    catalog::ModelEngine model_{world_};
    catalog::Bench bench_{world_, model_.database(), model_.database()};
    std::unique_ptr<Service> catalog_ =
        catalog::make_catalog(bench_.environment, catalog::Options());
    std::unique_ptr<Service> gateway_ = make_gateway(bench_.environment, Options());
    RpcRouter catalog_router_{world_};
    HttpRouter http_{world_};
};

constexpr const char* body =
    R"({"sku":"MUG-1","name":"Mug","price":{"minor_units":1250,"currency":"EUR"}})";

TEST_F(ProductApi, AProductsLife) {
    const HttpResponse made = send("POST", "/products", body, "k");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(send("POST", "/products", body, "k").body, made.body);
    EXPECT_EQ(text_of(send("POST", "/products", body, "other"), "code"), "conflict");
    const std::string path = "/products/" + text_of(made, "id");
    EXPECT_EQ(send("GET", "/api/v1" + path).body, made.body);

    EXPECT_EQ(send("PATCH", path, R"({"category":"kitchen"})", "", "\"1\"").status, 200);
    const HttpResponse stale = send("PATCH", path, R"({"name":"Cup"})", "", "\"1\"");
    EXPECT_EQ(stale.status, 412);
    EXPECT_EQ(text_of(stale, "code"), "precondition-failed");
    EXPECT_EQ(
        json::parse(send("GET", "/products?category=kitchen").body).at("items").as_array().size(),
        1u);
    EXPECT_EQ(
        json::parse(send("GET", "/products?category=garden").body).at("items").as_array().size(),
        0u);

    EXPECT_EQ(text_of(send("POST", path + "/reserve", R"({"quantity":1})", "r"), "code"),
              "insufficient-stock");
    send("PUT", "/api/v1/stock/MUG-1", R"({"on_hand":3})");
    const HttpResponse held = send("POST", path + "/reserve", R"({"quantity":2})", "r");
    ASSERT_EQ(held.status, 200) << held.body;
    EXPECT_EQ(send("POST", path + "/reserve", R"({"quantity":2})", "r").body, held.body);

    const HttpResponse refused = send("DELETE", path);
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(text_of(refused, "code"), "conflict");
    EXPECT_EQ(send("POST", "/api/v1/reservations/" + text_of(held, "id") + "/release").status, 200);
    EXPECT_EQ(send("DELETE", path, "", "", "\"1\"").status, 412);
    EXPECT_EQ(send("DELETE", path, "", "", "\"2\"").status, 204);
    EXPECT_EQ(send("DELETE", path).status, 204);
    EXPECT_EQ(send("GET", path).status, 404);
    EXPECT_EQ(send("PATCH", path, "{}", "", "*").status, 404);
    EXPECT_EQ(send("POST", path + "/reserve", R"({"quantity":1})", "r2").status, 404);
    EXPECT_EQ(send("DELETE", "/products/nothing").status, 404);
}

TEST_F(ProductApi, ValuesOutOfBoundsNameTheMember) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"sku":"a b","name":"n","price":{"minor_units":1,"currency":"EUR"}})",
         "sku has a character that is not allowed"},
        {R"({"sku":"A","name":"","price":{"minor_units":1,"currency":"EUR"}})",
         "name must have 1 to 200 characters"},
        {R"({"sku":"A","name":"n","price":{"minor_units":-1,"currency":"EUR"}})",
         "price.minor_units must be from 0 to 1000000000000"},
        {R"({"sku":"A","name":"n","price":{"minor_units":1,"currency":"Euro"}})",
         "price.currency must be an ISO 4217 code such as EUR"},
        {R"({"sku":"A","name":"a\u0000b","price":{"minor_units":1,"currency":"EUR"}})",
         "name has a control character"},
    };
    for (const auto& [bad, detail] : cases) {
        const HttpResponse response = send("POST", "/products", bad, "k");
        EXPECT_EQ(response.status, 422) << bad;
        EXPECT_EQ(text_of(response, "detail"), detail);
    }
}

TEST_F(ProductApi, PagesFollowEachOther) {
    for (int i = 0; i < 5; ++i) {
        const std::string sku = R"({"sku":"S-)" + std::to_string(i) + '"';
        send("POST", "/products",
             sku + R"(,"name":"n","price":{"minor_units":1,"currency":"EUR"}})",
             "k" + std::to_string(i));
    }
    std::size_t seen = 0;
    std::string after;
    for (int pages = 1;; ++pages) {
        const json::value page = json::parse(send("GET", "/products?limit=2&after=" + after).body);
        seen += page.at("items").as_array().size();
        if (!page.as_object().contains("next")) {
            EXPECT_EQ(pages, 3);
            break;
        }
        after = page.at("next").as_string();
    }
    EXPECT_EQ(seen, 5u);
}

}  // namespace
}  // namespace rushproof::gateway
