#include "core/base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rushproof {

namespace {

constexpr int sub_bucket_bits = 7;
constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bucket_bits;

std::size_t bucket_of(std::uint64_t value) {
    if (value < sub_buckets) { return value; }
    const int exponent = 63 - std::countl_zero(value) - sub_bucket_bits;
    return static_cast<std::size_t>(exponent + 1) * sub_buckets +
           ((value >> exponent) - sub_buckets);
}

std::int64_t middle_of(std::size_t bucket) {
    if (bucket < sub_buckets) { return static_cast<std::int64_t>(bucket); }
    const int exponent = static_cast<int>(bucket / sub_buckets) - 1;
    const std::uint64_t low = (bucket % sub_buckets + sub_buckets) << exponent;
    return static_cast<std::int64_t>(low + ((std::uint64_t{1} << exponent) >> 1));
}

}  // namespace

Histogram Histogram::restore(const std::vector<Bucket>& buckets, std::int64_t min, std::int64_t max,
                             std::uint64_t sum) {
    Histogram result;
    for (const Bucket& bucket : buckets) {
        const std::size_t index =
            bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(bucket.value, 0)));
        if (index >= result.counts_.size()) { result.counts_.resize(index + 1); }
        result.counts_[index] += bucket.count;
        result.count_ += bucket.count;
    }
    result.min_ = min;
    result.max_ = max;
    result.sum_ = sum;
    return result;
}

void Histogram::record(std::int64_t value) {
    value = std::max<std::int64_t>(value, 0);
    const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(value));
    if (bucket >= counts_.size()) { counts_.resize(bucket + 1); }
    ++counts_[bucket];
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = std::max(max_, value);
    ++count_;
    sum_ += static_cast<std::uint64_t>(value);
}

void Histogram::merge(const Histogram& other) {
    if (other.count_ == 0) { return; }
    if (other.counts_.size() > counts_.size()) { counts_.resize(other.counts_.size()); }
    for (std::size_t i = 0; i < other.counts_.size(); ++i) { counts_[i] += other.counts_[i]; }
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
    sum_ += other.sum_;
}

double Histogram::mean() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::int64_t Histogram::quantile(double quantile) const {
    if (count_ == 0) { return 0; }
    const auto wanted = static_cast<std::uint64_t>(
        std::max(1.0, std::ceil(quantile * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) { return std::clamp(middle_of(i), min_, max_); }
    }
    return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
    std::vector<Bucket> result;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (counts_[i] != 0) { result.push_back({middle_of(i), counts_[i]}); }
    }
    return result;
}

}  // namespace rushproof
