#include "services/processor/mutant.hpp"

#include <array>
#include <utility>

namespace rushproof::processor {

std::optional<Mutant> parse_mutant(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, Mutant>, 5> names = {{
        {"M18", Mutant::m18_acknowledged_before_effect},
        {"M19", Mutant::m19_no_record},
        {"M20", Mutant::m20_record_for_too_short},
        {"M21", Mutant::m21_zombie_writes_blindly},
        {"M31", Mutant::m31_switch_without_drain},
    }};
    return find_mutant(names, name);
}

}  // namespace rushproof::processor
