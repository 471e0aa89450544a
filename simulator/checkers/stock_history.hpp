// What the operations of a history did to the stock of each SKU, with everything that is known
// about when.  The checks of stock judge this and nothing else.
//
// A reservation takes its quantity once, however often it was asked for, and gives it back at most
// once: when it is released or expires, and never when it was confirmed.  An operation whose
// outcome the client does not know is resolved by evidence first: a later acknowledged operation on
// the same reservation, then the audited ledger.  Its end is then the time of that evidence.
#pragma once
#include <cstdint>
#include <vector>

#include "simulator/checkers/operations.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// take and give change what is available; refused saw less than its amount, read saw its amount;
// nothing turned out not to have happened (collect_stock leaves none of these).
enum class Effect : std::uint8_t { take, give, refused, read, nothing };

// 32 bytes.  It happened, if at all, between `call` and `deadline`.
struct StockOperation {
    std::int64_t call = 0;
    std::int64_t deadline = never;
    std::int64_t amount = 0;
    std::uint32_t shown = 0;  // an event that tells about it; its subject is the reservation
    Effect effect = Effect::take;
    bool certain = false;       // it happened; with deadline `never`: by the end of the history
    bool paired = false;        // see StockHistory::pairs
    bool acknowledged = false;  // a client was told so, and needs no evidence
};

// A give that may not come before its take: their intervals overlap, or nobody knows whether the
// take happened.  All other gives follow their take by their times.
struct StockPair {
    std::uint32_t take = 0;
    std::uint32_t give = 0;
};

struct StockHistory {
    TextId key = no_text;
    std::int64_t initial = 0;
    std::vector<StockOperation> operations;
    std::vector<StockPair> pairs;

    // Indexes of operations, in order of call (a take before its give).
    std::vector<std::uint32_t> by_call() const;
    // Indexes of the certain operations, in order of deadline.
    std::vector<std::uint32_t> by_deadline() const;
};

struct StockHistories {
    std::vector<StockHistory> skus;  // those with an initial stock, in the order of the header
    std::uint64_t operations = 0;    // in all of them
    // SKUs that are reserved or read, but have no initial stock: nothing can be said about them.
    std::vector<TextId> uncounted;
    // Events: acknowledged confirms, releases and expiries of reservations that nobody can have
    // made.  What they gave back is not known.
    std::vector<std::uint32_t> orphans;
};

StockHistories collect_stock(const History& history);

class Findings;

// Why a check of stock must not pass, or not fail, when something is uncounted or orphaned.
void doubt_uncounted(const History& history, const StockHistories& stock, Findings& findings);
void doubt_orphans(const History& history, const StockHistories& stock, Findings& findings);

}  // namespace rushproof::simulator
