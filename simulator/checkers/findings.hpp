// Collects what a check finds and turns it into its result.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/operations.hpp"

namespace rushproof::simulator {

inline constexpr std::size_t witness_max = 12;

class Findings {
public:
    // The first violation is the one that is told; the others are counted.  Indexes of no event are
    // left out of the witness.
    void violation(std::string sentence, std::vector<std::uint32_t> witness);
    // Something that keeps the check from judging.
    void doubt(std::string sentence, std::vector<std::uint32_t> witness = {});

    bool has_violation() const { return violations_ > 0; }

    // `passed` is the sentence when nothing was found.
    CheckResult result(std::uint64_t operations, std::string passed) const;

private:
    std::uint64_t violations_ = 0;
    std::uint64_t doubts_ = 0;
    std::string first_violation_;
    std::string first_doubt_;
    std::vector<std::uint32_t> witness_;
    std::vector<std::uint32_t> doubtful_;
};

// "12.431 s", "0.012 s"; below a millisecond "881.500 us", "431 ns".
std::string format_time(std::int64_t time);

// "1 lost message", "3 lost messages".
std::string count_of(std::uint64_t count, const std::string& noun);
std::string count_of(std::uint64_t count, const std::string& one, const std::string& several);

// "a, b, c and 13 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace rushproof::simulator
