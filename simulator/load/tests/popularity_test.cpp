// Goal: stock and popularity are what the scenario says, and the same bits everywhere.
// Method: frequencies at fixed seeds against k^-s, and golden values.
#include "simulator/load/popularity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace rushproof::simulator {
namespace {

std::vector<std::string> names(std::int64_t count) {
    Stock stock;
    stock.skus = count;
    return sku_names(stock);
}

std::map<std::string, int> frequencies(const PopularSku& popular, int draws) {
    RandomStream stream = keyed_stream(3, "frequencies");
    std::map<std::string, int> result;
    for (int i = 0; i < draws; ++i) { ++result[popular.draw(stream)]; }
    return result;
}

TEST(Popularity, SkusAreNumberedAndNamed) {
    Stock stock;
    stock.skus = 3;
    stock.units.min = 5;
    stock.units.max = 9;
    stock.set = {{"CONSOLE-X", 500}, {"SKU-2", 77}};
    EXPECT_EQ(sku_names(stock), (std::vector<std::string>{"SKU-1", "SKU-2", "SKU-3", "CONSOLE-X"}));
    const auto units = initial_stock(stock, 1);
    ASSERT_EQ(units.size(), 4u);
    EXPECT_GE(units[0].second, 5);
    EXPECT_LE(units[0].second, 9);
    EXPECT_EQ(units[1].second, 77);
    EXPECT_EQ(units[3].second, 500);
    // More SKUs leave the others as they were.
    stock.skus = 10;
    const auto more = initial_stock(stock, 1);
    EXPECT_EQ(more[0], units[0]);
    EXPECT_EQ(more[2], units[2]);
}

TEST(Popularity, ZipfFollowsItsExponent) {
    for (const double s : {0.0, 0.7, 1.05, 1.4}) {
        Popularity popularity;
        popularity.kind = PopularityKind::zipf;
        popularity.s = s;
        constexpr int draws = 200'000;
        constexpr int skus = 50;
        const auto counts = frequencies(PopularSku(popularity, names(skus), 1), draws);
        std::vector<int> by_rank;
        for (const auto& [sku, count] : counts) { by_rank.push_back(count); }
        std::sort(by_rank.rbegin(), by_rank.rend());
        ASSERT_EQ(by_rank.size(), static_cast<std::size_t>(skus));
        double sum = 0;
        for (int k = 1; k <= skus; ++k) { sum += std::pow(k, -s); }
        double chi_squared = 0;
        for (int k = 1; k <= skus; ++k) {
            const double expected = draws * std::pow(k, -s) / sum;
            const double difference = by_rank[static_cast<std::size_t>(k - 1)] - expected;
            chi_squared += difference * difference / expected;
        }
        EXPECT_LT(chi_squared, 85.4) << s;  // one of a thousand samples, 49 degrees of freedom
    }
}

TEST(Popularity, TheSeedDecidesWhoIsPopular) {
    Popularity popularity;
    popularity.kind = PopularityKind::zipf;
    popularity.s = 3;
    const auto favourite = [&](std::uint64_t seed) {
        const auto counts = frequencies(PopularSku(popularity, names(1'000), seed), 1'000);
        return std::max_element(counts.begin(), counts.end(),
                                [](const auto& a, const auto& b) { return a.second < b.second; })
            ->first;
    };
    EXPECT_EQ(favourite(1), favourite(1));
    EXPECT_NE(favourite(1), favourite(2));
}

TEST(Popularity, UniformFixedAndNone) {
    const auto counts = frequencies(PopularSku(Popularity(), names(4), 1), 40'000);
    for (const auto& [sku, count] : counts) { EXPECT_NEAR(count, 10'000, 400) << sku; }
    Popularity fixed;
    fixed.kind = PopularityKind::fixed;
    fixed.sku = "CONSOLE-X";
    EXPECT_EQ(frequencies(PopularSku(fixed, {}, 1), 10).size(), 1u);
    EXPECT_THROW(PopularSku(Popularity(), {}, 1), std::invalid_argument);
}

TEST(Popularity, GoldenValuesNeverChange) {
    Popularity popularity;
    popularity.kind = PopularityKind::zipf;
    popularity.s = 1.05;
    const PopularSku popular(popularity, names(2'000), 7);
    RandomStream stream = keyed_stream(7, "golden");
    std::string drawn;
    for (int i = 0; i < 6; ++i) { drawn += popular.draw(stream) + ' '; }
    EXPECT_EQ(drawn, "SKU-1812 SKU-199 SKU-1202 SKU-118 SKU-763 SKU-1631 ");
    Stock stock;
    stock.units.min = 20;
    stock.units.max = 200;
    EXPECT_EQ(initial_stock(stock, 7).front().second, 34);
}

}  // namespace
}  // namespace rushproof::simulator
