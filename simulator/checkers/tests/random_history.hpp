// Small random histories of one SKU, and the plainest possible judge of them.
#pragma once
#include "core/base/keyed_random.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

struct RandomHistory {
    History history;
    bool explainable = false;  // by brute force: some order explains every answer
};

// 2 to 10 operations: single and repeated reserves, refusals, confirms, releases, expiries, reads
// and restocks, with mixed quantities, equal times and unknown outcomes; some with a ledger.
RandomHistory make_random_history(RandomStream& random);

}  // namespace rushproof::simulator
