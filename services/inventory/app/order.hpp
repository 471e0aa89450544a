// One attempt to reserve, as reserve.cpp and the strategies share it.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/ports/database.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/domain/fit.hpp"

namespace rushproof::inventory {

struct Order {
    ReserveRequest request;
    IdempotencyKey claimed;  // the request's key
    ReservationId id;
    std::chrono::microseconds ttl;
    Quantity low_stock;
    Mutant mutant;
};

// What an attempt found, and what remains to be written before the reservation itself.
struct Hold {
    bool repeat = false;  // the key was used before
    std::vector<Line> missing;
    std::vector<Call> rest;
    std::vector<LedgerEntry> expired;  // before the reserve itself
    std::vector<LowStock> low;
};

// The operation under which reserves claim their keys; a basket is a reserve of several lines.
inline constexpr std::string_view reserve_operation = "reserve";

// Claiming the order's key: first call of every attempt.  A concurrent claim of the same key waits
// for our transaction to end.
Call claim_call(const Order& order);
bool is_claimed(const Rows& answer, const Order& order);

// Claims the key and holds stock as the strategy does, line by line in the order of SKUs; `missing`
// are the lines for which there is too little.  `seen` is what naive has read before, line by line,
// in a transaction of its own.  Retryable "version-conflict" (optimistic).
Task<Result<Hold>> hold_stock(Transaction& transaction, const Order& order, Strategy strategy,
                              std::vector<Rows> seen);

// The same as `pessimistic` does: all stock is locked before any of it is looked at.
Task<Result<Hold>> hold_pessimistic(Transaction& transaction, const Order& order);

// Notes it when taking a line makes a stock low.
void note_low(Hold& hold, const Order& order, const Line& line, Quantity before, Quantity after);

// Writing the reservations of orders; all have the same TTL.  Its rows begin with expires_at.
Call insert_call(std::span<const Order> orders);

// The reservation that an order makes, once `expires_at` is known.
Reservation made_by(const Order& order, WallTime expires_at);

// The answer to a repeat: what the first use of its key made; "key-reused" if that was another
// request.  `found` are rows of find_key, all of one reservation.
Result<Reservation> first_answer_of(const ReserveRequest& request, std::span<const Row> found,
                                    Mutant mutant);

}  // namespace rushproof::inventory
