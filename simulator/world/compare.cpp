#include "simulator/world/compare.hpp"

#include <algorithm>

namespace rushproof::simulator {

namespace {

std::string describe(const TraceEvent& event) {
    return event.host + ": " + event.what + " (task " + std::to_string(event.task) + ", payload " +
           std::to_string(event.payload) + ") at " + std::to_string(event.time) + " ns";
}

bool equal(const TraceEvent& left, const TraceEvent& right) {
    return left.index == right.index && left.time == right.time && left.host == right.host &&
           left.what == right.what && left.task == right.task && left.payload == right.payload;
}

}  // namespace

std::optional<TraceWindow> first_differing_window(const TraceSummary& left,
                                                  const TraceSummary& right) {
    if (left.hash == right.hash && left.events == right.events) { return std::nullopt; }
    const auto [difference, unused] =
        std::mismatch(left.checkpoints.begin(), left.checkpoints.end(), right.checkpoints.begin(),
                      right.checkpoints.end());
    const auto window = static_cast<std::uint64_t>(difference - left.checkpoints.begin());
    return TraceWindow{window * checkpoint_interval, (window + 1) * checkpoint_interval};
}

std::optional<TraceDifference> first_difference(const TraceSummary& left,
                                                const TraceSummary& right) {
    const auto [in_left, in_right] = std::mismatch(left.window.begin(), left.window.end(),
                                                   right.window.begin(), right.window.end(), equal);
    const bool left_ended = in_left == left.window.end();
    const bool right_ended = in_right == right.window.end();
    if (left_ended && right_ended) { return std::nullopt; }
    const std::string one = left_ended ? "the first run ended" : describe(*in_left);
    const std::string other = right_ended ? "the second run ended" : describe(*in_right);
    const std::uint64_t index = left_ended ? in_right->index : in_left->index;
    return TraceDifference{index, "The runs part at event " + std::to_string(index) +
                                      ". First: " + one + ". Second: " + other + "."};
}

}  // namespace rushproof::simulator
