#include "simulator/world/fault_points.hpp"

namespace rushproof::simulator {

void FaultPoints::add(std::string name, std::int64_t nth,
                      std::function<void(const std::string& instance)> strike) {
    points_.emplace(std::move(name), Point{nth, 0, std::move(strike)});
}

std::uint64_t FaultPoints::enter(std::string_view use_case) {
    const std::uint64_t span = next_span_++;
    if (!points_.empty()) { spans_.emplace(span, use_case); }
    return span;
}

void FaultPoints::leave(std::uint64_t span) { spans_.erase(span); }

std::string_view FaultPoints::use_case(std::uint64_t span) const {
    const auto found = spans_.find(span);
    return found == spans_.end() ? std::string_view("background") : std::string_view(found->second);
}

bool FaultPoints::reach(const std::string& instance, std::uint64_t span, std::string_view call,
                        std::string_view when) {
    if (points_.empty()) { return false; }
    std::string name(use_case(span));
    name.append("/").append(call).append(":").append(when);
    bool struck = false;
    const auto [first, last] = points_.equal_range(name);
    for (auto point = first; point != last; ++point) {
        if (++point->second.seen != point->second.nth) { continue; }
        point->second.strike(instance);
        struck = true;
    }
    return struck;
}

std::string use_case_of(std::string_view rpc_method) {
    std::string name(rpc_method.substr(0, rpc_method.find('.')));
    name += '.';
    const auto slash = rpc_method.rfind('/');
    bool first = true;
    for (const char c : rpc_method.substr(slash == std::string_view::npos ? 0 : slash + 1)) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper && !first) { name += '_'; }
        name += upper ? static_cast<char>(c - 'A' + 'a') : c;
        first = false;
    }
    return name;
}

}  // namespace rushproof::simulator
