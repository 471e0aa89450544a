// What is to be held together: one line per SKU, in the order in which stock is locked.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/strong.hpp"

namespace rushproof::inventory {

struct Line {
    Sku sku;
    Quantity quantity;

    friend bool operator==(const Line&, const Line&) = default;
};

// Sorted by SKU; lines of the same SKU become one.
std::vector<Line> merge_lines(std::vector<Line> lines);

// Equal for equal requests; kept beside the idempotency key.
std::string fingerprint_of(const std::vector<Line>& lines);

}  // namespace rushproof::inventory
