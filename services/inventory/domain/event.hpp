// What inventory tells others.  The aggregate of every event is a SKU; the body is a JSON object.
//   stock.changed                                              quantity: the change of on_hand
//   stock.reserved, stock.confirmed, stock.released, stock.expired      quantity, reservation
//   stock.low                                                  available; once per crossing
#pragma once
#include <string_view>

#include "services/inventory/domain/stock.hpp"

namespace rushproof::inventory {

inline constexpr std::string_view low_stock_event = "stock.low";

// Of a ledger entry's kind.
std::string_view event_kind_of(std::string_view ledger_kind);

// What an event changes of its SKU's on_hand, held and sold; nothing for an unknown kind.
Stock change_by(std::string_view event_kind, Quantity quantity);

// Does the stock become low when `before` is available and then `after`?
constexpr bool becomes_low(Quantity before, Quantity after, Quantity threshold) {
    return before >= threshold && after < threshold;
}

}  // namespace rushproof::inventory
