// Who gets what when many ask at once: first come, first served, and a basket whole or not at all.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "core/base/result.hpp"
#include "services/inventory/domain/basket.hpp"

namespace rushproof::inventory {

// What is available of each SKU that exists.
using Shelves = std::map<Sku, Quantity>;

// Takes the lines, one per SKU, if all of them are there; otherwise leaves the shelves as they are
// and names the first line that is not: permanent "not-found" or "insufficient-stock".
Result<void> take(Shelves& shelves, const std::vector<Line>& lines);

// The refusal of one line; its message begins with the SKU and a colon.
Error no_such_sku(const Sku& sku);
Error too_little_of(const Sku& sku);

}  // namespace rushproof::inventory
