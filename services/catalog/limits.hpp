// Every bound of catalog in one place.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/runtime/retry.hpp"

namespace rushproof::catalog::limits {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Characters.
inline constexpr std::size_t name_length = 200;
inline constexpr std::size_t description_length = 4'000;
inline constexpr std::size_t category_length = 64;
inline constexpr std::size_t currency_length = 3;     // ISO 4217
inline constexpr std::size_t product_id_length = 36;  // a UUID

inline constexpr std::int64_t minor_units = 1'000'000'000'000;
static_assert(minor_units < INT64_MAX / 1'000'000, "no sum of prices may come near an overflow");

// Of every list.
inline constexpr std::int64_t page_default = 100;
inline constexpr std::int64_t page = 1'000;
static_assert(page_default <= page);

// How long a client may go on repeating a request, and how long is remembered what became of it:
// the result of a key, and that a product was deleted.
inline constexpr auto retry_window = hours(1);
inline constexpr auto retention = hours(48);
inline constexpr auto forget_interval = minutes(10);
static_assert(retention > retry_window + forget_interval,
              "a key must outlive its last possible repeat");

// Tries of one call within its deadline, and how far retries may multiply the load.
inline constexpr RetryPolicy retry_policy{12, milliseconds(1), milliseconds(200), 2};
inline constexpr std::int64_t retries_saved = 1'000;
inline constexpr std::int64_t retries_per_hundred_calls = 200;

// A deletion that is under way for longer has lost whoever began it.
inline constexpr auto deletion_patience = seconds(30);
// Of a sweep, whose caller has no deadline of its own, and how many deletions it takes up.
inline constexpr auto sweep_timeout = seconds(10);
inline constexpr std::int64_t deletions_at_once = 20;

// Of one delivery of events.
inline constexpr auto relay_timeout = milliseconds(1'500);

}  // namespace rushproof::catalog::limits
