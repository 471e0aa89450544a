// Metrics in Prometheus' text format and logs as JSON lines on stderr.
#pragma once
#include <memory>
#include <string>

#include "core/ports/telemetry.hpp"

namespace rushproof {

// A metric with more label sets than this folds the rest into one, whose label values are "other".
inline constexpr std::size_t label_sets_per_metric_max = 64;

// May be used by all threads at once.
class RealTelemetry final : public Telemetry {
public:
    explicit RealTelemetry(LogLevel level);
    ~RealTelemetry() override;

    Counter& counter(std::string_view name, std::string_view help, Labels labels) override;
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels) override;
    Distribution& duration(std::string_view name, std::string_view help, Labels labels) override;
    void log(LogLevel level, std::string_view event, LogFields fields) override;

    // The body of GET /metrics, of type metrics_content_type.
    std::string metrics_text() const;
    static constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4";

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rushproof
