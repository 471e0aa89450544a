#include "simulator/load/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/load/draws.hpp"

namespace rushproof::simulator {

namespace {

using Wide = unsigned __int128;

constexpr Wide ns_per_1000_seconds = 1'000'000'000'000;
constexpr Wide one_arrival = Wide{1} << 32;

std::int64_t clamp_rate(Rate rate) {
    return std::clamp<std::int64_t>(rate.per_1000_seconds, 0, arrival_rate_max);
}
std::int64_t clamp_length(Duration length) {
    return std::clamp(length, Duration::zero(), load_duration_max).count();
}

}  // namespace

// With rates a and b at the ends of the piece and its length L, the integral until t is
// a t + (b - a) t^2 / 2 L.  Only the last step of the division rounds by more than 10^-12 arrivals.
Wide ArrivalSchedule::Piece::arrivals_until(std::int64_t offset) const {
    const auto from = static_cast<Wide>(rate_from);
    const auto to = static_cast<Wide>(rate_to);
    const auto t = static_cast<Wide>(offset);
    const auto twice_length = 2 * static_cast<Wide>(length);
    const Wide twice_length_times_mean_rate = (twice_length - t) * from + t * to;
    return twice_length_times_mean_rate * t / twice_length * one_arrival / ns_per_1000_seconds;
}

ArrivalSchedule::ArrivalSchedule(const Load& load, Duration run_duration, std::uint64_t seed,
                                 LoadShare share)
    : arrivals_(load.arrivals),
      gaps_(load_stream(seed, load.name, "arrivals")),
      seed_(seed),
      load_(load.name),
      share_(share) {
    const std::int64_t start = clamp_length(load.start_time);
    const std::int64_t run_end = clamp_length(run_duration);
    end_ = load.duration ? std::min(run_end, start + clamp_length(*load.duration)) : run_end;
    if (load.executor == Executor::constant_arrival_rate) {
        const std::int64_t rate = clamp_rate(load.rate);
        add_piece(start, end_ - start, rate, rate);
    } else if (load.executor == Executor::ramping_arrival_rate) {
        std::int64_t begin = start;
        std::int64_t rate = clamp_rate(load.start_rate);
        for (const Stage& stage : load.stages) {
            const std::int64_t target = clamp_rate(Rate{stage.target});
            const std::int64_t length = clamp_length(stage.duration);
            add_piece(begin, length, rate, target);
            begin += length;
            rate = target;
        }
        add_piece(begin, end_ - begin, rate, rate);
    }
}

void ArrivalSchedule::add_piece(std::int64_t begin, std::int64_t length, std::int64_t rate_from,
                                std::int64_t rate_to) {
    if (length <= 0) { return; }
    Piece piece;
    piece.begin = begin;
    piece.length = length;
    piece.rate_from = rate_from;
    piece.rate_to = rate_to;
    if (!pieces_.empty()) { piece.arrivals_before = pieces_.back().arrivals_after; }
    piece.arrivals_after = piece.arrivals_before + piece.arrivals_until(length);
    pieces_.push_back(piece);
}

// Solves the quadratic equation above; good to some nanoseconds unless the rate is close to zero.
std::int64_t ArrivalSchedule::guess_offset(const Piece& piece, Wide arrivals) {
    const auto from = static_cast<double>(piece.rate_from);
    const auto slope =
        (static_cast<double>(piece.rate_to) - from) / static_cast<double>(piece.length);
    const double wanted = static_cast<double>(arrivals) * (1e12 / 4294967296.0);
    const double root = std::sqrt(std::max(from * from + 2 * slope * wanted, 0.0));
    const double offset = 2 * wanted / std::max(from + root, 1e-9);
    return static_cast<std::int64_t>(std::min(offset, static_cast<double>(piece.length)));
}

std::int64_t ArrivalSchedule::offset_of(const Piece& piece, Wide arrivals) const {
    const Wide wanted = arrivals - piece.arrivals_before;
    if (piece.rate_from == piece.rate_to) {
        const Wide divisor = static_cast<Wide>(piece.rate_from) * one_arrival;
        return static_cast<std::int64_t>((wanted * ns_per_1000_seconds + divisor - 1) / divisor);
    }
    // The guess narrows the search and has no influence on its answer, which is exact.
    constexpr std::int64_t reach = 64;
    std::int64_t low = 0;
    std::int64_t high = piece.length;
    const std::int64_t guess = guess_offset(piece, wanted);
    if (guess > reach && piece.arrivals_until(guess - reach) < wanted) { low = guess - reach + 1; }
    if (guess + reach < high && piece.arrivals_until(guess + reach) >= wanted) {
        high = guess + reach;
    }
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        if (piece.arrivals_until(middle) >= wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

bool ArrivalSchedule::is_mine(std::uint64_t number) const {
    if (share_.parts == 1) { return true; }
    if (arrivals_ == Arrivals::uniform) { return number % share_.parts == share_.part; }
    return load_stream(seed_, load_, "share", number).below(share_.parts) == share_.part;
}

std::optional<Arrival> ArrivalSchedule::next() {
    while (true) {
        if (arrivals_ == Arrivals::uniform) {
            expected_ = one_arrival * number_ + one_arrival / 2;
        } else {
            expected_ += negative_log(gaps_.next());
        }
        while (piece_ < pieces_.size() && pieces_[piece_].arrivals_after <= expected_) { ++piece_; }
        if (piece_ == pieces_.size()) { return std::nullopt; }
        const Piece& piece = pieces_[piece_];
        const Arrival arrival{number_++, piece.begin + offset_of(piece, expected_)};
        if (arrival.at >= end_) { return std::nullopt; }
        if (is_mine(arrival.number)) { return arrival; }
    }
}

}  // namespace rushproof::simulator
