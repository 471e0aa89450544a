// Which SKUs exist, how many units each has, and which one a buyer wants.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// SKU-1 ... SKU-n, then the names of `set` that are not among them, in file order.
std::vector<std::string> sku_names(const Stock& stock);

// The units of each, in that order.  Each SKU draws from a stream of its own name.
std::vector<std::pair<std::string, std::int64_t>> initial_stock(const Stock& stock,
                                                                std::uint64_t seed);

// Chooses among SKUs.  Under zipf, rank k has weight k^-s, and the seed (not the load) decides
// which SKU has which rank, so that all loads of a run share their favourites.  Throws
// std::invalid_argument if there is none to choose from.
class PopularSku {
public:
    PopularSku(const Popularity& popularity, std::vector<std::string> skus, std::uint64_t seed);

    const std::string& draw(RandomStream& stream) const;

private:
    std::vector<std::string> skus_;          // by rank
    std::vector<std::uint64_t> cumulative_;  // weights up to and with each rank; empty: uniform
};

}  // namespace rushproof::simulator
