#include "simulator/load/popularity.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

#include "simulator/load/draws.hpp"

namespace rushproof::simulator {

namespace {

// k^-s for k = 1..n, added up; scaled so that the sum stays below 2^63.
std::vector<std::uint64_t> cumulative_zipf(std::size_t n, double s) {
    const auto exponent = static_cast<unsigned __int128>(to_fixed_point(s));
    const auto shift = std::bit_width(n);
    std::vector<std::uint64_t> cumulative;
    cumulative.reserve(n);
    std::uint64_t sum = 0;
    for (std::uint64_t rank = 1; rank <= n; ++rank) {
        const auto halvings = (exponent * binary_log(rank)) >> 32;
        sum += power_of_half(static_cast<std::uint64_t>(halvings)) >> shift;
        cumulative.push_back(sum);
    }
    return cumulative;
}

}  // namespace

std::vector<std::string> sku_names(const Stock& stock) {
    std::vector<std::string> names;
    for (std::int64_t i = 1; i <= stock.skus; ++i) { names.push_back("SKU-" + std::to_string(i)); }
    std::set<std::string_view> known(names.begin(), names.end());
    std::vector<std::string> others;
    for (const auto& [name, units] : stock.set) {
        if (known.insert(name).second) { others.push_back(name); }
    }
    names.insert(names.end(), others.begin(), others.end());
    return names;
}

std::vector<std::pair<std::string, std::int64_t>> initial_stock(const Stock& stock,
                                                                std::uint64_t seed) {
    const std::map<std::string_view, std::int64_t> set(stock.set.begin(), stock.set.end());
    std::vector<std::pair<std::string, std::int64_t>> result;
    for (std::string& name : sku_names(stock)) {
        const auto by_name = set.find(name);
        RandomStream stream = keyed_stream(seed, "stock/" + name);
        const auto units =
            by_name != set.end() ? by_name->second : draw_number(stock.units, stream);
        result.emplace_back(std::move(name), units);
    }
    return result;
}

PopularSku::PopularSku(const Popularity& popularity, std::vector<std::string> skus,
                       std::uint64_t seed)
    : skus_(std::move(skus)) {
    if (popularity.kind == PopularityKind::fixed) { skus_.assign(1, popularity.sku); }
    if (skus_.empty()) { throw std::invalid_argument("there is no SKU to choose from"); }
    if (popularity.kind != PopularityKind::zipf) { return; }
    RandomStream stream = keyed_stream(seed, "popularity");
    for (std::size_t i = skus_.size() - 1; i > 0; --i) {
        std::swap(skus_[i], skus_[stream.below(i + 1)]);
    }
    cumulative_ = cumulative_zipf(skus_.size(), popularity.s);
}

const std::string& PopularSku::draw(RandomStream& stream) const {
    if (cumulative_.empty()) { return skus_[stream.below(skus_.size())]; }
    const std::uint64_t target = stream.below(cumulative_.back());
    const auto rank = std::upper_bound(cumulative_.begin(), cumulative_.end(), target);
    return skus_[static_cast<std::size_t>(rank - cumulative_.begin())];
}

}  // namespace rushproof::simulator
