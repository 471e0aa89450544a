// What the load generator measured, kept raw so that every window of a threshold is exact.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"

namespace rushproof::simulator {

enum class Outcome : std::uint8_t { succeeded, refused, failed, unknown };
// A refusal for lack of stock is a correct answer.
constexpr bool is_error(Outcome outcome) {
    return outcome == Outcome::failed || outcome == Outcome::unknown;
}

// One operation over all its attempts.  Times are ns since the start of the run.
struct OperationSample {
    std::int64_t intended = 0;  // when the plan meant it to start
    std::int64_t sent = 0;      // when its first attempt was handed to the HTTP client
    std::int64_t done = 0;
    std::uint16_t load = 0;  // index into LoadMetrics::loads
    Function function = Function::reserve;
    Outcome outcome = Outcome::succeeded;
};
struct AttemptSample {
    std::int64_t sent = 0;
    std::int64_t done = 0;
    std::uint16_t load = 0;
    Function function = Function::reserve;
};
struct ArrivalSample {
    std::int64_t intended = 0;
    std::uint16_t load = 0;
    bool shed = false;
};

struct LoadMetrics {
    std::vector<std::string> loads;  // names, in file order
    std::vector<OperationSample> operations;
    std::vector<AttemptSample> attempts;
    std::vector<ArrivalSample> arrivals;  // of open-loop loads

    // Adds those of another generator thread of the same run; empty ones become the other's.
    void merge(const LoadMetrics& other);
};

// Leaves wall_time and scheduler_steps to the caller.
RunMetrics summarize(const LoadMetrics& metrics, Duration duration);

}  // namespace rushproof::simulator
