// Goal: each route becomes the right call with the right context, and each answer or error the
// right HTTP; what is written is what openapi.json says.  Method: an Rpc that answers from the
// test.
#include "services/gateway/gateway.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "core/protocol/catalog.pb.h"
#include "core/protocol/inventory.pb.h"
#include "core/runtime/context_text.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;
namespace wire = ::inventory::v1;

class GatewayTest : public testing::Test {
protected:
    GatewayTest() {
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

    HttpResponse send(std::string method, std::string target, std::string body = {},
                      HttpFields fields = {}) {
        HttpRequest request(std::move(method), std::move(target), std::move(body));
        request.fields = std::move(fields);
        return *fake_.world.finish(router_.answer(Context(deadline_), std::move(request)));
    }

    HttpResponse reserve(std::string body) {
        HttpFields fields;
        fields.emplace_back("idempotency-key", "k-1");
        return send("POST", "/api/v1/reservations", std::move(body), std::move(fields));
    }

    static std::string reservation() {
        wire::Reservation message;
        message.set_id("3f0c8f4e-0000-4000-8000-000000000001");
        message.set_sku("SKU-1");
        message.set_quantity(2);
        message.set_owner("anonymous");
        message.set_state(wire::HELD);
        message.set_expires_at_us(1'700'000'000'123'456);
        message.set_time_left_us(600'000'000);
        return message.SerializeAsString();
    }
    static std::string basket() {
        wire::Reservation message;
        message.ParseFromString(reservation());
        message.clear_sku();
        message.clear_quantity();
        for (const char* sku : {"SKU-1", "SKU-2"}) {
            wire::Line& line = *message.add_lines();
            line.set_sku(sku);
            line.set_quantity(3);
        }
        return message.SerializeAsString();
    }
    static std::string reservations() {
        wire::Reservations message;
        message.add_items()->ParseFromString(reservation());
        message.set_next("r-1/SKU-1");
        return message.SerializeAsString();
    }
    static std::string stocks() {
        wire::Stocks message;
        message.add_items()->ParseFromString(stock());
        return message.SerializeAsString();
    }
    static std::string stock() {
        wire::Stock message;
        message.set_sku("SKU-1");
        message.set_on_hand(10);
        message.set_held(4);
        message.set_sold(1);
        message.set_version(7);
        return message.SerializeAsString();
    }
    static std::string product() {
        ::catalog::v1::Product message;
        message.set_id("p");
        message.set_description("d");
        message.set_category("c");
        message.set_version(1);
        return message.SerializeAsString();
    }
    static std::string products() {
        ::catalog::v1::Products message;
        message.add_items()->ParseFromString(product());
        message.set_next("p");
        return message.SerializeAsString();
    }
    static std::string ledger() {
        wire::Ledger message;
        wire::LedgerEntry& set = *message.add_entries();
        set.set_number(3);
        set.set_kind("stock");
        set.set_quantity(10);
        wire::LedgerEntry& reserve = *message.add_entries();
        reserve.set_number(4);
        reserve.set_kind("reserve");
        reserve.set_quantity(2);
        reserve.set_reservation("r");
        reserve.set_key("k");
        reserve.set_at_us(1'700'000'000'000'000);
        return message.SerializeAsString();
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
    MonotonicTime deadline_ = MonotonicTime::max();

    Result<std::string> answer_ = std::string();
    int calls_ = 0;
    Context context_{MonotonicTime()};
    std::string method_;
    std::string request_;
};

constexpr const char* good_body = R"({"sku":"SKU-1","quantity":2})";

TEST_F(GatewayTest, ThePositionOfAWriteTravelsBothWays) {
    answer_ = reservation();
    EXPECT_TRUE(reserve(good_body).fields.empty());
    wire::Reservation written;
    written.ParseFromString(reservation());
    written.set_position("1f");
    answer_ = written.SerializeAsString();
    EXPECT_EQ(reserve(good_body).fields, (HttpFields{{"rushproof-position", "1f"}}));
    EXPECT_EQ(context_.position, "");
    send("GET", "/api/v1/reservations/r-1", {}, {{"rushproof-position", "1f"}});
    EXPECT_EQ(context_.position, "1f");
    wire::Stock stocked;
    stocked.set_position("2a");
    answer_ = stocked.SerializeAsString();
    EXPECT_EQ(send("PUT", "/api/v1/stock/SKU-1", R"({"on_hand":1})").fields,
              (HttpFields{{"rushproof-position", "2a"}}));
    // One position for all that this client wrote, whichever shards keep it.
    written.set_position("1:9");
    answer_ = written.SerializeAsString();
    EXPECT_EQ(send("POST", "/api/v1/reservations/r-1/confirm", {}, {{"rushproof-position", "2:5"}})
                  .fields,
              (HttpFields{{"rushproof-position", "1:9.2:5"}}));
}

TEST_F(GatewayTest, ReserveForwardsBodyKeyAndOwner) {
    answer_ = reservation();
    const HttpResponse response = reserve(good_body);
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(method_, "inventory.v1.Inventory/Reserve");
    EXPECT_EQ(asked<wire::ReserveRequest>().sku(), "SKU-1");
    EXPECT_EQ(asked<wire::ReserveRequest>().quantity(), 2);
    EXPECT_EQ(context_.idempotency_key, "k-1");
    EXPECT_EQ(context_.principal, "anonymous");
    EXPECT_EQ(json::parse(response.body),
              json::parse(R"({"id":"3f0c8f4e-0000-4000-8000-000000000001","sku":"SKU-1",)"
                          R"("quantity":2,"owner":"anonymous","state":"held",)"
                          R"("expires_at":"2023-11-14T22:13:20.123456Z",)"
                          R"("expires_in_ms":600000})"));
}

TEST_F(GatewayTest, ReserveNeedsAKey) {
    const HttpResponse response = send("POST", "/api/v1/reservations", good_body);
    EXPECT_EQ(response.status, 400);
    EXPECT_NE(response.body.find("Idempotency-Key"), std::string::npos);
    EXPECT_EQ(calls_, 0);
}

TEST_F(GatewayTest, BadBodiesNameTheMember) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"quantity":2})", "sku is missing"},
        {R"({"sku":5,"quantity":2})", "sku must be a string"},
        {R"({"sku":"A"})", "quantity is missing"},
        {R"({"sku":"A","quantity":"2"})", "quantity must be a 64-bit integer"},
        {R"({"sku":"A","quantity":2.5})", "quantity must be a 64-bit integer"},
        {"[]", "the body must be a JSON object"},
    };
    for (const auto& [body, detail] : cases) {
        const HttpResponse response = reserve(body);
        EXPECT_EQ(response.status, 400) << body;
        EXPECT_EQ(response.content_type, "application/problem+json");
        EXPECT_EQ(json::parse(response.body).at("detail").as_string(), detail);
    }
    EXPECT_EQ(calls_, 0);
}

TEST_F(GatewayTest, EveryOtherRouteReachesItsMethod) {
    struct Case {
        const char* http_method;
        const char* target;
        const char* body;
        const char* rpc_method;
        std::string answer;
    };
    const Case cases[] = {
        {"GET", "/api/v1/reservations/r-1", "", "GetReservation", reservation()},
        {"POST", "/api/v1/reservations/r-1/confirm", "", "Confirm", reservation()},
        {"POST", "/api/v1/reservations/r-1/release", "", "Release", reservation()},
        {"POST", "/api/v1/reservations/r-1/extend", "", "Extend", reservation()},
        {"GET", "/api/v1/reservations?sku=A&state=held&after=r/A&limit=7", "", "ListReservations",
         reservations()},
        {"GET", "/api/v1/stock?after=A", "", "ListStock", stocks()},
        {"POST", "/api/v1/stock/SKU-1/adjustments", R"({"change":-5})", "AdjustStock", stock()},
        {"POST", "/api/v1/stock/adjustments",
         R"({"lines":[{"sku":"B","change":-5},{"sku":"A","change":5}]})", "AdjustStocks", stocks()},
        {"GET", "/api/v1/stock/SKU-1", "", "GetStock", stock()},
        {"PUT", "/api/v1/stock/SKU-1", R"({"on_hand":12})", "SetStock", stock()},
        {"GET", "/api/v1/stock/SKU-1/ledger?after=5&limit=2", "", "GetLedger", ledger()},
    };
    for (const Case& expected : cases) {
        answer_ = expected.answer;
        HttpFields fields;
        fields.emplace_back("x-owner", "alice");
        fields.emplace_back("idempotency-key", "k");
        EXPECT_EQ(send(expected.http_method, expected.target, expected.body, fields).status, 200)
            << expected.target;
        EXPECT_EQ(method_, std::string("inventory.v1.Inventory/") + expected.rpc_method);
        EXPECT_EQ(context_.principal, "alice");
    }
    const auto page = asked<wire::LedgerRequest>();
    EXPECT_EQ(page.after(), 5);
    EXPECT_EQ(page.limit(), 2);
}

TEST_F(GatewayTest, BasketsForwardEveryLine) {
    answer_ = basket();
    HttpFields fields;
    fields.emplace_back("idempotency-key", "k-1");
    const auto post = [&](std::string body) {
        return send("POST", "/api/v1/baskets", std::move(body), fields);
    };
    const HttpResponse made =
        post(R"({"lines":[{"sku":"SKU-2","quantity":3},{"sku":"SKU-1","quantity":3}]})");
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(method_, "inventory.v1.Inventory/ReserveBasket");
    EXPECT_EQ(asked<wire::BasketRequest>().lines_size(), 2);
    EXPECT_EQ(asked<wire::BasketRequest>().lines(0).sku(), "SKU-2");
    EXPECT_EQ(json::parse(made.body).at("lines"),
              json::parse(R"([{"sku":"SKU-1","quantity":3},{"sku":"SKU-2","quantity":3}])"));
    const std::pair<const char*, const char*> cases[] = {
        {R"({})", "lines is missing"},
        {R"({"lines":5})", "lines must be an array of objects"},
        {R"({"lines":[{"sku":"A","quantity":1},7]})", "lines must be an array of objects"},
        {R"({"lines":[{"sku":"A","quantity":1},{"quantity":1}]})", "lines[1].sku is missing"},
        {R"({"lines":[{"sku":"A","quantity":"1"}]})", "lines[0].quantity must be a 64-bit integer"},
    };
    for (const auto& [body, detail] : cases) {
        const HttpResponse response = post(body);
        EXPECT_EQ(response.status, 400) << body;
        EXPECT_EQ(json::parse(response.body).at("detail").as_string(), detail);
    }
}

TEST_F(GatewayTest, ListsSayWhereTheNextPageBegins) {
    answer_ = reservations();
    const json::value page =
        json::parse(send("GET", "/api/v1/reservations?state=expired&limit=7").body);
    EXPECT_EQ(asked<wire::ListReservationsRequest>().state(), wire::EXPIRED);
    EXPECT_EQ(asked<wire::ListReservationsRequest>().limit(), 7);
    EXPECT_EQ(page.at("next").as_string(), "r-1/SKU-1");
    EXPECT_EQ(page.at("items").as_array().size(), 1u);
    answer_ = stocks();
    EXPECT_FALSE(json::parse(send("GET", "/api/v1/stock").body).as_object().contains("next"));
    const HttpResponse wrong = send("GET", "/api/v1/reservations?state=gone");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_EQ(json::parse(wrong.body).at("detail").as_string(),
              "state must be held, confirmed, released or expired");
}

TEST_F(GatewayTest, LedgerQueriesAreNumbers) {
    for (const char* query : {"after=x", "after=-1", "limit=2x", "limit=99999999999999999999"}) {
        const HttpResponse response =
            send("GET", std::string("/api/v1/stock/SKU-1/ledger?") + query);
        EXPECT_EQ(response.status, 400) << query;
    }
    EXPECT_EQ(calls_, 0);
}

TEST_F(GatewayTest, ErrorsKeepTheirCode) {
    answer_ = failure(ErrorKind::permanent, "insufficient-stock", "not enough");
    EXPECT_EQ(reserve(good_body).status, 409);
    answer_ = failure(ErrorKind::retryable, "unavailable", "");
    EXPECT_EQ(reserve(good_body).status, 503);
    answer_ = failure(ErrorKind::unknown_outcome, "commit-unknown", "");
    const HttpResponse response = reserve(good_body);
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(json::parse(response.body).at("code").as_string(), "commit-unknown");
}

TEST_F(GatewayTest, AnUnreadableAnswerIsAnUnknownOutcome) {
    answer_ = std::string("\xFF\xFF");
    EXPECT_EQ(reserve(good_body).status, 504);
}

TEST_F(GatewayTest, DeadlinesOnlyShrink) {
    answer_ = reservation();
    const MonotonicTime now = fake_.world.monotonic();
    reserve(good_body);
    EXPECT_EQ(context_.deadline - now, std::chrono::milliseconds(4750));
    deadline_ = now + std::chrono::seconds(1);
    reserve(good_body);
    EXPECT_EQ(context_.deadline - now, std::chrono::milliseconds(950));
}

TEST_F(GatewayTest, IsReadyWhenInventoryCanAskItsDatabase) {
    const auto ready = [&] { return *fake_.world.finish(service_->ready(Context(deadline_))); };
    answer_ = failure(ErrorKind::permanent, "not-found", "");
    EXPECT_TRUE(ready());
    EXPECT_EQ(method_, "inventory.v1.Inventory/GetStock");
    EXPECT_EQ(context_.position, "latest");
    answer_ = failure(ErrorKind::retryable, "unavailable", "");
    EXPECT_FALSE(ready());
    answer_ = failure(ErrorKind::unknown_outcome, "deadline-exceeded", "");
    EXPECT_FALSE(ready());
}

Task<bool> stop(Service& service) {
    co_await service.stop();
    co_return true;
}

TEST_F(GatewayTest, StopFinishesWhatWasAcceptedAndRefusesTheRest) {
    fake_.rpc.handler = [this](Context, std::string, std::string) -> Task<Result<std::string>> {
        co_await sleep_for(fake_.world, std::chrono::seconds(2));
        co_return reservation();
    };
    std::optional<HttpResponse> accepted;
    HttpRequest request("POST", "/api/v1/reservations", good_body);
    request.fields.emplace_back("idempotency-key", "k");
    asio::co_spawn(fake_.world.executor("client"),
                   router_.answer(Context(deadline_), std::move(request)),
                   [&](const std::exception_ptr&, HttpResponse response) { accepted = response; });
    fake_.world.run_for(std::chrono::seconds(1));
    EXPECT_FALSE(accepted);
    EXPECT_EQ(fake_.world.finish(stop(*service_)), true);
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->status, 201);
    EXPECT_EQ(reserve(good_body).status, 503);
}

// --- openapi.json ---

class OpenApi : public GatewayTest {
protected:
    json::object document_ = json::parse(send("GET", "/openapi.json").body).as_object();

    const json::object& schema(std::string_view name) const {
        return document_.at("components").at("schemas").at(name).as_object();
    }

    // Members, required ones and their types; enough for the flat schemas that we have.
    void expect_matches(const json::value& value, std::string_view name) const {
        const json::object& object = value.as_object();
        const json::object& properties = schema(name).at("properties").as_object();
        for (const json::value& required : schema(name).at("required").as_array()) {
            EXPECT_TRUE(object.contains(required.as_string())) << name << ": " << required;
        }
        for (const auto& [member, found] : object) {
            ASSERT_TRUE(properties.contains(member)) << name << ": " << member;
            const std::string_view type = properties.at(member).at("type").as_string();
            EXPECT_EQ(type == "integer", found.is_int64()) << member;
            EXPECT_EQ(type == "string", found.is_string()) << member;
            EXPECT_EQ(type == "array", found.is_array()) << member;
            EXPECT_EQ(type == "object", found.is_object()) << member;
        }
    }
};

// "#/paths/~1products~1%7Bid%7D"
const json::value& referred(const json::value& document, const json::value& reference) {
    const std::string pointer = *percent_decoded(std::string_view(reference.as_string()).substr(1));
    return document.at_pointer(pointer);
}

TEST_F(OpenApi, DescribesExactlyTheRoutesThatAreServed) {
    std::set<std::string> described;
    const json::value document(document_);
    for (const auto& [path, item] : document_.at("paths").as_object()) {
        const json::value* reference = item.as_object().if_contains("$ref");
        const json::value& operations =
            reference == nullptr ? item : referred(document, *reference);
        for (const auto& [method, operation] : operations.as_object()) {
            if (method == "parameters") { continue; }
            std::string upper(method);
            for (char& c : upper) { c = static_cast<char>(c - 'a' + 'A'); }
            described.insert(upper + " " + std::string(path));
        }
    }
    std::set<std::string> served;
    for (const HttpRoute& route : service_->http_routes()) {
        served.insert(route.method + " " + route.pattern);
    }
    EXPECT_EQ(described, served);
}

TEST_F(OpenApi, RealAnswersHaveTheDescribedMembers) {
    answer_ = reservation();
    expect_matches(json::parse(reserve(good_body).body), "Reservation");
    expect_matches(json::parse(send("GET", "/api/v1/reservations/r").body), "Reservation");
    answer_ = basket();
    expect_matches(json::parse(send("GET", "/api/v1/reservations/r").body), "Reservation");
    answer_ = reservations();
    expect_matches(json::parse(send("GET", "/api/v1/reservations").body), "Reservations");
    answer_ = stocks();
    expect_matches(json::parse(send("GET", "/api/v1/stock").body), "Stocks");
    answer_ = stock();
    expect_matches(json::parse(send("GET", "/api/v1/stock/SKU-1").body), "Stock");
    answer_ = ledger();
    const json::value page = json::parse(send("GET", "/api/v1/stock/SKU-1/ledger").body);
    expect_matches(page, "Ledger");
    for (const json::value& entry : page.at("entries").as_array()) {
        expect_matches(entry, "LedgerEntry");
    }
    answer_ = product();
    const json::value found = json::parse(send("GET", "/products/p").body);
    expect_matches(found, "Product");
    expect_matches(found.at("price"), "Price");
    answer_ = products();
    expect_matches(json::parse(send("GET", "/products").body), "Products");
    answer_ = failure(ErrorKind::permanent, "not-found", "no such SKU");
    expect_matches(json::parse(send("GET", "/api/v1/stock/SKU-1").body), "Problem");
    expect_matches(json::parse(reserve("{}").body), "Problem");
}

TEST_F(OpenApi, RequestsWithTheRequiredMembersAreAccepted) {
    answer_ = reservation();
    for (const json::value& required : schema("ReserveRequest").at("required").as_array()) {
        json::object body = json::parse(good_body).as_object();
        ASSERT_TRUE(body.contains(required.as_string()));
        body.erase(required.as_string());
        EXPECT_EQ(reserve(json::serialize(body)).status, 400) << required;
    }
    EXPECT_EQ(reserve(good_body).status, 201);
}

}  // namespace
}  // namespace rushproof::gateway
