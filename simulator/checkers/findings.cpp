#include "simulator/checkers/findings.hpp"

#include <algorithm>
#include <cstdio>

namespace rushproof::simulator {
namespace {

constexpr std::size_t names_max = 5;

std::string with_others(const std::string& sentence, std::uint64_t count) {
    return count > 1 ? sentence + " (and " + std::to_string(count - 1) + " more)" : sentence;
}

}  // namespace

void Findings::violation(std::string sentence, std::vector<std::uint32_t> witness) {
    if (violations_++ > 0) return;
    first_violation_ = std::move(sentence);
    witness_ = std::move(witness);
}

void Findings::doubt(std::string sentence, std::vector<std::uint32_t> witness) {
    if (doubts_++ > 0) return;
    first_doubt_ = std::move(sentence);
    doubtful_ = std::move(witness);
}

CheckResult Findings::result(std::uint64_t operations, std::string passed) const {
    CheckResult result;
    result.operations = operations;
    result.violations = violations_;
    std::vector<std::uint32_t> shown;
    if (violations_ > 0) {
        result.verdict = Verdict::fail;
        result.sentence = with_others(first_violation_, violations_);
        shown = witness_;
    } else if (doubts_ > 0) {
        result.verdict = Verdict::unknown;
        result.sentence = with_others(first_doubt_, doubts_);
        shown = doubtful_;
    } else {
        result.verdict = Verdict::pass;
        result.sentence = std::move(passed);
    }
    std::erase(shown, no_index);
    std::sort(shown.begin(), shown.end());
    shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
    if (shown.size() > witness_max) shown.resize(witness_max);
    result.witness.assign(shown.begin(), shown.end());
    return result;
}

std::string format_time(std::int64_t time) {
    constexpr std::int64_t millisecond = 1'000'000;
    const bool negative = time < 0;
    const std::int64_t size = negative ? -time : time;
    if (size > 0 && size < 1'000) return std::to_string(time) + " ns";
    const bool small = size > 0 && size < millisecond;
    const std::int64_t thousandth = small ? 1 : millisecond;
    char text[40];
    std::snprintf(text, sizeof text, "%s%lld.%03lld %s", negative ? "-" : "",
                  static_cast<long long>(size / (1'000 * thousandth)),
                  static_cast<long long>(size / thousandth % 1'000), small ? "us" : "s");
    return text;
}

std::string count_of(std::uint64_t count, const std::string& noun) {
    return count_of(count, noun, noun + "s");
}

std::string count_of(std::uint64_t count, const std::string& one, const std::string& several) {
    return std::to_string(count) + " " + (count == 1 ? one : several);
}

std::string some_of(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i) {
        text += (i == 0 ? "" : ", ") + names[i];
    }
    if (names.size() > names_max) {
        text += " and " + std::to_string(names.size() - names_max) + " more";
    }
    return text;
}

}  // namespace rushproof::simulator
