#include "simulator/load/client.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "core/runtime/json.hpp"
#include "simulator/load/answers.hpp"

namespace rushproof::simulator {

namespace json = boost::json;

namespace {

std::string stock_path(std::string_view sku) { return "/api/v1/stock/" + path_segment(sku); }

Result<ReservationAnswer> read_reservation(const HttpResponse& response) {
    const JsonBody body(response.body);
    RP_TRY(const auto id, body.text("id"));
    RP_TRY(const auto state, body.text("state"));
    ReservationAnswer answer;
    answer.id = id;
    answer.state = state;
    for (const auto& [name, value] : response.fields) {
        if (name == position_field) { answer.position = value; }
    }
    return answer;
}

Result<StockAnswer> read_stock(const HttpResponse& response) {
    const JsonBody body(response.body);
    RP_TRY(const auto on_hand, body.integer("on_hand"));
    RP_TRY(const auto held, body.integer("held"));
    RP_TRY(const auto sold, body.integer("sold"));
    RP_TRY(const auto available, body.integer("available"));
    return StockAnswer{on_hand, held, sold, available};
}

LedgerRow read_row(const json::object& row) {
    LedgerRow result;
    result.number = row.at("number").as_int64();
    result.kind = row.at("kind").as_string();
    result.quantity = row.at("quantity").as_int64();
    result.at_us = row.at("at_us").as_int64();
    // Stock changes belong to no reservation.
    const auto optional_text = [&](std::string_view member) {
        const json::value* found = row.if_contains(member);
        return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                      : std::string();
    };
    result.reservation = optional_text("reservation");
    result.key = optional_text("key");
    return result;
}

Result<LedgerPage> read_ledger(const HttpResponse& response) {
    // A page is many small values, all of which die together.
    json::monotonic_resource memory(16 * response.body.size() + 1);
    try {
        const json::value body = json::parse(response.body, &memory);
        LedgerPage page;
        for (const json::value& row : body.as_object().at("entries").as_array()) {
            page.rows.push_back(read_row(row.as_object()));
        }
        const json::value* next = body.get_object().if_contains("next");
        if (next != nullptr && next->is_int64()) { page.next = next->get_int64(); }
        return page;
    } catch (const std::exception& error) {
        return failure(ErrorKind::permanent, "malformed", error.what());
    }
}

}  // namespace

Task<Result<ReservationAnswer>> ReservationClient::reserve(Context context, std::string sku,
                                                           std::int64_t quantity) {
    JsonWriter body;
    body.begin_object();
    body.member("sku", sku);
    body.member("quantity", quantity);
    body.end_object();
    return create(std::move(context), "/api/v1/reservations", std::move(body).text());
}

Task<Result<ReservationAnswer>> ReservationClient::reserve(Context context, Items items) {
    JsonWriter body;
    body.begin_object();
    body.begin_array("lines");
    for (const auto& [sku, quantity] : items) {
        body.begin_object();
        body.member("sku", sku);
        body.member("quantity", quantity);
        body.end_object();
    }
    body.end_array();
    body.end_object();
    return create(std::move(context), "/api/v1/baskets", std::move(body).text());
}

Task<Result<ReservationAnswer>> ReservationClient::create(Context context, std::string path,
                                                          std::string body) {
    HttpRequest request("POST", std::move(path), std::move(body));
    request.fields.reserve(3);
    request.fields.emplace_back("content-type", "application/json");
    request.fields.emplace_back("idempotency-key", context.idempotency_key);
    request.fields.emplace_back("x-owner", context.principal);
    co_return understand(co_await send(std::move(context), std::move(request)), read_reservation);
}

Task<Result<ReservationAnswer>> ReservationClient::confirm(Context context, std::string id) {
    return change(std::move(context), std::move(id), "confirm");
}

Task<Result<ReservationAnswer>> ReservationClient::release(Context context, std::string id) {
    return change(std::move(context), std::move(id), "release");
}

Task<Result<ReservationAnswer>> ReservationClient::extend(Context context, std::string id) {
    return change(std::move(context), std::move(id), "extend");
}

Task<Result<ReservationAnswer>> ReservationClient::find(Context context, std::string id) {
    HttpRequest request("GET", "/api/v1/reservations/" + path_segment(id));
    request.fields.emplace_back("x-owner", context.principal);
    co_return understand(co_await send(std::move(context), std::move(request)), read_reservation);
}

Task<Result<HttpResponse>> ReservationClient::send(Context context, HttpRequest request) {
    if (!context.position.empty()) {
        request.fields.emplace_back(position_field, context.position);
    }
    return http_.send(std::move(context), std::move(request));
}

Task<Result<ReservationAnswer>> ReservationClient::change(Context context, std::string id,
                                                          std::string verb) {
    HttpRequest request("POST", "/api/v1/reservations/" + path_segment(id) + '/' + verb);
    request.fields.emplace_back("x-owner", context.principal);
    co_return understand(co_await send(std::move(context), std::move(request)), read_reservation);
}

Task<Result<StockAnswer>> ReservationClient::stock(Context context, std::string sku) {
    HttpRequest request("GET", stock_path(sku));
    co_return understand(co_await send(std::move(context), std::move(request)), read_stock);
}

Task<Result<StockAnswer>> ReservationClient::set_stock(Context context, std::string sku,
                                                       std::int64_t on_hand) {
    JsonWriter body;
    body.begin_object();
    body.member("on_hand", on_hand);
    body.end_object();
    HttpRequest request("PUT", stock_path(sku), std::move(body).text());
    request.fields.emplace_back("content-type", "application/json");
    co_return understand(co_await send(std::move(context), std::move(request)), read_stock);
}

Task<Result<LedgerPage>> ReservationClient::ledger(Context context, std::string sku,
                                                   std::int64_t after, std::int64_t limit) {
    HttpRequest request("GET", stock_path(sku) + "/ledger");
    request.queries.emplace_back("after", std::to_string(after));
    request.queries.emplace_back("limit", std::to_string(limit));
    co_return understand(co_await send(std::move(context), std::move(request)), read_ledger);
}

}  // namespace rushproof::simulator
