// One attempt to reserve, as reserve.cpp and the strategies share it.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/ports/database.hpp"
#include "services/inventory/app/application.hpp"

namespace rushproof::inventory {

struct Order {
    ReserveRequest request;
    IdempotencyKey claimed;  // the request's key
    ReservationId id;
    std::chrono::microseconds ttl;
    Mutant mutant;
};

enum class Found : std::uint8_t { enough, too_little, repeat };

// What an attempt found, and what remains to be written before the reservation itself.
struct Hold {
    Found found;
    std::vector<Call> rest;
};

// Claiming the order's key: first call of every attempt.  A concurrent claim of the same key waits
// for our transaction to end.
Call claim_call(const Order& order);
bool is_claimed(const Rows& answer, const Order& order);

// Claims the key and holds stock as the strategy does.  `seen` is what naive has read before in a
// transaction of its own.  Retryable "version-conflict" (optimistic).
Task<Result<Hold>> hold_stock(Transaction& transaction, const Order& order, Strategy strategy,
                              std::optional<Stock> seen);

}  // namespace rushproof::inventory
