// Documented bugs that test builds can switch on, to prove that the judge sees them.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/mutants.hpp"

namespace rushproof::inventory {

enum class Mutant : std::uint8_t {
    none,
    m01_read_modify_write,         // reads the stock, then writes what it computed
    m02_check_in_own_transaction,  // checks the stock in one transaction, takes it in another
    m03_conflict_as_success,       // takes a serialization failure for a success
    m04_write_skew,                // checks the sum of rows that others add to, by a snapshot
    m05_retry_keeps_half,          // locks in any order, goes on after a deadlock where it was
    m06_retry_without_key,         // retries an unknown commit without its idempotency key
    m07_key_in_own_transaction,    // writes the idempotency record after the effect was committed
    m08_key_without_constraint,    // looks for the key, then inserts it with nothing unique
    m09_other_body_same_answer,    // answers another request under the same key as the first
    m14_commit_then_publish,       // no outbox: commits, then tells
    m15_publish_then_commit,       // no outbox: tells, then commits
    m16_reads_from_the_last_on,    // a relay that asks for numbers above the last it has seen
    m17_removed_before_delivery,   // a relay that removes events, then delivers them
    m25_expire_any_state,          // expires without asking whether the reservation is still held
    m26_expire_by_own_clock,       // compares expires_at with the service's clock
    m27_two_sweepers,              // sweeps as if it were the only one
    m28_decides_by_replica,        // checks the stock on a replica that may lag, then takes it
    p01_real_clock,                // plants: sources of nondeterminism
    p02_salted_hash_order,
    p03_uninitialised_read,
};

// "M07" or "P01"; empty is none.  Nothing for an unknown name, and for every name in a build
// without mutants.
std::optional<Mutant> parse_mutant(std::string_view name);

}  // namespace rushproof::inventory
