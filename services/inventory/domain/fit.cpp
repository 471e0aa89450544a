#include "services/inventory/domain/fit.hpp"

namespace rushproof::inventory {

Error no_such_sku(const Sku& sku) {
    return {ErrorKind::permanent, "not-found", sku.text() + ": no such SKU"};
}

Error too_little_of(const Sku& sku) {
    return {ErrorKind::permanent, "insufficient-stock", sku.text() + ": not enough is available"};
}

Result<void> take(Shelves& shelves, const std::vector<Line>& lines) {
    for (const Line& line : lines) {
        const auto shelf = shelves.find(line.sku);
        if (shelf == shelves.end()) { return failure(no_such_sku(line.sku)); }
        if (shelf->second < line.quantity) { return failure(too_little_of(line.sku)); }
    }
    for (const Line& line : lines) {
        Quantity& available = shelves.at(line.sku);
        available = available - line.quantity;
    }
    return {};
}

}  // namespace rushproof::inventory
