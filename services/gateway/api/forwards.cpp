#include "services/gateway/api/forwards.hpp"

#include <charconv>
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"
#include "core/runtime/rfc3339.hpp"

namespace rushproof::gateway {

namespace {

namespace wire = ::inventory::v1;

constexpr std::string_view inventory = "inventory";

// --- requests ---

Result<Outgoing> read_reserve(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_TRY(const std::string_view sku, body.text("sku"));
    RP_TRY(const std::int64_t quantity, body.integer("quantity"));
    wire::ReserveRequest message;
    message.set_sku(sku.data(), sku.size());
    message.set_quantity(quantity);
    return Outgoing{std::string(sku), message.SerializeAsString()};
}

// Goes to the instance of its first SKU in the order in which they are locked.
Result<Outgoing> read_basket(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_TRY(const std::size_t lines, body.size("lines"));
    wire::BasketRequest message;
    std::string first;
    for (std::size_t i = 0; i < lines; ++i) {
        RP_TRY(const std::string_view sku, body.text("lines", i, "sku"));
        RP_TRY(const std::int64_t quantity, body.integer("lines", i, "quantity"));
        wire::Line& line = *message.add_lines();
        line.set_sku(sku.data(), sku.size());
        line.set_quantity(quantity);
        if (first.empty() || sku < first) { first = sku; }
    }
    return Outgoing{std::move(first), message.SerializeAsString()};
}

Result<Outgoing> read_adjustment(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_TRY(const std::int64_t change, body.integer("change"));
    const std::string sku(request.parameter("sku"));
    wire::AdjustStockRequest message;
    message.set_sku(sku);
    message.set_change(change);
    return Outgoing{sku, message.SerializeAsString()};
}

// Goes to the instance of its first SKU, as a basket does.
Result<Outgoing> read_adjustments(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_TRY(const std::size_t lines, body.size("lines"));
    wire::AdjustStocksRequest message;
    std::string first;
    for (std::size_t i = 0; i < lines; ++i) {
        RP_TRY(const std::string_view sku, body.text("lines", i, "sku"));
        RP_TRY(const std::int64_t change, body.integer("lines", i, "change"));
        wire::AdjustStockRequest& line = *message.add_lines();
        line.set_sku(sku.data(), sku.size());
        line.set_change(change);
        if (first.empty() || sku < first) { first = sku; }
    }
    return Outgoing{std::move(first), message.SerializeAsString()};
}

Result<Outgoing> read_reservation_id(const HttpRequest& request) {
    const std::string id(request.parameter("id"));
    wire::ReservationRequest message;
    message.set_id(id);
    return Outgoing{id, message.SerializeAsString()};
}

Result<Outgoing> read_sku(const HttpRequest& request) {
    const std::string sku(request.parameter("sku"));
    wire::StockRequest message;
    message.set_sku(sku);
    return Outgoing{sku, message.SerializeAsString()};
}

Result<Outgoing> read_set_stock(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_TRY(const std::int64_t on_hand, body.integer("on_hand"));
    const std::string sku(request.parameter("sku"));
    wire::SetStockRequest message;
    message.set_sku(sku);
    message.set_on_hand(on_hand);
    return Outgoing{sku, message.SerializeAsString()};
}

std::string_view word_of(wire::State state) {
    switch (state) {
        case wire::HELD: return "held";
        case wire::CONFIRMED: return "confirmed";
        case wire::RELEASED: return "released";
        case wire::EXPIRED: return "expired";
        default: return "unknown";
    }
}

Result<Outgoing> read_ledger_page(const HttpRequest& request) {
    const std::string sku(request.parameter("sku"));
    wire::LedgerRequest message;
    message.set_sku(sku);
    RP_TRY(const std::int64_t after, query_number(request, "after"));
    RP_TRY(const std::int64_t limit, query_number(request, "limit"));
    message.set_after(after);
    message.set_limit(limit);
    return Outgoing{sku, message.SerializeAsString()};
}

Result<wire::State> query_state(const HttpRequest& request) {
    const std::string_view word = request.query("state");
    if (word.empty()) { return wire::STATE_UNSPECIFIED; }
    for (const wire::State state : {wire::HELD, wire::CONFIRMED, wire::RELEASED, wire::EXPIRED}) {
        if (word == word_of(state)) { return state; }
    }
    return failure(ErrorKind::permanent, "malformed",
                   "state must be held, confirmed, released or expired");
}

Result<Outgoing> read_reservations_page(const HttpRequest& request) {
    wire::ListReservationsRequest message;
    message.set_sku(std::string(request.query("sku")));
    RP_TRY(const wire::State state, query_state(request));
    message.set_state(state);
    message.set_after(std::string(request.query("after")));
    RP_TRY(const std::int64_t limit, query_number(request, "limit"));
    message.set_limit(limit);
    return Outgoing{message.after(), message.SerializeAsString()};
}

Result<Outgoing> read_stock_page(const HttpRequest& request) {
    wire::ListStockRequest message;
    message.set_after(std::string(request.query("after")));
    RP_TRY(const std::int64_t limit, query_number(request, "limit"));
    message.set_limit(limit);
    return Outgoing{message.after(), message.SerializeAsString()};
}

// --- answers ---

std::string time(std::int64_t microseconds) {
    return to_rfc3339(WallTime(std::chrono::microseconds(microseconds)));
}

HttpResponse with_position(HttpResponse response, const std::string& position) {
    if (!position.empty()) { response.fields.emplace_back(position_field, position); }
    return response;
}

void write_reservation(JsonWriter& json, const wire::Reservation& reservation) {
    json.begin_object();
    json.member("id", reservation.id());
    if (reservation.lines().empty()) {
        json.member("sku", reservation.sku());
        json.member("quantity", reservation.quantity());
    } else {
        json.begin_array("lines");
        for (const wire::Line& line : reservation.lines()) {
            json.begin_object();
            json.member("sku", line.sku());
            json.member("quantity", line.quantity());
            json.end_object();
        }
        json.end_array();
    }
    json.member("owner", reservation.owner());
    json.member("state", word_of(reservation.state()));
    json.member("expires_at", time(reservation.expires_at_us()));
    json.member("expires_in_ms", reservation.time_left_us() / 1000);
    json.end_object();
}

HttpResponse write_made(const std::string& answer) { return reservation_response(201, answer); }
HttpResponse write_found(const std::string& answer) { return reservation_response(200, answer); }

void write_stock(JsonWriter& json, const wire::Stock& stock) {
    json.begin_object();
    json.member("sku", stock.sku());
    json.member("on_hand", stock.on_hand());
    json.member("held", stock.held());
    json.member("sold", stock.sold());
    json.member("available", stock.on_hand() - stock.held());
    json.member("version", stock.version());
    json.end_object();
}

HttpResponse write_stock(const std::string& answer) {
    wire::Stock stock;
    if (!stock.ParseFromString(answer)) { return unreadable(inventory); }
    JsonWriter json;
    write_stock(json, stock);
    return with_position(HttpResponse(200, std::move(json).text()), stock.position());
}

// All that one call wrote has one position.
template <class Page, class Write>
HttpResponse write_placed_page(const Page& page, Write write) {
    HttpResponse response = write_page(page, write);
    return page.items().empty() ? response
                                : with_position(std::move(response), page.items(0).position());
}

HttpResponse write_reservations(const std::string& answer) {
    wire::Reservations page;
    if (!page.ParseFromString(answer)) { return unreadable(inventory); }
    return write_placed_page(
        page, [](JsonWriter& json, const auto& item) { write_reservation(json, item); });
}

HttpResponse write_stocks(const std::string& answer) {
    wire::Stocks page;
    if (!page.ParseFromString(answer)) { return unreadable(inventory); }
    return write_placed_page(page,
                             [](JsonWriter& json, const auto& item) { write_stock(json, item); });
}

HttpResponse write_ledger(const std::string& answer) {
    wire::Ledger ledger;
    if (!ledger.ParseFromString(answer)) { return unreadable(inventory); }
    JsonWriter json;
    json.begin_object();
    json.begin_array("entries");
    for (const wire::LedgerEntry& entry : ledger.entries()) {
        json.begin_object();
        json.member("number", entry.number());
        json.member("kind", entry.kind());
        json.member("quantity", entry.quantity());
        if (!entry.reservation().empty()) {
            json.member("reservation", entry.reservation());
            json.member("key", entry.key());
        }
        json.member("at", time(entry.at_us()));
        json.member("at_us", entry.at_us());
        json.end_object();
    }
    json.end_array();
    if (ledger.entries_size() > 0) {
        json.member("next", ledger.entries(ledger.entries_size() - 1).number());
    }
    json.end_object();
    return HttpResponse(200, std::move(json).text());
}

}  // namespace

Result<std::int64_t> query_number(const HttpRequest& request, std::string_view name) {
    const std::string_view text = request.query(name);
    if (text.empty()) { return 0; }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0) { return number; }
    return failure(ErrorKind::permanent, "malformed",
                   std::string(name) + " must be a non-negative integer");
}

HttpResponse reservation_response(int status, const std::string& answer) {
    wire::Reservation reservation;
    if (!reservation.ParseFromString(answer)) { return unreadable(inventory); }
    JsonWriter json;
    write_reservation(json, reservation);
    return with_position(HttpResponse(status, std::move(json).text()), reservation.position());
}

HttpResponse unreadable(std::string_view role) {
    return problem(Error(ErrorKind::unknown_outcome, "malformed-answer",
                         std::string(role) + "'s answer is unreadable"));
}

const std::vector<Forward>& inventory_forwards() {
    static const std::vector<Forward> table{
        {"POST", "/api/v1/reservations", "inventory.v1.Inventory/Reserve", &read_reserve,
         &write_made, with_key, Reach::sku, true},
        {"POST", "/api/v1/baskets", "inventory.v1.Inventory/ReserveBasket", &read_basket,
         &write_made, with_key, Reach::basket},
        {"GET", "/api/v1/reservations", "inventory.v1.Inventory/ListReservations",
         &read_reservations_page, &write_reservations, without_key, Reach::reservations},
        {"POST", "/api/v1/reservations/{id}/extend", "inventory.v1.Inventory/Extend",
         &read_reservation_id, &write_found, without_key, Reach::reservation},
        {"GET", "/api/v1/stock", "inventory.v1.Inventory/ListStock", &read_stock_page,
         &write_stocks, without_key, Reach::stocks},
        {"POST", "/api/v1/stock/{sku}/adjustments", "inventory.v1.Inventory/AdjustStock",
         &read_adjustment, &write_stock, with_key},
        {"POST", "/api/v1/stock/adjustments", "inventory.v1.Inventory/AdjustStocks",
         &read_adjustments, &write_stocks, with_key, Reach::adjustments},
        {"GET", "/api/v1/reservations/{id}", "inventory.v1.Inventory/GetReservation",
         &read_reservation_id, &write_found, without_key, Reach::reservation},
        {"POST", "/api/v1/reservations/{id}/confirm", "inventory.v1.Inventory/Confirm",
         &read_reservation_id, &write_found, without_key, Reach::reservation},
        {"POST", "/api/v1/reservations/{id}/release", "inventory.v1.Inventory/Release",
         &read_reservation_id, &write_found, without_key, Reach::reservation},
        {"GET", "/api/v1/stock/{sku}", "inventory.v1.Inventory/GetStock", &read_sku, &write_stock,
         without_key},
        {"PUT", "/api/v1/stock/{sku}", "inventory.v1.Inventory/SetStock", &read_set_stock,
         &write_stock, without_key},
        {"GET", "/api/v1/stock/{sku}/ledger", "inventory.v1.Inventory/GetLedger", &read_ledger_page,
         &write_ledger, without_key},
    };
    return table;
}

}  // namespace rushproof::gateway
