#include "services/inventory/domain/stock.hpp"

#include <string>

namespace rushproof::inventory {

Result<Quantity> change_to(const Stock& stock, Quantity wanted) {
    if (wanted < stock.held) {
        return failure(
            ErrorKind::permanent, "conflict",
            "on_hand cannot go below the " + std::to_string(stock.held.units()) + " that are held");
    }
    return wanted - stock.on_hand;
}

}  // namespace rushproof::inventory
