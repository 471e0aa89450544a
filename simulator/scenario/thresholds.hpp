// The language of thresholds: "p(99) < 80ms", "rate < 0.001", "count == 0".
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "simulator/scenario/parser.hpp"
#include "simulator/scenario/units.hpp"

namespace rushproof::simulator {

// The aggregates that make sense of a metric with this unit.
std::vector<Aggregate> aggregates_of(MetricUnit unit);

// `unit` decides which aggregates there are and what the limit must look like.  Fills expression,
// aggregate, percentile, comparison and limit.
Parsed<Threshold> parse_threshold(std::string_view expression, MetricUnit unit);

}  // namespace rushproof::simulator
