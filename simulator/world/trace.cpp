#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

namespace {

std::string hexadecimal(std::uint64_t value) {
    std::string text(16, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
        *digit = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
    return text;
}

}  // namespace

void Trace::add(std::int64_t time, const TraceText& host, const TraceText& what, std::uint64_t task,
                std::uint64_t payload) {
    const std::uint64_t where = combine64(host.hash(), static_cast<std::uint64_t>(time));
    const std::uint64_t who = combine64(what.hash(), task);
    const std::uint64_t event = combine64(combine64(where, who), payload);
    high_ = combine64(high_ ^ low_, event);
    low_ = combine64(low_, event);
    if (events_ >= window_first_ && events_ < window_last_) {
        window_.push_back(
            {events_, time, std::string(host.text()), std::string(what.text()), task, payload});
    }
    if (++events_ % checkpoint_interval == 0) { checkpoints_.push_back(low_); }
}

TraceSummary Trace::summary() const {
    return {hexadecimal(high_) + hexadecimal(low_), events_, checkpoints_, window_};
}

}  // namespace rushproof::simulator
