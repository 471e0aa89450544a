#include "simulator/load/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr std::int64_t second = 1'000'000'000;

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

std::int64_t quantile(const std::vector<std::int64_t>& sorted, double share) {
    const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

// `samples` are of one operation kind.
std::vector<LatencySlice> slices_of(std::vector<OperationSample> samples) {
    std::sort(samples.begin(), samples.end(),
              [](const auto& a, const auto& b) { return a.intended < b.intended; });
    std::vector<LatencySlice> slices;
    for (auto begin = samples.begin(); begin != samples.end();) {
        LatencySlice slice;
        slice.second = begin->intended / second;
        const auto end = std::find_if(begin, samples.end(), [&](const OperationSample& sample) {
            return sample.intended / second != slice.second;
        });
        std::vector<std::int64_t> latencies;
        for (; begin != end; ++begin) {
            latencies.push_back(begin->done - begin->intended);
            slice.errors += is_error(begin->outcome) ? 1 : 0;
        }
        std::sort(latencies.begin(), latencies.end());
        slice.count = latencies.size();
        slice.p50 = quantile(latencies, 0.5);
        slice.p99 = quantile(latencies, 0.99);
        slices.push_back(slice);
    }
    return slices;
}

OperationMetrics summarize_operation(const LoadMetrics& metrics, Function function) {
    OperationMetrics result;
    result.operation = to_string(function);
    std::vector<OperationSample> samples;
    for (const OperationSample& sample : metrics.operations) {
        if (sample.function != function) { continue; }
        ++result.started;
        switch (sample.outcome) {
            case Outcome::succeeded: ++result.succeeded; break;
            case Outcome::refused: ++result.refused; break;
            case Outcome::failed: ++result.failed; break;
            case Outcome::unknown: ++result.unknown; break;
        }
        result.latency.record(sample.done - sample.intended);
        samples.push_back(sample);
    }
    for (const AttemptSample& attempt : metrics.attempts) {
        if (attempt.function != function) { continue; }
        ++result.attempts;
        result.service_time.record(attempt.done - attempt.sent);
    }
    result.slices = slices_of(std::move(samples));
    return result;
}

}  // namespace

void LoadMetrics::merge(const LoadMetrics& other) {
    if (loads.empty()) { loads = other.loads; }
    append(operations, other.operations);
    append(attempts, other.attempts);
    append(arrivals, other.arrivals);
}

RunMetrics summarize(const LoadMetrics& metrics, Duration duration) {
    RunMetrics result;
    for (const Function function :
         {Function::reserve, Function::basket, Function::confirm, Function::release,
          Function::extend, Function::read, Function::find, Function::enqueue}) {
        OperationMetrics operation = summarize_operation(metrics, function);
        if (operation.started > 0) { result.operations.push_back(std::move(operation)); }
    }
    for (const OperationSample& sample : metrics.operations) {
        result.send_lag.record(sample.sent - sample.intended);
    }
    result.arrivals = metrics.arrivals.size();
    result.shed = static_cast<std::uint64_t>(
        std::count_if(metrics.arrivals.begin(), metrics.arrivals.end(),
                      [](const ArrivalSample& arrival) { return arrival.shed; }));
    result.duration = duration.count();
    return result;
}

}  // namespace rushproof::simulator
