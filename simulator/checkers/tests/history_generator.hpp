// Long histories of one hot SKU, as a correct service would have answered, for benchmarks and for
// tests of size.
#pragma once
#include <cstdint>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Shares are millionths of all operations.
struct GeneratorOptions {
    std::uint64_t operations = 1'000'000;
    std::uint32_t clients = 16;
    std::int64_t stock = 20;
    std::int64_t quantity_max = 1;
    std::uint32_t reads = 0;
    std::uint32_t unknown = 0;
    bool audited = false;  // a ledger tells which unknown operations happened
    // The number of an operation whose answer is turned into a wrong one; none by default.
    std::uint64_t wrong_from = ~std::uint64_t{0};
    std::uint64_t seed = 1;
};

// Pure function of its options.
History generate_history(const GeneratorOptions& options);

}  // namespace rushproof::simulator
