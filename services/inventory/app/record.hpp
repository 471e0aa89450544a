// Writing down what happened: in the ledger, and as events in the outbox, in the transaction that
// did it.
#pragma once
#include <vector>

#include "core/ports/random.hpp"
#include "services/inventory/domain/ledger.hpp"
#include "services/inventory/store/calls.hpp"

namespace rushproof::inventory {

// Less than the threshold is available of a SKU since this transaction.
struct LowStock {
    Sku sku;
    Quantity available;
};

// The stock rows of all SKUs are locked and changed already.
std::vector<Call> record_calls(Random& random, const std::vector<LedgerEntry>& entries,
                               const std::vector<LowStock>& low);

inline void append(std::vector<Call>& calls, std::vector<Call> more) {
    calls.insert(calls.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

}  // namespace rushproof::inventory
