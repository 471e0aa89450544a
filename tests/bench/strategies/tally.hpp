// Telemetry that only adds up.
#pragma once
#include <map>
#include <string>
#include <utility>

#include "core/ports/telemetry.hpp"

namespace rushproof::bench {

// For one thread.  Of labels only `cause` is told apart.
class Tally final : public Telemetry {
public:
    struct Sum final : Counter, Gauge, Distribution {
        void add(std::uint64_t count) override { value += static_cast<double>(count); }
        void set(double to) override { value = to; }
        void observe(double observed) override {
            value += observed;
            ++observations;
        }
        double value = 0;
        std::uint64_t observations = 0;
    };

    Counter& counter(std::string_view name, std::string_view, Labels labels) override {
        return find(name, labels);
    }
    Gauge& gauge(std::string_view name, std::string_view, Labels labels) override {
        return find(name, labels);
    }
    Distribution& duration(std::string_view name, std::string_view, Labels labels) override {
        return find(name, labels);
    }
    void log(LogLevel level, std::string_view event, LogFields fields) override;

    // Zero for what nobody counted; an empty cause takes all together.
    Sum of(const std::string& name, const std::string& cause = {}) const;
    void reset();

private:
    Sum& find(std::string_view name, const Labels& labels);

    std::map<std::pair<std::string, std::string>, Sum> sums_;  // by name and cause
};

}  // namespace rushproof::bench
