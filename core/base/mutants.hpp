// What the documented bugs of all roles share.  A role lists its own in an enum whose `none` is no
// bug; only its test build, compiled with RUSHPROOF_MUTANTS, has them.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace rushproof {

#ifdef RUSHPROOF_MUTANTS
constexpr bool mutants_compiled = true;
#else
constexpr bool mutants_compiled = false;
#endif

// Static: the two builds of a role must not share one definition.  Constant false in ordinary
// builds, so that the compiler drops the branch.
template <class Mutant>
static constexpr bool mutated(Mutant active, Mutant asked) {
    return mutants_compiled && active == asked;
}

// Empty is none.  Nothing for an unknown name, and for every name in a build without mutants.
template <class Mutant, std::size_t count>
static std::optional<Mutant> find_mutant(
    const std::array<std::pair<std::string_view, Mutant>, count>& names, std::string_view name) {
    if (name.empty()) { return Mutant::none; }
    for (const auto& [known, mutant] : names) {
        if (mutants_compiled && known == name) { return mutant; }
    }
    return std::nullopt;
}

}  // namespace rushproof
