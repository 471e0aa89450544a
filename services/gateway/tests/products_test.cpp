// Goal: each product route becomes the right call to catalog, and each answer or error the right
// HTTP.  Method: an Rpc that answers from the test.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/protocol/catalog.pb.h"
#include "core/protocol/inventory.pb.h"
#include "core/runtime/http_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;
namespace wire = ::catalog::v1;

constexpr const char* id = "3f0c8f4e-0000-4000-8000-000000000001";

// Both places where products are.
class ProductRoutes : public testing::TestWithParam<std::string> {
protected:
    ProductRoutes() {
        router_.add(service_->http_routes());
        fake_.rpc.handler = [this](Context context, std::string method, std::string request) {
            return take(std::move(context), std::move(method), std::move(request));
        };
    }

    Task<Result<std::string>> take(Context context, std::string method, std::string request) {
        ++calls_;
        context_ = std::move(context);
        method_ = std::move(method);
        request_ = std::move(request);
        co_return answer_;
    }

    HttpResponse send(std::string method, const std::string& target, std::string body = {},
                      HttpFields fields = {}) {
        HttpRequest request(std::move(method), GetParam() + target, std::move(body));
        request.fields = std::move(fields);
        return *fake_.world.finish(
            router_.answer(Context(MonotonicTime::max()), std::move(request)));
    }
    HttpResponse create(std::string body) {
        return send("POST", "", std::move(body), {{"idempotency-key", "k"}, {"x-owner", "alice"}});
    }
    HttpResponse patch(std::string body, std::string if_match = "\"4\"") {
        return send("PATCH", std::string("/") + id, std::move(body),
                    {{"if-match", std::move(if_match)}});
    }

    static wire::Product product() {
        wire::Product message;
        message.set_id(id);
        message.set_sku("MUG-1");
        message.set_name("Mug \"round\"");
        message.set_category("kitchen");
        message.mutable_price()->set_minor_units(1'250);
        message.mutable_price()->set_currency("EUR");
        message.set_version(4);
        return message;
    }
    static std::string field(const HttpResponse& response, std::string_view name) {
        for (const auto& [known, value] : response.fields) {
            if (known == name) { return value; }
        }
        return {};
    }
    static std::string detail(const HttpResponse& response) {
        EXPECT_EQ(response.content_type, "application/problem+json");
        return std::string(json::parse(response.body).at("detail").as_string());
    }
    template <class Message>
    Message asked() const {
        Message message;
        EXPECT_TRUE(message.ParseFromString(request_));
        return message;
    }

    FakeEnvironment fake_;
    std::unique_ptr<Service> service_ = make_gateway(fake_.environment, Options());
    HttpRouter router_{fake_.world};
    Result<std::string> answer_ = product().SerializeAsString();
    int calls_ = 0;
    Context context_{MonotonicTime()};
    std::string method_;
    std::string request_;
};

std::string name_of(const testing::TestParamInfo<std::string>& place) {
    return place.param == "/products" ? "short" : "v1";
}

INSTANTIATE_TEST_SUITE_P(Both, ProductRoutes, testing::Values("/products", "/api/v1/products"),
                         &name_of);

constexpr const char* good_body =
    R"({"sku":"MUG-1","name":"Mug","description":"Holds tea","category":"kitchen",)"
    R"("price":{"minor_units":1250,"currency":"EUR"}})";

TEST_P(ProductRoutes, CreateSaysWhereTheProductIs) {
    const HttpResponse made = create(good_body);
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(field(made, "location"), GetParam() + "/" + id);
    EXPECT_EQ(field(made, "etag"), "\"4\"");
    EXPECT_EQ(json::parse(made.body),
              json::parse(R"({"id":"3f0c8f4e-0000-4000-8000-000000000001","sku":"MUG-1",)"
                          R"("name":"Mug \"round\"","category":"kitchen",)"
                          R"("price":{"minor_units":1250,"currency":"EUR"},"version":4})"));
    EXPECT_EQ(method_, "catalog.v1.Catalog/Create");
    EXPECT_EQ(context_.idempotency_key, "k");
    EXPECT_EQ(context_.principal, "alice");
    const auto request = asked<wire::CreateProductRequest>();
    EXPECT_EQ(request.sku(), "MUG-1");
    EXPECT_EQ(request.name(), "Mug");
    EXPECT_EQ(request.description(), "Holds tea");
    EXPECT_EQ(request.category(), "kitchen");
    EXPECT_EQ(request.price().minor_units(), 1'250);
    EXPECT_EQ(request.price().currency(), "EUR");
}

TEST_P(ProductRoutes, CreateNeedsAKeyAndAWholeProduct) {
    EXPECT_EQ(send("POST", "", good_body).status, 400);
    const std::pair<const char*, const char*> cases[] = {
        {"[]", "the body must be a JSON object"},
        {R"({"name":"a","price":{"minor_units":1,"currency":"EUR"}})", "sku is missing"},
        {R"({"sku":"A","price":{"minor_units":1,"currency":"EUR"}})", "name is missing"},
        {R"({"sku":"A","name":"a"})", "price is missing"},
        {R"({"sku":"A","name":"a","price":null})", "price cannot be removed"},
        {R"({"sku":"A","name":"a","price":5})", "price must be an object"},
        {R"({"sku":"A","name":"a","price":{"currency":"EUR"}})", "price.minor_units is missing"},
        {R"({"sku":"A","name":"a","price":{"minor_units":1.5,"currency":"EUR"}})",
         "price.minor_units must be a 64-bit integer"},
        {R"({"sku":"A","name":"a","price":{"minor_units":1}})", "price.currency is missing"},
        {R"({"sku":"A","name":"a","category":7,"price":{"minor_units":1,"currency":"EUR"}})",
         "category must be a string"},
        {R"({"sku":"A","colour":"red"})",
         "colour is not known here; there are sku, name, description, category, price"},
        {R"({"sku":"A","name":"a","price":{"minor_units":1,"currency":"EUR","tax":7}})",
         "price.tax is not known here; there are minor_units, currency"},
    };
    for (const auto& [body, expected] : cases) {
        const HttpResponse response = create(body);
        EXPECT_EQ(response.status, 400) << body;
        EXPECT_EQ(detail(response), expected);
    }
    EXPECT_EQ(calls_, 0);
}

TEST_P(ProductRoutes, GetAnswersWithTheVersion) {
    const HttpResponse found = send("GET", std::string("/") + id);
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(field(found, "etag"), "\"4\"");
    EXPECT_EQ(method_, "catalog.v1.Catalog/Get");
    EXPECT_EQ(asked<wire::ProductRequest>().id(), id);
}

TEST_P(ProductRoutes, ListIsPagedAndFiltered) {
    wire::Products page;
    *page.add_items() = product();
    page.set_next(id);
    answer_ = page.SerializeAsString();
    const HttpResponse listed = send("GET", "?category=kitchen&after=x&limit=1");
    EXPECT_EQ(listed.status, 200);
    EXPECT_EQ(json::parse(listed.body).at("next").as_string(), id);
    EXPECT_EQ(json::parse(listed.body).at("items").at(0).at("sku").as_string(), "MUG-1");
    EXPECT_EQ(method_, "catalog.v1.Catalog/List");
    EXPECT_EQ(asked<wire::ListProductsRequest>().category(), "kitchen");
    EXPECT_EQ(asked<wire::ListProductsRequest>().after(), "x");
    EXPECT_EQ(asked<wire::ListProductsRequest>().limit(), 1);
    EXPECT_EQ(send("GET", "?limit=many").status, 400);
}

TEST_P(ProductRoutes, PatchIsAMergePatch) {
    EXPECT_EQ(patch(R"({"name":"Cup","description":null,"price":{"minor_units":7}})").status, 200);
    EXPECT_EQ(method_, "catalog.v1.Catalog/Patch");
    const auto request = asked<wire::PatchProductRequest>();
    EXPECT_EQ(request.id(), id);
    EXPECT_EQ(request.if_version(), 4);
    EXPECT_EQ(request.name(), "Cup");
    EXPECT_TRUE(request.has_description());
    EXPECT_EQ(request.description(), "");
    EXPECT_FALSE(request.has_category());
    EXPECT_EQ(request.minor_units(), 7);
    EXPECT_FALSE(request.has_currency());
    EXPECT_EQ(patch("{}").status, 200);
    const std::pair<const char*, const char*> cases[] = {
        {R"({"sku":"B"})", "sku is not known here; there are name, description, category, price"},
        {R"({"price":null})", "price cannot be removed"},
        {R"({"price":{"minor_units":null}})", "price.minor_units must be a 64-bit integer"},
        {R"({"name":5})", "name must be a string"},
        {"null", "the body must be a JSON object"},
    };
    for (const auto& [body, expected] : cases) {
        const HttpResponse response = patch(body);
        EXPECT_EQ(response.status, 400) << body;
        EXPECT_EQ(detail(response), expected);
    }
}

TEST_P(ProductRoutes, PatchNeedsAnETag) {
    const HttpResponse blind = send("PATCH", std::string("/") + id, "{}");
    EXPECT_EQ(blind.status, 428);
    EXPECT_EQ(detail(blind), "the header If-Match is required: the product's ETag, or *");
    for (const char* tags : {"4", "\"4", "\"", "\"4\", \"5\"", "W/4"}) {
        EXPECT_EQ(patch("{}", tags).status, 400) << tags;
    }
    EXPECT_EQ(calls_, 0);
    EXPECT_EQ(patch("{}", "*").status, 200);
    EXPECT_FALSE(asked<wire::PatchProductRequest>().has_if_version());
    for (const char* tag : {"\"\"", "\"four\"", "\"-4\"", "\"4x\"", "\"99999999999999999999\""}) {
        EXPECT_EQ(patch("{}", tag).status, 200) << tag;
        EXPECT_EQ(asked<wire::PatchProductRequest>().if_version(), -1) << tag;
    }
    answer_ = failure(ErrorKind::permanent, "precondition-failed", "it changed");
    EXPECT_EQ(patch("{}").status, 412);
}

TEST_P(ProductRoutes, DeleteAnswersWithoutABody) {
    answer_ = std::string();
    const HttpResponse gone = send("DELETE", std::string("/") + id);
    EXPECT_EQ(gone.status, 204);
    EXPECT_EQ(gone.body, "");
    EXPECT_EQ(method_, "catalog.v1.Catalog/Delete");
    EXPECT_EQ(asked<wire::DeleteProductRequest>().id(), id);
    EXPECT_FALSE(asked<wire::DeleteProductRequest>().has_if_version());
    send("DELETE", std::string("/") + id, "", {{"if-match", "\"4\""}});
    EXPECT_EQ(asked<wire::DeleteProductRequest>().if_version(), 4);
    answer_ = failure(ErrorKind::permanent, "conflict", "held");
    EXPECT_EQ(send("DELETE", std::string("/") + id).status, 409);
}

TEST_P(ProductRoutes, ReserveAnswersWithTheReservation) {
    ::inventory::v1::Reservation reservation;
    reservation.set_id("r");
    reservation.set_sku("MUG-1");
    reservation.set_quantity(2);
    reservation.set_state(::inventory::v1::HELD);
    answer_ = reservation.SerializeAsString();
    const std::string target = std::string("/") + id + "/reserve";
    const HttpFields key{{"idempotency-key", "k"}};
    const HttpResponse held = send("POST", target, R"({"quantity":2})", key);
    EXPECT_EQ(held.status, 200);
    EXPECT_EQ(json::parse(held.body).at("state").as_string(), "held");
    EXPECT_EQ(method_, "catalog.v1.Catalog/Reserve");
    EXPECT_EQ(asked<wire::ReserveProductRequest>().quantity(), 2);
    EXPECT_EQ(send("POST", target, R"({"quantity":2})").status, 400);
    EXPECT_EQ(send("POST", target, R"({"quantity":2,"sku":"A"})", key).status, 400);
    answer_ = failure(ErrorKind::permanent, "insufficient-stock", "");
    EXPECT_EQ(send("POST", target, R"({"quantity":2})", key).status, 409);
    answer_ = failure(ErrorKind::permanent, "not-found", "");
    EXPECT_EQ(send("POST", target, R"({"quantity":2})", key).status, 404);
}

TEST_P(ProductRoutes, EveryRouteKeepsTheKindOfAnError) {
    const auto statuses = [&] {
        const std::string one = std::string("/") + id;
        const HttpFields fields{{"idempotency-key", "k"}, {"if-match", "*"}};
        return std::vector{send("POST", "", good_body, fields).status,
                           send("GET", "").status,
                           send("GET", one).status,
                           send("PATCH", one, "{}", fields).status,
                           send("DELETE", one).status,
                           send("POST", one + "/reserve", R"({"quantity":1})", fields).status};
    };
    answer_ = failure(ErrorKind::retryable, "unavailable", "");
    EXPECT_EQ(statuses(), std::vector(6, 503));
    answer_ = failure(ErrorKind::unknown_outcome, "connection-lost", "");
    EXPECT_EQ(statuses(), std::vector(6, 504));
    answer_ = std::string("\xFF\xFF");
    EXPECT_EQ(statuses(), (std::vector{504, 504, 504, 504, 204, 504}));
    EXPECT_EQ(send("PUT", "").status, 405);
}

}  // namespace
}  // namespace rushproof::gateway
