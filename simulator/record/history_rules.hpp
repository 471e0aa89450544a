// What every history must keep to, whatever it was read from.  All problems are sentences that say
// what is wrong and how to mend it.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Quantities and stock above these would let sums overflow; nobody sells that many.
inline constexpr std::int64_t quantity_max = 1'000'000'000;
inline constexpr std::int64_t stock_max = 1'000'000'000'000'000;
// 36 years in ns: sums of a few times cannot overflow.
inline constexpr std::int64_t time_max = std::int64_t{1} << 60;
inline constexpr std::size_t basket_lines_max = 1'000;

// Appends events and refuses what cannot have been recorded.
class EventAppender {
public:
    // `history` outlives the appender, and nobody else appends events to it meanwhile.
    explicit EventAppender(History& history) : history_(history) {}

    // Nothing, or what is wrong with the event and how to mend it.  A completion may leave out what
    // its invocation says; it is copied.
    std::optional<std::string> append(Event event);

    // For every line that is not an event but has a time.
    std::optional<std::string> advance(std::int64_t time);

private:
    static constexpr std::uint32_t idle = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t retired = idle - 1;

    std::optional<std::string> invoke(const Event& event, std::uint32_t& state);
    std::optional<std::string> complete(Event& event, std::uint32_t& state);
    bool completes(const Event& event, const Event& invoked) const;
    std::optional<std::string> check_content(const Event& event) const;
    std::optional<std::string> check_basket(const Event& event) const;
    std::string who(const Event& event) const;

    History& history_;
    std::int64_t time_ = std::numeric_limits<std::int64_t>::min();
    // Per process: idle, retired, or the index of the invocation under way.
    std::vector<std::uint32_t> processes_;
};

std::optional<std::string> problem_of(const LedgerEntry& entry);
std::optional<std::string> problem_of(const FinalStock& stock);
std::optional<std::string> problem_of(const QueueSwitch& change);
std::optional<std::string> problem_of(const Divergence& divergence);
// In what the header says: initial stock, ttl, clock_bound.
std::optional<std::string> problem_of_header(const History& history);

}  // namespace rushproof::simulator
