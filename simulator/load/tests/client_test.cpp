// Goal: the client speaks the public API and sorts answers by what they say about the effect.
// Method: a fake HTTP client that keeps the request and gives a canned answer.
#include "simulator/load/client.hpp"

#include <gtest/gtest.h>

#include "simulator/load/tests/fake_shop.hpp"

namespace rushproof::simulator {
namespace {

class Client : public testing::Test {
protected:
    Client() : http_([this](Context, HttpRequest request) { return answer_it(request); }) {}

    Context context() const {
        Context context(world_.monotonic() + std::chrono::seconds(1));
        context.idempotency_key = "key-1";
        context.principal = "owner-1";
        return context;
    }
    template <class T>
    Result<T> get(Task<Result<T>> task) {
        return world_.finish(std::move(task)).value();
    }

    FakeWorld world_;
    Result<HttpResponse> answer_ = HttpResponse(200);
    HttpRequest request_;
    FakeShop http_;
    ReservationClient client_{http_};

private:
    Task<Result<HttpResponse>> answer_it(HttpRequest request) {
        request_ = std::move(request);
        co_return answer_;
    }
};

TEST_F(Client, ReserveSendsKeyOwnerAndBody) {
    answer_ = reservation("r-9");
    const auto reserved = get(client_.reserve(context(), "SKU \"1\"", 3));
    ASSERT_TRUE(reserved);
    EXPECT_EQ(reserved->id, "r-9");
    EXPECT_EQ(reserved->state, "held");
    EXPECT_EQ(request_.method, "POST");
    EXPECT_EQ(request_.target, "/api/v1/reservations");
    EXPECT_EQ(request_.body, R"({"sku":"SKU \"1\"","quantity":3})");
    EXPECT_EQ(request_.field("idempotency-key"), "key-1");
    EXPECT_EQ(request_.field("x-owner"), "owner-1");
    EXPECT_EQ(request_.field("content-type"), "application/json");
}

TEST_F(Client, ABasketIsOneRequest) {
    answer_ = reservation("r-9");
    ASSERT_TRUE(get(client_.reserve(context(), Items{{"SKU-2", 1}, {"SKU-1", 3}})));
    EXPECT_EQ(request_.method, "POST");
    EXPECT_EQ(request_.target, "/api/v1/baskets");
    EXPECT_EQ(request_.body,
              R"({"lines":[{"sku":"SKU-2","quantity":1},{"sku":"SKU-1","quantity":3}]})");
    EXPECT_EQ(request_.field("idempotency-key"), "key-1");
    EXPECT_EQ(request_.field("x-owner"), "owner-1");
}

TEST_F(Client, ConfirmAndReleaseNameTheReservation) {
    answer_ = reservation("r/9");
    EXPECT_TRUE(get(client_.confirm(context(), "r/9")));
    EXPECT_EQ(request_.target, "/api/v1/reservations/r%2F9/confirm");
    EXPECT_EQ(request_.field("x-owner"), "owner-1");
    EXPECT_TRUE(get(client_.release(context(), "r-9")));
    EXPECT_EQ(request_.target, "/api/v1/reservations/r-9/release");
}

TEST_F(Client, FindAndExtendNameTheReservation) {
    answer_ = reservation("r/9");
    EXPECT_EQ(get(client_.find(context(), "r/9"))->state, "held");
    EXPECT_EQ(request_.method, "GET");
    EXPECT_EQ(request_.target, "/api/v1/reservations/r%2F9");
    EXPECT_EQ(request_.field("x-owner"), "owner-1");
    EXPECT_TRUE(get(client_.extend(context(), "r-9")));
    EXPECT_EQ(request_.target, "/api/v1/reservations/r-9/extend");
}

TEST_F(Client, ThePositionOfAWriteIsSentBack) {
    HttpResponse written = reservation("r-9");
    written.fields.emplace_back("rushproof-position", "1f");
    answer_ = written;
    EXPECT_EQ(get(client_.reserve(context(), "SKU-1", 1))->position, "1f");
    EXPECT_EQ(request_.field("rushproof-position"), "");
    Context seen = context();
    seen.position = "1f";
    EXPECT_EQ(get(client_.find(seen, "r-9"))->position, "1f");
    EXPECT_EQ(request_.field("rushproof-position"), "1f");
    get(client_.stock(seen, "SKU-1"));
    EXPECT_EQ(request_.field("rushproof-position"), "1f");
}

TEST_F(Client, StockIsReadAndSet) {
    answer_ = stock_of(7);
    const auto stock = get(client_.stock(context(), "SKU-1"));
    ASSERT_TRUE(stock);
    EXPECT_EQ(stock->on_hand, 9);
    EXPECT_EQ(stock->available, 7);
    EXPECT_EQ(request_.method, "GET");
    EXPECT_EQ(request_.target, "/api/v1/stock/SKU-1");
    EXPECT_TRUE(get(client_.set_stock(context(), "SKU-1", 500)));
    EXPECT_EQ(request_.method, "PUT");
    EXPECT_EQ(request_.body, R"({"on_hand":500})");
}

TEST_F(Client, LedgerIsReadInPages) {
    answer_ = HttpResponse(
        200, R"({"entries":[{"number":1,"kind":"stock","quantity":20,"at_us":5},)"
             R"({"number":2,"reservation":"r","key":"k","kind":"reserve","quantity":1,"at_us":6}],)"
             R"("next":2})");
    const auto page = get(client_.ledger(context(), "SKU-1", 0, 2));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->rows.size(), 2u);
    EXPECT_EQ(page->rows[0].kind, "stock");
    EXPECT_EQ(page->rows[0].key, "");
    EXPECT_EQ(page->rows[1].key, "k");
    EXPECT_EQ(page->rows[1].at_us, 6);
    EXPECT_EQ(page->next, 2);
    EXPECT_EQ(request_.target, "/api/v1/stock/SKU-1/ledger");
    EXPECT_EQ(request_.query("after"), "0");
    EXPECT_EQ(request_.query("limit"), "2");
    for (const char* last : {R"({"entries":[],"next":null})", R"({"entries":[]})"}) {
        answer_ = HttpResponse(200, last);
        EXPECT_EQ(get(client_.ledger(context(), "SKU-1", 2, 2))->next, std::nullopt);
    }
}

TEST_F(Client, ProblemsSayWhetherThereWasAnEffect) {
    struct Case {
        int status;
        std::string body;
        ErrorKind kind;
        std::string code;
    };
    const Case cases[] = {
        {409, R"({"code":"insufficient-stock"})", ErrorKind::permanent, "insufficient-stock"},
        {409, R"({"code":"conflict","kind":"retryable"})", ErrorKind::retryable, "conflict"},
        {503, R"({"code":"overloaded"})", ErrorKind::retryable, "overloaded"},
        {429, "slow down", ErrorKind::retryable, "status-429"},
        {504, R"({"code":"deadline-exceeded"})", ErrorKind::unknown_outcome, "deadline-exceeded"},
        {500, "", ErrorKind::unknown_outcome, "status-500"},
        {500, R"({"code":"internal","kind":"permanent"})", ErrorKind::permanent, "internal"},
        {502, "<html>", ErrorKind::unknown_outcome, "status-502"},
        {302, "", ErrorKind::unknown_outcome, "status-302"},
        {404, R"({"code":12})", ErrorKind::permanent, "status-404"},
        {503, R"({"kind":"unknown outcome","code":"x"})", ErrorKind::unknown_outcome, "x"},
    };
    for (const Case& expected : cases) {
        answer_ = HttpResponse(expected.status, expected.body);
        const auto result = get(client_.reserve(context(), "SKU-1", 1));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind(), expected.kind) << expected.status << expected.body;
        EXPECT_EQ(result.error().code(), expected.code) << expected.status << expected.body;
    }
}

TEST_F(Client, WhatCannotBeUnderstoodMayHaveHadItsEffect) {
    for (const char* body : {"", "[]", R"({"id":7,"state":"held"})", "{"}) {
        answer_ = HttpResponse(201, body);
        const auto result = get(client_.reserve(context(), "SKU-1", 1));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind(), ErrorKind::unknown_outcome) << body;
    }
    for (const char* body : {"", "{}", R"({"entries":7})", R"({"entries":[{"number":"1"}]})"}) {
        answer_ = HttpResponse(200, body);
        EXPECT_FALSE(get(client_.ledger(context(), "SKU-1", 0, 2))) << body;
    }
    answer_ = no_answer();
    EXPECT_EQ(get(client_.confirm(context(), "r")).error().code(), "deadline-exceeded");
}

}  // namespace
}  // namespace rushproof::simulator
