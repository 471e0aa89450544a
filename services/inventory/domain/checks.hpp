// What inventory accepts from outside.  Errors are permanent and name the member: "invalid", or
// "not-found" for what can only be a name that was never given out.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/strong.hpp"
#include "core/runtime/checks.hpp"
#include "services/inventory/domain/basket.hpp"

namespace rushproof::inventory {

Result<ReservationId> check_reservation_id(std::string id);
Result<Quantity> check_quantity(std::int64_t quantity);  // of a reservation
Result<Quantity> check_on_hand(std::int64_t on_hand);
Result<Quantity> check_change(std::int64_t change);  // of on_hand; not 0
// As merge_lines gives them; at least one line, not too many, none too large.
Result<std::vector<Line>> check_basket(std::vector<Line> lines);
// Sorted by SKU; at least one line, not too many, each SKU once.
Result<std::vector<Line>> check_adjustment(std::vector<Line> lines);
Result<std::int64_t> check_page_limit(std::int64_t limit);  // 0 means the default

// The same, its errors said of a member at `place` ("lines[2].").
template <class T>
Result<T> at(const std::string& place, Result<T> checked) {
    if (checked) { return checked; }
    const Error& error = checked.error();
    return failure(error.kind(), error.code(), place + error.message());
}

}  // namespace rushproof::inventory
