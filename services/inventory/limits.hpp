// Every bound of inventory in one place.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/runtime/retry.hpp"

namespace rushproof::inventory::limits {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr std::size_t reservation_id_length = 36;  // a UUID

inline constexpr std::int64_t quantity = 10'000;            // of one reservation
inline constexpr std::int64_t on_hand = 1'000'000'000'000;  // of one SKU
static_assert(quantity < on_hand && on_hand < INT64_MAX / 1'000'000,
              "no sum of quantities may come near an overflow");

// Of every list.
inline constexpr std::int64_t page_default = 100;
inline constexpr std::int64_t page = 1'000;
static_assert(page_default <= page);

inline constexpr std::size_t basket_lines = 50;

// Lines of due reservations that one transaction expires.
inline constexpr std::int64_t expire_batch = 100;
static_assert(basket_lines <= expire_batch, "a basket expires as a whole");

// Of the strategy `batched`: requests that one transaction serves, and that wait for their turn.
inline constexpr std::size_t batch = 256;
inline constexpr std::size_t batch_waiting = 10'000;

inline constexpr auto reservation_ttl = hours(24);

// How long a client or a queue may go on repeating a request under its key, and how long its result
// is kept.
inline constexpr auto retry_window = hours(1);
inline constexpr auto idempotency_retention = hours(48);
inline constexpr auto forget_keys_interval = minutes(10);
static_assert(idempotency_retention > retry_window + forget_keys_interval,
              "a key must outlive its last possible repeat");
// Extending does not go beyond this either.
static_assert(idempotency_retention > reservation_ttl,
              "a repeat must not revive a reservation that was already expired");

// Tries of one call within its deadline, and how far retries may multiply the load.
inline constexpr RetryPolicy retry_policy{12, milliseconds(1), milliseconds(200), 2};
// A batch goes back to its members' own patience after fewer.
inline constexpr RetryPolicy batch_retry_policy{4, milliseconds(1), milliseconds(20), 2};
inline constexpr std::int64_t retries_saved = 1'000;
inline constexpr std::int64_t retries_per_hundred_calls = 200;

// Of an adjustment that excludes reserves; they queue behind it while it waits.
inline constexpr std::size_t adjustment_lines = 500;
static_assert(adjustment_lines < page, "an answer is one page");
inline constexpr auto table_lock_wait = milliseconds(500);

// Of a sweep, whose caller has no deadline of its own.
inline constexpr auto sweep_timeout = seconds(10);

// Of one delivery of events.
inline constexpr auto relay_timeout = milliseconds(1'500);

}  // namespace rushproof::inventory::limits
