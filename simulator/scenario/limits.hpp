// How large a scenario may be.  Beyond any of these is an error with the limit's figure in it.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace rushproof::simulator::limits {

// Of the text, before a parser sees it.
inline constexpr std::size_t text_bytes_max = 256 * 1024;
inline constexpr int depth_max = 24;
// Of one scalar, also after `${{ matrix.x }}` was filled in.
inline constexpr std::size_t scalar_bytes_max = 4096;
inline constexpr std::size_t key_bytes_max = 128;
// Of the tree, counting an alias as often as it is used: bytes of all texts and 64 for each node.
inline constexpr std::size_t tree_cost_max = 1024 * 1024;
inline constexpr std::size_t node_cost = 64;

inline constexpr std::size_t cells_max = 64;
inline constexpr std::size_t seeds_max = 100'000;
inline constexpr std::size_t diagnostics_max = 100;

inline constexpr std::size_t swarm_faults_max = 10'000;  // of one seed
inline constexpr std::int64_t instances_max = 16;        // of each role
inline constexpr std::int64_t shards_max = 8;            // databases
inline constexpr std::int64_t replicas_max = 4;          // of a database
inline constexpr std::int64_t skus_max = 1'000'000;
inline constexpr std::int64_t units_max = 1'000'000'000;
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t basket_items_max = 16;
inline constexpr std::int64_t rate_max = 1'000'000;  // arrivals per second
inline constexpr std::int64_t users_max = 100'000;
inline constexpr std::int64_t in_flight_max = 1'000'000;
inline constexpr std::int64_t queue_size_max = 1'000'000;
inline constexpr std::int64_t workers_max = 256;  // of a processor
inline constexpr std::int64_t keys_max = 1'000'000;
inline constexpr std::int64_t message_bytes_max = 64 * 1024;
inline constexpr Duration duration_max = std::chrono::hours(24);

// Rates are kept in thousandths, and times a duration they must stay far from overflow.
static_assert(rate_max * 1000 < INT64_MAX / (duration_max / std::chrono::seconds(1)));

}  // namespace rushproof::simulator::limits
