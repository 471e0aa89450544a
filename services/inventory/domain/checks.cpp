#include "services/inventory/domain/checks.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "services/inventory/limits.hpp"

namespace rushproof::inventory {

namespace {

Result<void> check_lines(const std::vector<Line>& lines, std::size_t most) {
    if (!lines.empty() && lines.size() <= most) { return {}; }
    return failure(invalid("lines must have 1 to " + std::to_string(most) + " elements"));
}

}  // namespace

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
    if (change == 0) { return failure(invalid("change must not be 0")); }
    RP_TRY(const std::int64_t units,
           check_range("change", change, -limits::on_hand, limits::on_hand));
    return Quantity(units);
}

Result<std::vector<Line>> check_basket(std::vector<Line> lines) {
    RP_CHECK(check_lines(lines, limits::basket_lines));
    lines = merge_lines(std::move(lines));
    for (const Line& line : lines) {
        if (line.quantity <= Quantity(limits::quantity)) { continue; }
        return failure(invalid("the quantities of " + line.sku.text() + " add up to more than " +
                               std::to_string(limits::quantity)));
    }
    return lines;
}

Result<std::vector<Line>> check_adjustment(std::vector<Line> lines) {
    RP_CHECK(check_lines(lines, limits::adjustment_lines));
    std::sort(lines.begin(), lines.end(),
              [](const Line& a, const Line& b) { return a.sku < b.sku; });
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].sku != lines[i - 1].sku) { continue; }
        return failure(
            invalid("lines has " + lines[i].sku.text() + " more than once: add its changes up"));
    }
    return lines;
}

Result<std::int64_t> check_page_limit(std::int64_t limit) {
    if (limit == 0) { return limits::page_default; }
    return check_range("limit", limit, 1, limits::page);
}

}  // namespace rushproof::inventory
