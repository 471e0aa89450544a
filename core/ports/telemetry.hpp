// Metrics and logs.  Names are snake_case with the unit last ("inventory_reserve_seconds"); label
// values come from closed lists, never from requests.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushproof {

class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(std::uint64_t count = 1) = 0;
};

class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
};

class Distribution {
public:
    virtual ~Distribution() = default;
    virtual void observe(double value) = 0;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class LogLevel : std::uint8_t { debug, info, warning, error };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Handles live as long as the Telemetry; asking twice for the same name and labels gives the same
// one.  Ask once, at start, not per request.
class Telemetry {
public:
    virtual ~Telemetry() = default;
    virtual Counter& counter(std::string_view name, std::string_view help, Labels labels = {}) = 0;
    virtual Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {}) = 0;
    // Seconds, in buckets from 100 us to 10 s.
    virtual Distribution& duration(std::string_view name, std::string_view help,
                                   Labels labels = {}) = 0;
    // `event` is a constant sentence; what varies goes into fields.  No secrets, no personal data.
    virtual void log(LogLevel level, std::string_view event, LogFields fields = {}) = 0;
};

}  // namespace rushproof
