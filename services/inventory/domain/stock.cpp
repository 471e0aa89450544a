#include "services/inventory/domain/stock.hpp"

#include <string>

#include "services/inventory/limits.hpp"

namespace rushproof::inventory {

Result<Quantity> change_to(const Stock& stock, Quantity wanted) {
    if (wanted < stock.held) {
        return failure(
            ErrorKind::permanent, "conflict",
            "on_hand cannot go below the " + std::to_string(stock.held.units()) + " that are held");
    }
    return wanted - stock.on_hand;
}

Result<Quantity> adjusted(const Stock& stock, Quantity change) {
    const Quantity wanted = stock.on_hand + change;
    RP_CHECK(change_to(stock, wanted));
    if (wanted > Quantity(limits::on_hand)) {
        return failure(ErrorKind::permanent, "conflict",
                       "on_hand cannot go above " + std::to_string(limits::on_hand));
    }
    return wanted;
}

}  // namespace rushproof::inventory
