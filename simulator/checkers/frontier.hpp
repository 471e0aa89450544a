// Is the history of one SKU linearizable: is there an order of its operations, each at some moment
// between its call and its deadline, in which every answer was right?
//
// The search sweeps over calls and deadlines in time order and keeps the frontier: every
// explanation of the past that may still matter, as (which pending operations have happened, how
// many of the unknown ones have, what is available).  Since effects are sums, what is available
// depends on which operations happened and not on their order.  Only a deadline of an operation
// that has not happened yet forces a choice.  Five rules keep the frontier near one explanation:
//
//  1. Refusals and reads change nothing, so they happen at the first moment that suits them.
//  2. Of pending operations with the same effect, the one with the earliest deadline goes first.
//  3. While no refusal or read waits for its moment, only what the deadline forces happens: the
//     operation itself, or the gives that make room for it.  The rest can still happen later.
//  4. An explanation in which less has happened can still become the other one, and satisfies what
//     the other one has satisfied, at the latest when it gets there; the other one is dropped.
//  5. The same holds if as much is available and it is ahead by one operation, which is due before
//     everything in which the other one is ahead: when the other one does that operation, it does
//     all of those.
//  6. Operations of unknown outcome have no deadline, so of those with the same effect it only
//     matters how many have happened.  Counts change only as far as a waiting refusal, read or
//     take can use: what is available stays within two steps of those targets.
//
// Pairs (StockHistory) bend the rules: a take and its give together change nothing, yet need room
// for a moment.  Their operations go into classes of their own; rule 3 does not apply while both
// wait, unless there will still be room for each such pair afterwards; rule 4 not if such a pair is
// what the other explanation has done more; rule 5 not at all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/stock_history.hpp"

namespace rushproof::simulator {

struct FrontierOptions {
    std::uint64_t steps_max = 200'000'000;
    // Words of 64 pending operations to begin with.  The search begins again with more when they
    // are not enough, up to 64 (4,096 pending operations).
    std::size_t words = 1;
};

struct FrontierResult {
    Verdict verdict = Verdict::unknown;
    std::string reason;  // why it is unknown
    // When it fails: the operation that no explanation allows ...
    std::uint32_t operation = no_index;
    std::vector<std::int64_t> available;  // ... what was available in each that was left ...
    std::vector<std::uint32_t> pending;   // ... and the other operations under way then.
    // The last time at which only one explanation was left and nothing was under way: what came
    // before does not matter.  The beginning, if there was none.
    std::int64_t settled_time = std::numeric_limits<std::int64_t>::min();
    std::int64_t settled_available = 0;
    std::uint64_t steps = 0;  // explanations expanded, and compared
    std::size_t frontier_max = 0;
};

FrontierResult search_frontier(const StockHistory& history, const FrontierOptions& options);

}  // namespace rushproof::simulator
