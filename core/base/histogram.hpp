// Log-linear histogram of non-negative integers (nanoseconds): 128 buckets per power of two, so a
// quantile is off by less than 0.8 %.  Integers only, so it is deterministic; merging loses
// nothing. Percentiles are never averaged: merge histograms instead.
#pragma once
#include <cstdint>
#include <vector>

namespace rushproof {

class Histogram {
public:
    // For drawing and for files: each non-empty bucket as (middle, count), ascending.
    struct Bucket {
        std::int64_t value;
        std::uint64_t count;
    };

    // What buckets(), min(), max() and sum() of another histogram said.
    static Histogram restore(const std::vector<Bucket>& buckets, std::int64_t min, std::int64_t max,
                             std::uint64_t sum);

    void record(std::int64_t value);
    void merge(const Histogram& other);

    std::uint64_t count() const { return count_; }
    std::int64_t min() const { return count_ == 0 ? 0 : min_; }
    std::int64_t max() const { return max_; }
    std::uint64_t sum() const { return sum_; }
    double mean() const;
    // The smallest recorded bucket at or below which a share of `quantile` lies; 0 when empty.
    std::int64_t quantile(double quantile) const;
    std::vector<Bucket> buckets() const;

private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::int64_t min_ = 0;
    std::int64_t max_ = 0;
    std::uint64_t sum_ = 0;
};

}  // namespace rushproof
