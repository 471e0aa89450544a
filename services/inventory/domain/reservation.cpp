#include "services/inventory/domain/reservation.hpp"

#include <array>
#include <string>

namespace rushproof::inventory {

namespace {

constexpr std::array<std::string_view, 4> state_words{"held", "confirmed", "released", "expired"};

}  // namespace

std::string_view to_string(State state) { return state_words[static_cast<std::size_t>(state)]; }

std::optional<State> parse_state(std::string_view word) {
    for (std::size_t i = 0; i < state_words.size(); ++i) {
        if (state_words[i] == word) { return static_cast<State>(i); }
    }
    return std::nullopt;
}

Result<void> answer_late(Ending wish, const Reservation& reservation) {
    const State wished = wish == Ending::confirm ? State::confirmed : State::released;
    if (reservation.state == wished) { return {}; }
    return failure(not_held(reservation));
}

Error not_held(const Reservation& reservation) {
    // Still held, but not to be confirmed: its time is up, and nobody has noted it yet.
    const State state = reservation.state == State::held ? State::expired : reservation.state;
    return {ErrorKind::permanent, "not-held",
            "the reservation is " + std::string(to_string(state))};
}

}  // namespace rushproof::inventory
