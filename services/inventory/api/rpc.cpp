#include "services/inventory/api/rpc.hpp"

#include <utility>

#include "services/inventory/api/shard_check.hpp"
#include "services/inventory/domain/checks.hpp"
#include "services/inventory/limits.hpp"

namespace rushproof::inventory {

namespace {

// Where a page of reservations ends: "id/sku".
std::string cursor_of(const Reservation& line) {
    return line.id.text() + '/' + line.lines.front().sku.text();
}

Result<void> read_cursor(const std::string& cursor, ReservationPage& page) {
    if (cursor.empty()) { return {}; }
    const std::size_t slash = cursor.find('/');
    if (slash == std::string::npos) {
        return failure(ErrorKind::permanent, "invalid",
                       "after must be the `next` of the page before");
    }
    page.after_id = ReservationId(cursor.substr(0, slash));
    page.after_sku = Sku(cursor.substr(slash + 1));
    return {};
}

std::string_view word_of(wire::State state) {
    switch (state) {
        case wire::HELD: return to_string(State::held);
        case wire::CONFIRMED: return to_string(State::confirmed);
        case wire::RELEASED: return to_string(State::released);
        case wire::EXPIRED: return to_string(State::expired);
        default: return {};
    }
}

wire::State to_wire(State state) {
    switch (state) {
        case State::held: return wire::HELD;
        case State::confirmed: return wire::CONFIRMED;
        case State::released: return wire::RELEASED;
        case State::expired: return wire::EXPIRED;
    }
    return wire::STATE_UNSPECIFIED;
}

wire::Reservation message_of(const Reservation& reservation) {
    wire::Reservation message;
    message.set_id(reservation.id.text());
    const bool is_basket = reservation.lines.size() > 1;
    for (const Line& line : reservation.lines) {
        if (is_basket) {
            wire::Line& added = *message.add_lines();
            added.set_sku(line.sku.text());
            added.set_quantity(line.quantity.units());
        } else {
            message.set_sku(line.sku.text());
            message.set_quantity(line.quantity.units());
        }
    }
    message.set_owner(reservation.owner.text());
    message.set_state(to_wire(reservation.state));
    message.set_expires_at_us(reservation.expires_at.time_since_epoch().count());
    message.set_time_left_us(reservation.time_left.count());
    message.set_position(reservation.position);
    return message;
}

std::string encode(const Reservation& reservation) {
    return message_of(reservation).SerializeAsString();
}

// A full page may have another one after it.
std::string encode(const std::vector<Reservation>& page, std::int64_t limit) {
    wire::Reservations message;
    for (const Reservation& item : page) { *message.add_items() = message_of(item); }
    if (static_cast<std::int64_t>(page.size()) == limit) {
        message.set_next(cursor_of(page.back()));
    }
    return message.SerializeAsString();
}

wire::Stock message_of(const Sku& sku, const Stock& stock) {
    wire::Stock message;
    message.set_sku(sku.text());
    message.set_on_hand(stock.on_hand.units());
    message.set_held(stock.held.units());
    message.set_sold(stock.sold.units());
    message.set_version(stock.version);
    message.set_position(stock.position);
    return message;
}

std::string encode(const Sku& sku, const Stock& stock) {
    return message_of(sku, stock).SerializeAsString();
}

std::string encode(const std::vector<std::pair<Sku, Stock>>& page, std::int64_t limit) {
    wire::Stocks message;
    for (const auto& [sku, stock] : page) { *message.add_items() = message_of(sku, stock); }
    if (static_cast<std::int64_t>(page.size()) == limit) {
        message.set_next(page.back().first.text());
    }
    return message.SerializeAsString();
}

std::string encode(const std::vector<LedgerEntry>& entries) {
    wire::Ledger message;
    for (const LedgerEntry& entry : entries) {
        wire::LedgerEntry& added = *message.add_entries();
        added.set_number(entry.number);
        added.set_reservation(entry.reservation.text());
        added.set_key(entry.key.text());
        added.set_kind(entry.kind);
        added.set_quantity(entry.quantity.units());
        added.set_at_us(entry.at.time_since_epoch().count());
    }
    return message.SerializeAsString();
}

}  // namespace

Api::Api(Application& application, Environment& environment, Scope& scope, Shard shard)
    : application_(application),
      calls_(environment, scope, "inventory.v1.Inventory"),
      shard_(shard) {}

std::vector<RpcMethod> Api::methods() {
    std::vector<RpcMethod> methods;
    methods.push_back(method("Reserve", &Api::reserve));
    methods.push_back(method("ReserveBasket", &Api::reserve_basket));
    methods.push_back(method("Extend", &Api::extend));
    methods.push_back(method("ListReservations", &Api::list_reservations));
    methods.push_back(method("GetReservation", &Api::get_reservation));
    methods.push_back(method("Confirm", &Api::confirm));
    methods.push_back(method("Release", &Api::release));
    methods.push_back(method("GetStock", &Api::get_stock));
    methods.push_back(method("SetStock", &Api::set_stock));
    methods.push_back(method("AdjustStock", &Api::adjust_stock));
    methods.push_back(method("AdjustStocks", &Api::adjust_stocks));
    methods.push_back(method("ListStock", &Api::list_stock));
    methods.push_back(method("GetLedger", &Api::get_ledger));
    return methods;
}

template <class Request>
RpcMethod Api::method(std::string_view name, Handler<Request> handler) {
    return calls_.method<Request>(
        name, [this, handler](Context context, Request request) -> Answer {
            RP_CO_CHECK(check_shard(shard_, request));
            co_return co_await (this->*handler)(std::move(context), std::move(request));
        });
}

Api::Answer Api::reserve(Context context, wire::ReserveRequest request) {
    ReserveRequest checked;
    RP_CO_TRY(checked.owner, check_owner(context.principal));
    RP_CO_TRY(checked.key, check_key(context.idempotency_key));
    Line only;
    RP_CO_TRY(only.sku, check_sku(request.sku()));
    RP_CO_TRY(only.quantity, check_quantity(request.quantity()));
    checked.lines.push_back(std::move(only));
    RP_CO_TRY(const Reservation reservation,
              co_await application_.reserve(std::move(context), std::move(checked)));
    co_return encode(reservation);
}

Api::Answer Api::reserve_basket(Context context, wire::BasketRequest request) {
    ReserveRequest checked;
    RP_CO_TRY(checked.owner, check_owner(context.principal));
    RP_CO_TRY(checked.key, check_key(context.idempotency_key));
    std::vector<Line> lines;
    for (const wire::Line& line : request.lines()) {
        const std::string place = "lines[" + std::to_string(lines.size()) + "].";
        RP_CO_TRY(Sku sku, at(place, check_sku(line.sku())));
        RP_CO_TRY(const Quantity quantity, at(place, check_quantity(line.quantity())));
        lines.push_back({std::move(sku), quantity});
    }
    RP_CO_TRY(checked.lines, check_basket(std::move(lines)));
    RP_CO_TRY(const Reservation reservation,
              co_await application_.reserve(std::move(context), std::move(checked)));
    co_return encode(reservation);
}

Api::Answer Api::extend(Context context, wire::ReservationRequest request) {
    RP_CO_TRY(Owner owner, check_owner(context.principal));
    RP_CO_TRY(ReservationId id, check_reservation_id(request.id()));
    RP_CO_TRY(const Reservation reservation,
              co_await application_.extend(std::move(context), std::move(id), std::move(owner)));
    co_return encode(reservation);
}

Api::Answer Api::list_reservations(Context context, wire::ListReservationsRequest request) {
    ReservationPage page;
    RP_CO_TRY(page.owner, check_owner(context.principal));
    if (!request.sku().empty()) { RP_CO_TRY(page.sku, check_sku(request.sku())); }
    page.state = word_of(request.state());
    RP_CO_CHECK(read_cursor(request.after(), page));
    RP_CO_TRY(page.limit, check_page_limit(request.limit()));
    const std::int64_t limit = page.limit;
    RP_CO_TRY(const auto items,
              co_await application_.list_reservations(std::move(context), std::move(page)));
    co_return encode(items, limit);
}

Api::Answer Api::get_reservation(Context context, wire::ReservationRequest request) {
    RP_CO_TRY(Owner owner, check_owner(context.principal));
    RP_CO_TRY(ReservationId id, check_reservation_id(request.id()));
    RP_CO_TRY(
        const Reservation reservation,
        co_await application_.get_reservation(std::move(context), std::move(id), std::move(owner)));
    co_return encode(reservation);
}

Api::Answer Api::confirm(Context context, wire::ReservationRequest request) {
    return end(std::move(context), Ending::confirm, std::move(request));
}

Api::Answer Api::release(Context context, wire::ReservationRequest request) {
    return end(std::move(context), Ending::release, std::move(request));
}

Api::Answer Api::end(Context context, Ending wish, wire::ReservationRequest request) {
    RP_CO_TRY(Owner owner, check_owner(context.principal));
    RP_CO_TRY(ReservationId id, check_reservation_id(request.id()));
    RP_CO_TRY(const Reservation reservation,
              co_await application_.end(std::move(context), wish, std::move(id), std::move(owner)));
    co_return encode(reservation);
}

Api::Answer Api::get_stock(Context context, wire::StockRequest request) {
    RP_CO_TRY(const Sku sku, check_sku(request.sku()));
    RP_CO_TRY(const Stock stock, co_await application_.get_stock(std::move(context), sku));
    co_return encode(sku, stock);
}

Api::Answer Api::set_stock(Context context, wire::SetStockRequest request) {
    RP_CO_TRY(const Sku sku, check_sku(request.sku()));
    RP_CO_TRY(const Quantity on_hand, check_on_hand(request.on_hand()));
    RP_CO_TRY(const Stock stock, co_await application_.set_stock(std::move(context), sku, on_hand));
    co_return encode(sku, stock);
}

Api::Answer Api::adjust_stock(Context context, wire::AdjustStockRequest request) {
    Adjustment checked;
    RP_CO_TRY(checked.owner, check_owner(context.principal));
    RP_CO_TRY(checked.key, check_key(context.idempotency_key));
    RP_CO_TRY(const Sku sku, check_sku(request.sku()));
    RP_CO_TRY(const Quantity change, check_change(request.change()));
    checked.changes.push_back({sku, change});
    RP_CO_TRY(const auto stocks,
              co_await application_.adjust(std::move(context), std::move(checked)));
    co_return encode(sku, stocks.front());
}

Api::Answer Api::adjust_stocks(Context context, wire::AdjustStocksRequest request) {
    Adjustment checked;
    RP_CO_TRY(checked.owner, check_owner(context.principal));
    RP_CO_TRY(checked.key, check_key(context.idempotency_key));
    std::vector<Line> lines;
    for (const wire::AdjustStockRequest& line : request.lines()) {
        const std::string place = "lines[" + std::to_string(lines.size()) + "].";
        RP_CO_TRY(Sku sku, at(place, check_sku(line.sku())));
        RP_CO_TRY(const Quantity change, at(place, check_change(line.change())));
        lines.push_back({std::move(sku), change});
    }
    RP_CO_TRY(checked.changes, check_adjustment(std::move(lines)));
    checked.alone = true;
    std::vector<std::pair<Sku, Stock>> items;
    items.reserve(checked.changes.size());
    for (const Line& line : checked.changes) { items.emplace_back(line.sku, Stock()); }
    RP_CO_TRY(const auto stocks,
              co_await application_.adjust(std::move(context), std::move(checked)));
    for (std::size_t i = 0; i < stocks.size(); ++i) { items[i].second = stocks[i]; }
    co_return encode(items, limits::page);
}

Api::Answer Api::list_stock(Context context, wire::ListStockRequest request) {
    StockPage page;
    page.after = Sku(request.after());
    RP_CO_TRY(page.limit, check_page_limit(request.limit()));
    const std::int64_t limit = page.limit;
    RP_CO_TRY(const auto items,
              co_await application_.list_stock(std::move(context), std::move(page)));
    co_return encode(items, limit);
}

Api::Answer Api::get_ledger(Context context, wire::LedgerRequest request) {
    LedgerPage page;
    RP_CO_TRY(page.sku, check_sku(request.sku()));
    RP_CO_TRY(page.limit, check_page_limit(request.limit()));
    page.after = request.after();
    RP_CO_TRY(const std::vector<LedgerEntry> entries,
              co_await application_.get_ledger(std::move(context), std::move(page)));
    co_return encode(entries);
}

}  // namespace rushproof::inventory
