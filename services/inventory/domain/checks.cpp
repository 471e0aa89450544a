#include "services/inventory/domain/checks.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "services/inventory/limits.hpp"

namespace rushproof::inventory {

namespace {

tl::unexpected<Error> invalid(std::string message) {
    return failure(ErrorKind::permanent, "invalid", std::move(message));
}

bool is_printable(char c) { return c >= 0x20 && c <= 0x7E; }
bool is_sku_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

Result<std::string> check_text(std::string_view name, std::string text, std::size_t length,
                               bool (*accepted)(char)) {
    if (text.empty() || text.size() > length) {
        return invalid(std::string(name) + " must have 1 to " + std::to_string(length) +
                       " characters");
    }
    if (!std::all_of(text.begin(), text.end(), accepted)) {
        return invalid(std::string(name) + " has a character that is not allowed");
    }
    return text;
}

Result<std::int64_t> check_range(std::string_view name, std::int64_t value, std::int64_t low,
                                 std::int64_t high) {
    if (value >= low && value <= high) { return value; }
    return invalid(std::string(name) + " must be from " + std::to_string(low) + " to " +
                   std::to_string(high));
}

}  // namespace

Result<Sku> check_sku(std::string sku) {
    RP_TRY(std::string text,
           check_text("sku", std::move(sku), limits::sku_length, &is_sku_character));
    return Sku(std::move(text));
}

Result<Owner> check_owner(std::string owner) {
    RP_TRY(std::string text,
           check_text("owner", std::move(owner), limits::owner_length, &is_printable));
    return Owner(std::move(text));
}

Result<IdempotencyKey> check_key(std::string key) {
    RP_TRY(std::string text,
           check_text("idempotency key", std::move(key), limits::key_length, &is_printable));
    return IdempotencyKey(std::move(text));
}

Result<ReservationId> check_reservation_id(std::string id) {
    if (id.size() == limits::reservation_id_length) { return ReservationId(std::move(id)); }
    return failure(ErrorKind::permanent, "not-found", "no such reservation");
}

Result<Quantity> check_quantity(std::int64_t quantity) {
    RP_TRY(const std::int64_t units, check_range("quantity", quantity, 1, limits::quantity));
    return Quantity(units);
}

Result<Quantity> check_on_hand(std::int64_t on_hand) {
    RP_TRY(const std::int64_t units, check_range("on_hand", on_hand, 0, limits::on_hand));
    return Quantity(units);
}

Result<Quantity> check_change(std::int64_t change) {
    if (change == 0) {
        return failure(Error(ErrorKind::permanent, "invalid", "change must not be 0"));
    }
    RP_TRY(const std::int64_t units,
           check_range("change", change, -limits::on_hand, limits::on_hand));
    return Quantity(units);
}

Result<std::vector<Line>> check_basket(std::vector<Line> lines) {
    if (lines.empty() || lines.size() > limits::basket_lines) {
        return invalid("lines must have 1 to " + std::to_string(limits::basket_lines) +
                       " elements");
    }
    lines = merge_lines(std::move(lines));
    for (const Line& line : lines) {
        if (line.quantity <= Quantity(limits::quantity)) { continue; }
        return invalid("the quantities of " + line.sku.text() + " add up to more than " +
                       std::to_string(limits::quantity));
    }
    return lines;
}

Result<std::int64_t> check_page_limit(std::int64_t limit) {
    if (limit == 0) { return limits::page_default; }
    return check_range("limit", limit, 1, limits::page);
}

Error key_reused() {
    return {ErrorKind::permanent, "key-reused",
            "the idempotency key was used for another request: choose a new one"};
}

}  // namespace rushproof::inventory
