#include "services/inventory/domain/event.hpp"

#include <array>
#include <cstddef>

#include "core/base/assert.hpp"
#include "services/inventory/domain/ledger.hpp"

namespace rushproof::inventory {

namespace {

// In the order of LedgerKind.
constexpr std::array<std::string_view, 5> kinds{
    "stock.changed", "stock.reserved", "stock.confirmed", "stock.released", "stock.expired"};

}  // namespace

std::string_view event_kind_of(std::string_view ledger_kind) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (to_string(static_cast<LedgerKind>(i)) == ledger_kind) { return kinds[i]; }
    }
    RP_ASSERT(false);
}

Stock change_by(std::string_view event_kind, Quantity quantity) {
    const Quantity less = Quantity() - quantity;
    Stock change;
    if (event_kind == kinds[0]) { change.on_hand = quantity; }
    if (event_kind == kinds[1]) { change.held = quantity; }
    if (event_kind == kinds[2]) {
        change.on_hand = less;
        change.held = less;
        change.sold = quantity;
    }
    if (event_kind == kinds[3] || event_kind == kinds[4]) { change.held = less; }
    return change;
}

}  // namespace rushproof::inventory
