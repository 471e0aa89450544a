#include "core/runtime/queue_route.hpp"

#include <algorithm>
#include <utility>

namespace rushproof {

namespace {

constexpr std::pair<RoutePhase, std::string_view> phases[] = {
    {RoutePhase::steady, "steady"},
    {RoutePhase::opening, "opening"},
    {RoutePhase::moving, "moving"},
    {RoutePhase::draining, "draining"},
    {RoutePhase::stopping, "stopping"},
    {RoutePhase::returning, "returning"},
    {RoutePhase::returning_rest, "returning-rest"},
};

}  // namespace

std::string_view to_string(RoutePhase phase) {
    return phases[static_cast<std::size_t>(phase)].second;
}

std::optional<RoutePhase> parse_route_phase(std::string_view word) {
    const auto* const found =
        std::find_if(std::begin(phases), std::end(phases),
                     [word](const auto& each) { return each.second == word; });
    if (found == std::end(phases)) { return std::nullopt; }
    return found->first;
}

std::string_view publishes_to(const QueueRoute& route) {
    switch (route.phase) {
        case RoutePhase::steady:
        case RoutePhase::moving:
        case RoutePhase::draining: return route.provider;
        case RoutePhase::opening: return route.previous;
        case RoutePhase::stopping:
        case RoutePhase::returning:
        case RoutePhase::returning_rest: break;
    }
    return {};
}

std::string_view consumes_from(const QueueRoute& route) {
    const bool is_new =
        route.phase == RoutePhase::steady || route.phase == RoutePhase::returning_rest;
    return is_new ? route.provider : route.previous;
}

bool drains(const QueueRoute& route) {
    return route.phase == RoutePhase::draining || route.phase == RoutePhase::returning ||
           route.phase == RoutePhase::returning_rest;
}

}  // namespace rushproof
