#include "services/inventory/domain/basket.hpp"

#include <algorithm>
#include <utility>

namespace rushproof::inventory {

std::vector<Line> merge_lines(std::vector<Line> lines) {
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.sku < b.sku; });
    std::vector<Line> merged;
    for (Line& line : lines) {
        if (!merged.empty() && merged.back().sku == line.sku) {
            merged.back().quantity = merged.back().quantity + line.quantity;
        } else {
            merged.push_back(std::move(line));
        }
    }
    return merged;
}

std::string fingerprint_of(const std::vector<Line>& lines) {
    std::string text;
    for (const Line& line : lines) {
        if (!text.empty()) { text += ';'; }
        text += line.sku.text() + ' ' + std::to_string(line.quantity.units());
    }
    return text;
}

}  // namespace rushproof::inventory
