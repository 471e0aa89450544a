// Documented bugs of a consumer that test builds can switch on, to prove that the judge sees them.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/mutants.hpp"

namespace rushproof::processor {

enum class Mutant : std::uint8_t {
    none,
    m18_acknowledged_before_effect,
    m19_no_record,              // has the effect again when a message is delivered again
    m20_record_for_too_short,   // knows a repeat only for a time shorter than repeats come in
    m21_zombie_writes_blindly,  // looks for the record, then writes whoever else did so meanwhile
    m31_switch_without_drain,   // leaves a queue for the next one whatever waits in it
};

// Of those in which an effect is no longer its own record, and can be there twice.
static constexpr bool keeps_effects_apart(Mutant active) {
    return mutated(active, Mutant::m19_no_record) ||
           mutated(active, Mutant::m20_record_for_too_short) ||
           mutated(active, Mutant::m21_zombie_writes_blindly);
}

// "M18"; empty is none.  Nothing for an unknown name, and for every name in a build without
// mutants.
std::optional<Mutant> parse_mutant(std::string_view name);

}  // namespace rushproof::processor
