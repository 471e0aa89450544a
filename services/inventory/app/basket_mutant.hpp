// A basket that forgets half of itself, which the judge must find; defined in builds with mutants
// only.
#pragma once
#include <memory>

#include "services/inventory/app/order.hpp"

namespace rushproof::inventory {

// M05: takes line by line, every other order from the last SKU to the first.  After a deadlock it
// goes on with the line at which it was, in another transaction, which becomes `transaction`: what
// the first one had taken is gone.
Task<Result<Hold>> hold_half(Database& database, Context context,
                             std::unique_ptr<Transaction>& transaction, const Order& order);

}  // namespace rushproof::inventory
