#include "simulator/scenario/reader.hpp"

#include <algorithm>
#include <tuple>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

// How many letters to change, insert, drop or swap with their neighbour (Damerau's distance).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const bool same = a[i - 1] == b[j - 1];
            cost[i][j] = std::min(
                {cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t word_max = 64;
    std::string_view best;
    // A third of the letters may be wrong.
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    if (word.size() > word_max) { return best; }
    for (const auto& candidate : candidates) {
        if (candidate.size() > word_max) { continue; }
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t listed_max = 20;
    const auto nearest = nearest_word(word, candidates);
    if (!nearest.empty()) { return "did you mean \"" + std::string(nearest) + "\"?"; }
    if (candidates.empty()) { return {}; }
    std::string list;
    for (const auto& candidate : candidates.first(std::min(listed_max, candidates.size()))) {
        list += (list.empty() ? "one of: " : ", ") + candidate;
    }
    return list + (candidates.size() > listed_max ? ", ..." : "");
}

void Reader::error(const Place& at, std::string message, std::string hint) {
    add(errors_, at, path_, std::move(message), std::move(hint));
}

void Reader::warning(const Place& at, std::string message, std::string hint) {
    add(warnings_, at, path_, std::move(message), std::move(hint));
}

void Reader::error_at(const Node& root, std::string_view path, std::string message,
                      std::string hint) {
    add(errors_, find_path(root, path).node->place, path, std::move(message), std::move(hint));
}

void Reader::warning_at(const Node& root, std::string_view path, std::string message,
                        std::string hint) {
    add(warnings_, find_path(root, path).node->place, path, std::move(message), std::move(hint));
}

void Reader::add(std::vector<Finding>& findings, const Place& at, std::string_view path,
                 std::string message, std::string hint) {
    // Every cell of a matrix finds the same again: what is kept must stay bounded.
    constexpr std::size_t kept_max = 20 * limits::diagnostics_max;
    if (findings.size() == kept_max) { return; }
    if (!path.empty()) { message.insert(0, std::string(path) + ": "); }
    findings.push_back({at, std::move(message), std::move(hint)});
}

std::vector<Diagnostic> Reader::in_order(std::vector<Finding> findings) const {
    const auto key = [](const Finding& finding) {
        return std::tie(finding.at.origin, finding.at.at.line, finding.at.at.column,
                        finding.message);
    };
    std::ranges::sort(findings, {}, key);
    const auto repeated = std::ranges::unique(findings, {}, key);
    findings.erase(repeated.begin(), repeated.end());
    std::vector<Diagnostic> result;
    for (auto& finding : findings) {
        if (result.size() == limits::diagnostics_max) { break; }
        result.push_back({origins_[finding.at.origin], location(finding.at),
                          std::move(finding.message), std::move(finding.hint)});
    }
    return result;
}

Reader::Scope::Scope(Reader& reader, std::string_view segment)
    : reader_(reader), length_(reader.path_.size()) {
    if (!reader.path_.empty()) { reader.path_ += '.'; }
    reader.path_ += segment;
}

Reader::Scope::~Scope() { reader_.path_.resize(length_); }

std::string to_string(const Diagnostic& diagnostic) {
    std::string text = diagnostic.file;
    if (diagnostic.location.line > 0) {
        text += ':' + std::to_string(diagnostic.location.line) + ':' +
                std::to_string(diagnostic.location.column);
    }
    text += ": " + diagnostic.message;
    if (!diagnostic.hint.empty()) { text += "\n    " + diagnostic.hint; }
    return text;
}

}  // namespace rushproof::simulator
