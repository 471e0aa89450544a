// A reservation and what may be said about it without asking anybody.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/strong.hpp"
#include "core/base/time.hpp"
#include "services/inventory/domain/basket.hpp"

namespace rushproof::inventory {

enum class State : std::uint8_t { held, confirmed, released, expired };

std::string_view to_string(State state);
std::optional<State> parse_state(std::string_view word);

struct Reservation {
    ReservationId id;
    std::vector<Line> lines;  // sorted by SKU; one unless it is a basket
    Owner owner;
    IdempotencyKey key;  // of the reserve that made it
    State state = State::held;
    WallTime expires_at{};
    // Until expires_at, by the database's clock; zero unless held.
    std::chrono::microseconds time_left{};
    // From calls that write: where a read must be to see it (core/runtime/position.hpp).
    std::string position{};
};

// A holder's wish to end a reservation.
enum class Ending : std::uint8_t { confirm, release };

// Why `wish` found nothing held that it could end: ok if the same wish came before, "not-held" if
// the reservation ended otherwise or has run out.
Result<void> answer_late(Ending wish, const Reservation& reservation);
// The refusal of what only a held reservation allows: "not-held".
Error not_held(const Reservation& reservation);

}  // namespace rushproof::inventory
