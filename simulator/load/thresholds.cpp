#include "simulator/load/thresholds.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "simulator/load/arrivals.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::string_view send_lag_metric = "generator.send-lag";
constexpr std::string_view shed_metric = "load.shed";

struct Span {
    std::int64_t begin = 0;
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
};

// The times, and maybe the one load, that a threshold speaks of.
class Window {
public:
    Window(std::string_view during, const Scenario& scenario, const LoadMetrics& metrics,
           const std::vector<FaultRecord>& faults) {
        const auto colon = during.find(':');
        const std::string_view kind = during.substr(0, colon);
        const std::string_view name =
            colon == std::string_view::npos ? std::string_view() : during.substr(colon + 1);
        if (kind == "phase") {
            add_phases(scenario.timeline, name);
        } else if (kind == "fault") {
            add_faults(faults, name);
        } else {
            spans_.push_back(Span());
        }
        if (kind == "load") {
            const auto found = std::find(metrics.loads.begin(), metrics.loads.end(), name);
            load_ = static_cast<std::size_t>(found - metrics.loads.begin());
        }
    }

    bool contains(std::int64_t time, std::size_t load) const {
        if (load_ && *load_ != load) { return false; }
        return std::any_of(spans_.begin(), spans_.end(),
                           [&](const Span& span) { return span.begin <= time && time < span.end; });
    }

    // How much of the first `duration` of the run it covers, in seconds; spans that overlap count
    // once.
    double seconds(Duration duration) const {
        std::vector<Span> spans = spans_;
        std::sort(spans.begin(), spans.end(),
                  [](const Span& a, const Span& b) { return a.begin < b.begin; });
        std::int64_t covered = 0;
        std::int64_t until = 0;
        for (const Span& span : spans) {
            const std::int64_t begin = std::max(span.begin, until);
            const std::int64_t end = std::min(span.end, duration.count());
            covered += std::max<std::int64_t>(end - begin, 0);
            until = std::max(until, end);
        }
        return static_cast<double>(covered) / 1e9;
    }

private:
    void add_phases(const std::vector<TimelineEntry>& timeline, std::string_view name) {
        for (const TimelineEntry& entry : timeline) {
            if (entry.phase != name) { continue; }
            Span span;
            span.begin = entry.at.count();
            for (const TimelineEntry& other : timeline) {
                const bool next_phase = !other.phase.empty() && other.at > entry.at;
                if (next_phase) { span.end = std::min(span.end, other.at.count()); }
            }
            spans_.push_back(span);
        }
    }

    void add_faults(const std::vector<FaultRecord>& faults, std::string_view id) {
        for (const FaultRecord& fault : faults) {
            if (fault.began < 0 || (id != "*" && fault.id != id)) { continue; }
            Span span;
            span.begin = fault.began;
            if (fault.ended >= 0) { span.end = fault.ended; }
            spans_.push_back(span);
        }
    }

    std::vector<Span> spans_;
    std::optional<std::size_t> load_;
};

struct Measurement {
    double value = 0;
    std::uint64_t samples = 0;
};

Measurement of_times(const Histogram& times, const Threshold& threshold) {
    Measurement result;
    result.samples = times.count();
    switch (threshold.aggregate) {
        case Aggregate::percentile:
            result.value = static_cast<double>(times.quantile(threshold.percentile / 100));
            break;
        case Aggregate::min: result.value = static_cast<double>(times.min()); break;
        case Aggregate::max: result.value = static_cast<double>(times.max()); break;
        case Aggregate::count: result.value = static_cast<double>(times.count()); break;
        case Aggregate::mean:
        case Aggregate::rate:
        case Aggregate::value: result.value = times.mean(); break;
    }
    return result;
}

Measurement of_share(std::uint64_t hits, std::uint64_t samples, const Threshold& threshold) {
    Measurement result;
    result.samples = samples;
    result.value = static_cast<double>(hits);
    if (threshold.aggregate != Aggregate::count && samples > 0) {
        result.value /= static_cast<double>(samples);
    }
    return result;
}

// "reserve.latency" is the measure "latency" of the operation "reserve".
Measurement of_operation(const Threshold& threshold, const Window& window, Duration duration,
                         const LoadMetrics& metrics) {
    const std::string_view metric = threshold.metric;
    const auto dot = std::min(metric.find('.'), metric.size());
    const std::string_view operation = metric.substr(0, dot);
    const std::string_view measure = metric.substr(std::min(dot + 1, metric.size()));
    Histogram times;
    if (measure == "service-time") {
        for (const AttemptSample& attempt : metrics.attempts) {
            const bool counts = to_string(attempt.function) == operation &&
                                window.contains(attempt.sent, attempt.load);
            if (counts) { times.record(attempt.done - attempt.sent); }
        }
        return of_times(times, threshold);
    }
    std::uint64_t errors = 0;
    std::uint64_t answered = 0;
    for (const OperationSample& sample : metrics.operations) {
        const bool counts = to_string(sample.function) == operation &&
                            window.contains(sample.intended, sample.load);
        if (!counts) { continue; }
        times.record(sample.done - sample.intended);
        errors += is_error(sample.outcome) ? 1 : 0;
        answered += sample.outcome != Outcome::unknown ? 1 : 0;
    }
    const std::uint64_t samples = times.count();
    if (measure == "latency") { return of_times(times, threshold); }
    if (measure == "errors") { return of_share(errors, samples, threshold); }
    if (measure == "success") { return of_share(samples - errors, samples, threshold); }
    Measurement result;
    if (measure == "rate") {
        const double seconds = window.seconds(duration);
        result.samples = samples;
        result.value = seconds > 0 ? static_cast<double>(answered) / seconds : 0;
    }
    return result;
}

Measurement measure(const Threshold& threshold, const Scenario& scenario,
                    const LoadMetrics& metrics, const std::vector<FaultRecord>& faults) {
    const Window window(threshold.during, scenario, metrics, faults);
    if (threshold.metric == send_lag_metric) {
        Histogram lags;
        for (const OperationSample& sample : metrics.operations) {
            if (window.contains(sample.intended, sample.load)) {
                lags.record(sample.sent - sample.intended);
            }
        }
        return of_times(lags, threshold);
    }
    if (threshold.metric == shed_metric) {
        std::uint64_t arrivals = 0;
        std::uint64_t shed = 0;
        for (const ArrivalSample& arrival : metrics.arrivals) {
            if (!window.contains(arrival.intended, arrival.load)) { continue; }
            ++arrivals;
            shed += arrival.shed ? 1 : 0;
        }
        return of_share(shed, arrivals, threshold);
    }
    return of_operation(threshold, window, scenario.duration, metrics);
}

bool holds(const Threshold& threshold, double value) {
    switch (threshold.comparison) {
        case Comparison::less: return value < threshold.limit;
        case Comparison::less_equal: return value <= threshold.limit;
        case Comparison::greater: return value > threshold.limit;
        case Comparison::greater_equal: return value >= threshold.limit;
        case Comparison::equal: break;
    }
    return std::equal_to<>()(value, threshold.limit);
}

bool passes(const Threshold& threshold, const Measurement& measured) {
    if (measured.samples == 0) { return threshold.allow_empty; }
    return holds(threshold, measured.value);
}

bool speaks_of_time(std::string_view metric) {
    return metric == send_lag_metric || metric.ends_with(".latency") ||
           metric.ends_with(".service-time") || metric.ends_with(".rate");
}

std::uint64_t planned_arrivals(const Scenario& scenario, std::uint64_t seed) {
    std::uint64_t planned = 0;
    for (const Load& load : scenario.loads) {
        ArrivalSchedule schedule(load, scenario.duration, seed);
        while (schedule.next()) { ++planned; }
    }
    return planned;
}

std::string milliseconds(std::int64_t ns) {
    return std::to_string(ns / millisecond) + '.' + std::to_string(ns / (millisecond / 10) % 10) +
           " ms";
}

std::vector<std::string> lateness(const LoadMetrics& metrics) {
    Histogram lags;
    Histogram service_times;
    std::uint64_t very_late = 0;
    for (const OperationSample& sample : metrics.operations) {
        const std::int64_t lag = sample.sent - sample.intended;
        lags.record(lag);
        very_late += lag > 10 * millisecond ? 1 : 0;
    }
    for (const AttemptSample& attempt : metrics.attempts) {
        service_times.record(attempt.done - attempt.sent);
    }
    std::vector<std::string> doubts;
    const std::int64_t allowed = std::max(millisecond, service_times.quantile(0.5) / 10);
    const std::int64_t p99 = lags.quantile(0.99);
    if (p99 > allowed) {
        doubts.push_back("1 % of the requests were sent more than " + milliseconds(p99) +
                         " late; " + milliseconds(allowed) + " are allowed");
    }
    if (very_late * 1000 > lags.count()) {
        doubts.push_back(std::to_string(very_late) + " of " + std::to_string(lags.count()) +
                         " requests were sent more than 10 ms late");
    }
    return doubts;
}

}  // namespace

std::vector<std::string> generator_doubts(const Scenario& scenario, std::uint64_t seed,
                                          const LoadMetrics& metrics,
                                          const std::vector<FaultRecord>& faults,
                                          const GeneratorHealth& health) {
    std::vector<std::string> doubts = lateness(metrics);
    const auto shed = std::count_if(metrics.arrivals.begin(), metrics.arrivals.end(),
                                    [](const ArrivalSample& arrival) { return arrival.shed; });
    const bool may_shed =
        std::any_of(scenario.thresholds.begin(), scenario.thresholds.end(),
                    [](const Threshold& threshold) { return threshold.metric == shed_metric; });
    if (shed > 0 && !may_shed) {
        doubts.push_back(std::to_string(shed) +
                         " arrivals were shed, and no threshold on load.shed allows that");
    }
    const std::uint64_t planned = planned_arrivals(scenario, seed);
    if (planned != metrics.arrivals.size()) {
        doubts.push_back(std::to_string(metrics.arrivals.size()) + " of " +
                         std::to_string(planned) + " planned arrivals took place");
    }
    if (health.cpu_share_max > 0.9) {
        doubts.emplace_back("a generator thread used more than 90 % of its core");
    }
    if (health.steal_share > 0.02) {
        doubts.emplace_back("other virtual machines took more than 2 % of the processor");
    }
    for (const Threshold& threshold : scenario.thresholds) {
        const bool broken = threshold.metric == send_lag_metric &&
                            !passes(threshold, measure(threshold, scenario, metrics, faults));
        if (broken) {
            doubts.push_back("the scenario demands " + threshold.metric + ' ' +
                             threshold.expression);
        }
    }
    return doubts;
}

std::vector<ThresholdRecord> evaluate_thresholds(const Scenario& scenario,
                                                 const LoadMetrics& metrics,
                                                 const std::vector<FaultRecord>& faults,
                                                 const std::vector<std::string>& doubts) {
    std::vector<ThresholdRecord> records;
    for (const Threshold& threshold : scenario.thresholds) {
        const Measurement measured = measure(threshold, scenario, metrics, faults);
        ThresholdRecord record;
        record.metric = threshold.metric;
        record.expression = threshold.expression;
        record.verdict = passes(threshold, measured) ? "pass" : "fail";
        if (!doubts.empty() && speaks_of_time(threshold.metric)) { record.verdict = "not-judged"; }
        record.measured = measured.value;
        record.samples = measured.samples;
        record.line = threshold.location.line;
        records.push_back(std::move(record));
    }
    return records;
}

}  // namespace rushproof::simulator
