// The stock of one SKU.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/result.hpp"
#include "core/base/strong.hpp"

namespace rushproof::inventory {

struct Stock {
    Quantity on_hand;
    Quantity held;
    Quantity sold;
    std::int64_t version = 0;  // of the last change
    std::string position{};    // as in Reservation

    Quantity available() const { return on_hand - held; }
};

// By how much on_hand changes when it is set to `wanted`; permanent "conflict" if that were less
// than what is held.
Result<Quantity> change_to(const Stock& stock, Quantity wanted);

// What on_hand becomes when it changes by `change`; permanent "conflict" if less than what is held,
// or more than limits::on_hand.
Result<Quantity> adjusted(const Stock& stock, Quantity change);

}  // namespace rushproof::inventory
