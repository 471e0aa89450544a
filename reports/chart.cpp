#include "reports/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "reports/summary.hpp"
#include "reports/text.hpp"

namespace rushproof::reports {

using simulator::LatencySlice;
using simulator::RunRecord;

namespace {

constexpr double width = 960;
constexpr double left = 64;
constexpr double right = 880;  // the rest is for labels at line ends

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

// A vertical log axis over [low, high] ns, from `bottom` up to `top` in pixels.
struct LogAxis {
    double low;
    double high;
    double top;
    double bottom;
    double at(double value) const {
        const double share =
            std::log(std::max(value, low) / low) / std::log(std::max(high / low, 1.001));
        return bottom - share * (bottom - top);
    }
};

LogAxis latency_axis(std::int64_t low, std::int64_t high, double top, double bottom) {
    const double floor = std::pow(
        10, std::floor(std::log10(static_cast<double>(std::max<std::int64_t>(low, 1000)))));
    const double ceiling = std::pow(
        10, std::ceil(std::log10(static_cast<double>(std::max<std::int64_t>(high, 10'000)))));
    return {floor, std::max(ceiling, floor * 10), top, bottom};
}

std::string line(double x1, double y1, double x2, double y2, const char* css) {
    return "<line class='" + std::string(css) + "' x1='" + number(x1) + "' y1='" + number(y1) +
           "' x2='" + number(x2) + "' y2='" + number(y2) + "'/>";
}

std::string label(double x, double y, const std::string& text, const char* css) {
    return "<text class='" + std::string(css) + "' x='" + number(x) + "' y='" + number(y) + "'>" +
           escape_markup(text) + "</text>";
}

std::string latency_grid(const LogAxis& axis) {
    std::string svg;
    for (double value = axis.low; value <= axis.high * 1.01; value *= 10) {
        svg += line(left, axis.at(value), right, axis.at(value), "grid") +
               label(left - 6, axis.at(value) + 4, duration_text(static_cast<std::int64_t>(value)),
                     "tick end");
    }
    return svg;
}

std::string polyline(const std::string& points, const char* css) {
    return "<polyline class='" + std::string(css) + "' points='" + points + "'/>";
}

struct TimeScale {
    double seconds;
    double at(double second) const { return left + second / seconds * (right - left); }
};

std::string time_ticks(const TimeScale& scale, double bottom) {
    std::string svg;
    const double raw = scale.seconds / 8;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double step = raw / power > 5   ? 10 * power
                        : raw / power > 2 ? 5 * power
                        : raw / power > 1 ? 2 * power
                                          : power;
    for (double second = 0; second <= scale.seconds + 1e-9; second += step) {
        svg += label(scale.at(second), bottom + 16, number(second) + " s", "tick middle");
    }
    return svg;
}

// Bands in up to three rows of labels, so that neighbours do not write over each other.
std::string fault_bands(const RunRecord& run, const TimeScale& scale, double top, double bottom) {
    std::string svg;
    std::array<double, 3> row_ends{};
    for (const auto& fault : run.faults) {
        if (fault.began < 0) { continue; }
        const double begin = scale.at(static_cast<double>(fault.began) / 1e9);
        const double end_ns = static_cast<double>(fault.ended < 0 ? fault.began : fault.ended);
        const double end = std::min(std::max(scale.at(end_ns / 1e9), begin + 3), right);
        svg += "<rect class='fault' x='" + number(begin) + "' y='" + number(top) + "' width='" +
               number(std::max(end - begin, 1.0)) + "' height='" + number(bottom - top) +
               "'><title>" +
               escape_markup(fault.id + " on " + fault.target + ": " + fault.evidence) +
               "</title></rect>";
        for (std::size_t row = 0; row < row_ends.size(); ++row) {
            if (row_ends[row] > begin) { continue; }
            svg += label(begin + 2, top + 12 + 13 * static_cast<double>(row), fault.id, "band");
            row_ends[row] = begin + 8.0 * static_cast<double>(fault.id.size());
            break;
        }
    }
    return svg;
}

// All kinds of operation together, second by second.
struct Second {
    std::uint64_t count = 0;
    std::uint64_t errors = 0;
};

std::string header(const std::string& title, const std::string& description, double height) {
    return "<svg viewBox='0 0 " + number(width) + " " + number(height) + "' role='img'><title>" +
           escape_markup(title) + "</title><desc>" + escape_markup(description) + "</desc>";
}

}  // namespace

std::string latency_over_time(const RunRecord& run) {
    const auto* const main = main_operation(run);
    if (main == nullptr || main->slices.empty()) { return {}; }
    const TimeScale scale{std::max(1.0, static_cast<double>(run.metrics.duration) / 1e9)};
    std::int64_t low = main->slices.front().p50;
    std::int64_t high = 0;
    for (const LatencySlice& slice : main->slices) {
        if (slice.count == 0) { continue; }
        low = std::min(low, slice.p50);
        high = std::max(high, slice.p99);
    }
    const LogAxis axis = latency_axis(low, high, 20, 220);
    std::string svg =
        header("Latency and operations over time",
               "p50 and p99 of " + main->operation + " per second, from the intended start", 340);
    svg += fault_bands(run, scale, 20, 310) + latency_grid(axis);
    std::string p50;
    std::string p99;
    const LatencySlice* last = nullptr;
    for (const LatencySlice& slice : main->slices) {
        if (slice.count == 0) { continue; }
        const std::string x = number(scale.at(static_cast<double>(slice.second) + 0.5)) + ",";
        p50 += x + number(axis.at(static_cast<double>(slice.p50))) + " ";
        p99 += x + number(axis.at(static_cast<double>(slice.p99))) + " ";
        last = &slice;
    }
    svg += polyline(p50, "series a") + polyline(p99, "series b");
    if (last != nullptr) {
        const double p99_y = axis.at(static_cast<double>(last->p99));
        const double p50_y = std::max(axis.at(static_cast<double>(last->p50)), p99_y + 14);
        svg += label(right + 6, p99_y + 4, "p99", "name b") +
               label(right + 6, p50_y + 4, "p50", "name a");
    }

    std::map<std::int64_t, Second> seconds;
    std::uint64_t peak = 1;
    for (const auto& operation : run.metrics.operations) {
        for (const LatencySlice& slice : operation.slices) {
            Second& second = seconds[slice.second];
            second.count += slice.count;
            second.errors += slice.errors;
            peak = std::max(peak, second.count);
        }
    }
    const auto height_of = [&](std::uint64_t count) {
        return 310 - static_cast<double>(count) / static_cast<double>(peak) * 70;
    };
    std::string done;
    std::string errors;
    for (const auto& [second, counts] : seconds) {
        const std::string x = number(scale.at(static_cast<double>(second) + 0.5)) + ",";
        done += x + number(height_of(counts.count)) + " ";
        errors += x + number(height_of(counts.errors)) + " ";
    }
    svg += line(left, 310, right, 310, "grid") + label(left - 6, 314, "0", "tick end") +
           label(left - 6, 244, count_text(peak) + "/s", "tick end") + polyline(done, "series c") +
           polyline(errors, "series d") + label(right + 6, 270, "operations/s", "name c") +
           label(right + 6, 310, "errors/s", "name d");
    return svg + time_ticks(scale, 310) + "</svg>";
}

std::string percentile_spectrum(const RunRecord& run) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::uint64_t samples = 0;
    for (const auto& operation : run.metrics.operations) {
        if (operation.latency.count() == 0) { continue; }
        const std::int64_t smallest = operation.latency.quantile(0.1);
        low = low == 0 ? smallest : std::min(low, smallest);
        high = std::max(high, operation.latency.max());
        samples = std::max(samples, operation.latency.count());
    }
    if (samples == 0) { return {}; }
    const LogAxis axis = latency_axis(low, high, 10, 230);
    const double decades = std::max(1.0, std::ceil(std::log10(static_cast<double>(samples))));
    const auto x_of = [&](double inverse) {
        return left + std::log10(inverse) / decades * (right - left);
    };
    std::string svg =
        header("Latency by percentile", "Latency from the intended start, by percentile", 270);
    svg += latency_grid(axis);
    constexpr std::array<const char*, 7> names = {"p0",     "p90",     "p99",     "p99.9",
                                                  "p99.99", "p99.999", "p99.9999"};
    for (std::size_t i = 0; i < names.size() && static_cast<double>(i) <= decades; ++i) {
        const double x = x_of(std::pow(10, static_cast<double>(i)));
        svg += line(x, 10, x, 230, "grid") + label(x, 246, names[i], "tick middle");
    }
    constexpr std::array<const char*, 4> css = {"a", "b", "c", "d"};
    double label_floor = 1000;
    std::size_t series = 0;
    for (const auto& operation : run.metrics.operations) {
        const Histogram& latency = operation.latency;
        if (latency.count() == 0 || series == css.size()) { continue; }
        std::string points;
        double y = 0;
        for (double inverse = 1; inverse <= static_cast<double>(latency.count()); inverse *= 1.15) {
            y = axis.at(static_cast<double>(latency.quantile(1 - 1 / inverse)));
            points += number(x_of(inverse)) + "," + number(y) + " ";
        }
        const double x_last = x_of(static_cast<double>(latency.count()));
        y = axis.at(static_cast<double>(latency.max()));
        points += number(x_last) + "," + number(y);
        svg += polyline(points, (std::string("series ") + css[series]).c_str());
        // Labels are moved apart where lines end close to each other.
        double label_y = y + 4;
        while (std::abs(label_y - label_floor) < 13) { label_y += 13; }
        label_floor = label_y;
        svg += label(std::min(x_last, right) + 6, label_y, operation.operation,
                     (std::string("name ") + css[series]).c_str());
        ++series;
    }
    return svg + "</svg>";
}

}  // namespace rushproof::reports
