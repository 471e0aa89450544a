#include "simulator/scenario/reader.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::size_t word_max = 64;

// How many letters to change, insert, drop or swap with their neighbour (Damerau's distance).
// Both words have at most word_max letters.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, word_max + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                row[j] = i + j;
                continue;
            }
            const bool same = a[i - 1] == b[j - 1];
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string> candidates) {
    std::string_view best;
    // A third of the letters may be wrong.
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    if (word.size() > word_max) { return best; }
    for (const auto& candidate : candidates) {
        const auto longer = std::max(word.size(), candidate.size());
        const auto shorter = std::min(word.size(), candidate.size());
        if (longer > word_max || longer - shorter >= best_distance) { continue; }
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t listed_max = 24;
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
    if (findings.size() >= findings_max) { return; }
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
