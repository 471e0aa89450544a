#include "services/inventory/domain/ledger.hpp"

#include <array>
#include <cstddef>

namespace rushproof::inventory {

std::string_view to_string(LedgerKind kind) {
    constexpr std::array<std::string_view, 5> words{"stock", "reserve", "confirm", "release",
                                                    "expire"};
    return words[static_cast<std::size_t>(kind)];
}

}  // namespace rushproof::inventory
