// Where messages are published and where they are consumed, and how that changes under load:
// nothing is lost, and the messages of a key keep their order.
//
//   steady -> opening -> moving -> draining -> steady
//                |          +----------+-> stopping -> returning -> returning_rest -> steady
//                +-> steady
//
// opening: the new provider is reached for.  moving: publishers go over to it, one by one.
// draining: all have; what is left in the previous one is consumed.  Only then is the new one
// consumed.  On the way back publishers stop; then the previous provider is drained, then what the
// new one had accepted.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace rushproof {

enum class RoutePhase : std::uint8_t {
    steady,
    opening,
    moving,
    draining,
    stopping,
    returning,
    returning_rest,
};

std::string_view to_string(RoutePhase phase);
std::optional<RoutePhase> parse_route_phase(std::string_view word);

struct QueueRoute {
    std::int64_t epoch = 0;  // grows with every change of the route; 0: not known
    std::string provider;    // the one that is used, or gone over to
    std::string previous;    // while a switch is under way: the one before
    RoutePhase phase = RoutePhase::steady;
    Duration age{};   // since the switch began
    Duration left{};  // until it is given up
};

// Empty: nobody may publish now.
std::string_view publishes_to(const QueueRoute& route);
std::string_view consumes_from(const QueueRoute& route);
// Whether the next step waits until what is consumed from is empty.
bool drains(const QueueRoute& route);

enum class RouteRole : std::uint8_t { publisher, consumer };

// What a member tells of itself when it renews its lease.
struct RouteMember {
    std::string id;
    RouteRole role = RouteRole::publisher;
    std::int64_t epoch = 0;    // it acts on no route before this one any more
    std::int64_t drained = 0;  // the epoch of the draining route whose provider it found empty
    std::int64_t carried = 0;  // messages that it finished while that was drained
};

}  // namespace rushproof
