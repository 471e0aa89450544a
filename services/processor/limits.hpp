// Every bound of processor in one place.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/runtime/retry.hpp"

namespace rushproof::processor::limits {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr std::size_t workers = 256;
inline constexpr std::size_t id_length = 128;

// Messages share lanes by their keys; a worker takes whole lanes.
inline constexpr std::size_t lanes = 256;
// Taken from the queue and not acknowledged.
inline constexpr std::size_t held = 1'024;
inline constexpr std::size_t taken_at_once = 256;
inline constexpr std::size_t batch = 256;
// While messages come fast, those of so long share a transaction; the first after a pause waits for
// nobody.
inline constexpr auto gather = milliseconds(4);
// Each of these takes a call of its own, one after the other.
inline constexpr std::size_t batch_of_calls = 16;
static_assert(taken_at_once <= held && batch <= held && batch_of_calls <= batch);

// A message that was delivered so often has seen as many processes die; before that it is handled
// alone, so that it does not take others with it.
inline constexpr std::int64_t deliveries = 16;
inline constexpr std::int64_t deliveries_unsuspected = 2;

// How long one look into an empty queue lasts: a stop notices it.
inline constexpr auto look = milliseconds(250);
// Of one call to inventory, one transaction, one acknowledgement.
inline constexpr auto step_timeout = seconds(5);
// Between tries that have no end; `attempts` is not asked.
inline constexpr RetryPolicy retry_policy{1, milliseconds(5), milliseconds(1'000), 2};
inline constexpr int acknowledge_tries = 3;

// Who waits for results, and how long at a time.
inline constexpr std::size_t waiting = 10'000;
inline constexpr auto wait = seconds(10);

inline constexpr std::int64_t page_default = 100;
inline constexpr std::int64_t page = 1'000;
static_assert(page_default <= page);

// A result is remembered for longer than anything may be delivered again, or asked for.
inline constexpr auto redelivery_window = hours(24);
inline constexpr auto retention = hours(24 * 7);
inline constexpr auto forget_interval = minutes(1);
inline constexpr std::size_t forgotten_at_once = 10'000;
// What parts of a composite lack is published to them after so long.
inline constexpr auto repair_interval = seconds(1);
static_assert(retention > redelivery_window + forget_interval);

// Who does not renew for so long is taken for gone by a switch; the members themselves stop
// earlier, because a look into a queue may have begun before.
inline constexpr auto lease = milliseconds(3'000);
inline constexpr auto member_lease = milliseconds(2'500);
inline constexpr auto look_while_switching = milliseconds(50);
static_assert(member_lease + look < lease + milliseconds(1));
inline constexpr auto switch_within = seconds(30);
inline constexpr auto switch_within_max = minutes(60);
inline constexpr std::int64_t switches = 20;

// Details of dead letters, in bytes.
inline constexpr std::size_t detail = 1'000;

}  // namespace rushproof::processor::limits
