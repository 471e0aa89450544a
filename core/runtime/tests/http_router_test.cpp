// Goal: the right handler gets decoded parameters and queries, and everything else gets a problem.
// Method: a handler that answers with what it was given.
#include "core/runtime/http_router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

HttpHandler describe(std::string name) {
    return [name](Context, HttpRequest request) -> Task<HttpResponse> {
        std::string body = name + " " + request.target;
        for (const auto& [key, value] : request.parameters) { body += " " + key + "=" + value; }
        for (const auto& [key, value] : request.queries) { body += " ?" + key + "=" + value; }
        co_return HttpResponse(200, std::move(body), "text/plain");
    };
}

class Router : public testing::Test {
protected:
    Router() {
        std::vector<HttpRoute> routes;
        routes.push_back({"GET", "/stock/total", describe("total")});
        routes.push_back({"GET", "/stock/{sku}", describe("get")});
        routes.push_back({"PUT", "/stock/{sku}", describe("put")});
        routes.push_back({"GET", "/stock/{sku}/ledger", describe("ledger")});
        routes.push_back({"GET", "/throws", [](Context, HttpRequest) -> Task<HttpResponse> {
                              throw std::runtime_error("password=hunter2");
                              co_return HttpResponse();
                          }});
        router_.add(std::move(routes));
    }

    HttpResponse send(std::string method, std::string target) {
        HttpRequest request(std::move(method), std::move(target));
        return *world_.finish(router_.answer(Context(MonotonicTime::max()), std::move(request)));
    }

    FakeWorld world_;
    HttpRouter router_{world_};
};

TEST_F(Router, MatchesByMethodAndPath) {
    EXPECT_EQ(send("GET", "/stock/A").body, "get /stock/A sku=A");
    EXPECT_EQ(send("PUT", "/stock/A").body, "put /stock/A sku=A");
    EXPECT_EQ(send("GET", "/stock/A/ledger").body, "ledger /stock/A/ledger sku=A");
}

TEST_F(Router, TheFirstMatchWins) {
    EXPECT_EQ(send("GET", "/stock/total").body, "total /stock/total");
}

TEST_F(Router, DecodesParametersWithoutSplittingAtEncodedSlashes) {
    EXPECT_EQ(send("GET", "/stock/a%2Fb%20c+d").body, "get /stock/a%2Fb%20c+d sku=a/b c+d");
}

TEST_F(Router, SplitsAndDecodesTheQuery) {
    EXPECT_EQ(send("GET", "/stock/A/ledger?after=12&name=a+b%26c&flag").body,
              "ledger /stock/A/ledger sku=A ?after=12 ?name=a b&c ?flag=");
}

TEST_F(Router, RefusesBadPercentEncoding) {
    for (const char* target : {"/stock/%", "/stock/%4", "/stock/%zz", "/stock/A?x=%1"}) {
        const HttpResponse response = send("GET", target);
        EXPECT_EQ(response.status, 400) << target;
        EXPECT_EQ(response.content_type, "application/problem+json");
    }
}

TEST_F(Router, AnswersUnknownPathsWith404) {
    for (const char* target : {"/", "", "/stock", "/stock/", "/stock/A/", "/stock/A/B/C"}) {
        EXPECT_EQ(send("GET", target).status, 404) << target;
    }
}

TEST_F(Router, AnswersOtherMethodsWith405AndAllow) {
    const HttpResponse response = send("DELETE", "/stock/A");
    EXPECT_EQ(response.status, 405);
    ASSERT_EQ(response.fields.size(), 1u);
    EXPECT_EQ(response.fields[0].first, "allow");
    EXPECT_EQ(response.fields[0].second, "GET, PUT");
}

TEST_F(Router, HidesWhatHandlersThrow) {
    const HttpResponse response = send("GET", "/throws");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.body.find("hunter2"), std::string::npos);
    EXPECT_EQ(world_.logged.size(), 1u);
}

}  // namespace
}  // namespace rushproof
