#include "simulator/scenario/thresholds.hpp"

#include <algorithm>

#include "simulator/scenario/reader.hpp"
#include "simulator/scenario/words.hpp"

namespace rushproof::simulator {

namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) { return {}; }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string example_of(MetricUnit unit) {
    switch (unit) {
        case MetricUnit::time: return "write it like p(99) < 80ms";
        case MetricUnit::ratio: return "write it like rate < 0.001 or rate < 0.1%";
        case MetricUnit::per_second: return "write it like value > 200/s";
    }
    return {};
}

Parsed<double> parse_limit(std::string_view text, Aggregate aggregate, MetricUnit unit) {
    if (aggregate == Aggregate::count) { return parse_number(text); }
    if (unit == MetricUnit::time) {
        return parse_duration(text).map(
            [](Duration limit) { return static_cast<double>(limit.count()); });
    }
    if (unit == MetricUnit::ratio) {
        return parse_share(text).map(
            [](std::uint32_t millionths) { return static_cast<double>(millionths) / 1e6; });
    }
    return parse_number(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
}

// "p(99.9)" or the plain word; nothing when it is neither.
bool parse_aggregate(std::string_view text, MetricUnit unit, Threshold& threshold) {
    const bool percentile = text.starts_with("p(") && text.ends_with(')');
    const auto word = percentile ? std::string_view("p") : text;
    for (const Aggregate aggregate : aggregates_of(unit)) {
        if (word_of(aggregate) != word) { continue; }
        threshold.aggregate = aggregate;
        if (aggregate != Aggregate::percentile) { return true; }
        if (!percentile) { return false; }
        const auto value = parse_number(text.substr(2, text.size() - 3));
        threshold.percentile = value.value_or(-1);
        return threshold.percentile >= 0 && threshold.percentile <= 100;
    }
    return false;
}

std::string one_of_aggregates(MetricUnit unit) {
    std::string list;
    for (const Aggregate aggregate : aggregates_of(unit)) {
        list += list.empty() ? "one of: " : ", ";
        list += aggregate == Aggregate::percentile ? "p(99)" : word_of(aggregate);
    }
    return list;
}

}  // namespace

std::vector<Aggregate> aggregates_of(MetricUnit unit) {
    switch (unit) {
        case MetricUnit::time:
            return {Aggregate::percentile, Aggregate::min, Aggregate::max, Aggregate::mean,
                    Aggregate::count};
        case MetricUnit::ratio: return {Aggregate::rate, Aggregate::count};
        case MetricUnit::per_second: return {Aggregate::value};
    }
    return {};
}

Parsed<Threshold> parse_threshold(std::string_view expression, MetricUnit unit) {
    Threshold threshold;
    threshold.expression = expression;
    // Words with two letters stand first in the table, so that "<=" is not taken for "<".
    for (const auto& comparison : words<Comparison>()) {
        const auto at = expression.find(comparison.word);
        if (at == expression.npos) { continue; }
        const auto left = trim(expression.substr(0, at));
        const auto right = trim(expression.substr(at + comparison.word.size()));
        threshold.comparison = comparison.value;
        if (!parse_aggregate(left, unit, threshold)) {
            return tl::unexpected(
                Problem{'"' + std::string(left) + "\" cannot be asked of this metric",
                        one_of_aggregates(unit)});
        }
        const auto limit = parse_limit(right, threshold.aggregate, unit);
        if (!limit) { return tl::unexpected(limit.error()); }
        threshold.limit = *limit;
        return threshold;
    }
    return tl::unexpected(
        Problem{'"' + std::string(expression) + "\" compares nothing", example_of(unit)});
}

const std::vector<MetricName>& known_metrics() {
    static const std::vector<MetricName> metrics = [] {
        std::vector<MetricName> list;
        for (const std::string operation :
             {"reserve", "basket", "confirm", "release", "extend", "read", "find", "enqueue"}) {
            list.push_back({operation + ".latency", MetricUnit::time,
                            "from the moment that " + operation +
                                " was meant to start to its answer, over all attempts"});
            list.push_back({operation + ".service-time", MetricUnit::time,
                            "from sending one attempt of " + operation + " to its answer"});
            list.push_back({operation + ".errors", MetricUnit::ratio,
                            operation + " that failed or whose outcome is unknown; to be sold "
                                        "out is no error"});
            list.push_back({operation + ".success", MetricUnit::ratio,
                            operation + " that got a definite answer, sold out included"});
            list.push_back(
                {operation + ".rate", MetricUnit::per_second, operation + " answered per second"});
        }
        list.push_back({"generator.send-lag", MetricUnit::time,
                        "how late the generator sent; 0 in virtual time"});
        list.push_back({"load.shed", MetricUnit::ratio,
                        "arrivals beyond max-in-flight, which were counted and not sent"});
        return list;
    }();
    return metrics;
}

}  // namespace rushproof::simulator
