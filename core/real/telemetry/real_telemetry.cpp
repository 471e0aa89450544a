#include "core/real/telemetry/real_telemetry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <map>
#include <mutex>

namespace rushproof {

namespace {

class RealCounter final : public Counter {
public:
    explicit RealCounter(prometheus::Counter& counter) : counter_(counter) {}
    void add(std::uint64_t count) override { counter_.Increment(static_cast<double>(count)); }

private:
    prometheus::Counter& counter_;
};

class RealGauge final : public Gauge {
public:
    explicit RealGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
    void set(double value) override { gauge_.Set(value); }

private:
    prometheus::Gauge& gauge_;
};

class RealDistribution final : public Distribution {
public:
    explicit RealDistribution(prometheus::Histogram& histogram) : histogram_(histogram) {}
    void observe(double value) override { histogram_.Observe(value); }

private:
    prometheus::Histogram& histogram_;
};

// Seconds, 100 us to 10 s.
const prometheus::Histogram::BucketBoundaries duration_buckets = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string json_members(std::string_view event, LogFields fields) {
    std::string text = R"("event":)" + boost::json::serialize(event);
    for (const auto& [name, value] : fields) {
        text += "," + boost::json::serialize(name) + ":" + boost::json::serialize(value);
    }
    return text;
}

}  // namespace

struct RealTelemetry::State {
    // The handle of these labels, made by `make` unless it is there or there are too many.
    template <class Handle, class Make>
    Handle& find(std::map<Labels, std::unique_ptr<Handle>>& of_metric, Labels labels, Make make) {
        auto found = of_metric.find(labels);
        if (found == of_metric.end() && of_metric.size() >= label_sets_per_metric_max) {
            for (auto& [name, value] : labels) { value = "other"; }
            found = of_metric.find(labels);
        }
        if (found == of_metric.end()) {
            const prometheus::Labels converted(labels.begin(), labels.end());
            found = of_metric.emplace(std::move(labels), make(converted)).first;
        }
        return *found->second;
    }

    template <class Handle>
    using Metrics = std::map<std::string, std::map<Labels, std::unique_ptr<Handle>>, std::less<>>;

    std::mutex mutex;
    prometheus::Registry registry;
    Metrics<RealCounter> counters;
    Metrics<RealGauge> gauges;
    Metrics<RealDistribution> distributions;
    spdlog::logger logger{"rushproof", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

RealTelemetry::RealTelemetry(LogLevel level) : state_(std::make_unique<State>()) {
    state_->logger.set_level(spdlog_level(level));
    state_->logger.set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})",
                               spdlog::pattern_time_type::utc);
}

RealTelemetry::~RealTelemetry() = default;

Counter& RealTelemetry::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(state_->mutex);
    const std::string key(name);
    return state_->find(state_->counters[key], std::move(labels),
                        [&](const prometheus::Labels& converted) {
                            auto& family = prometheus::BuildCounter()
                                               .Name(key)
                                               .Help(std::string(help))
                                               .Register(state_->registry);
                            return std::make_unique<RealCounter>(family.Add(converted));
                        });
}

Gauge& RealTelemetry::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(state_->mutex);
    const std::string key(name);
    return state_->find(state_->gauges[key], std::move(labels),
                        [&](const prometheus::Labels& converted) {
                            auto& family = prometheus::BuildGauge()
                                               .Name(key)
                                               .Help(std::string(help))
                                               .Register(state_->registry);
                            return std::make_unique<RealGauge>(family.Add(converted));
                        });
}

Distribution& RealTelemetry::duration(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(state_->mutex);
    const std::string key(name);
    return state_->find(
        state_->distributions[key], std::move(labels), [&](const prometheus::Labels& converted) {
            auto& family = prometheus::BuildHistogram()
                               .Name(key)
                               .Help(std::string(help))
                               .Register(state_->registry);
            return std::make_unique<RealDistribution>(family.Add(converted, duration_buckets));
        });
}

void RealTelemetry::log(LogLevel level, std::string_view event, LogFields fields) {
    const auto severity = spdlog_level(level);
    if (!state_->logger.should_log(severity)) { return; }
    state_->logger.log(severity, json_members(event, fields));
}

std::string RealTelemetry::metrics_text() const {
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace rushproof
