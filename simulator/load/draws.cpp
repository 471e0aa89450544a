#include "simulator/load/draws.hpp"

#include <algorithm>
#include <string>

namespace rushproof::simulator {

namespace {

constexpr int fixed_bits = 32;
constexpr auto one = std::int64_t{1} << fixed_bits;
// log2(e) in units of 2^-60.
constexpr std::uint64_t binary_log_of_e = 0x171547652B82FE17ull;
constexpr Duration duration_max = std::chrono::hours(24);
constexpr Duration backoff_max = std::chrono::seconds(30);

// median * e^exponent, where exponent is in units of 2^-32.
Duration times_exponential(Duration median, __int128 exponent) {
    const auto doublings = (exponent * static_cast<__int128>(binary_log_of_e)) >> 60;
    const __int128 whole = (doublings + one - 1) >> fixed_bits;  // rounded up
    if (whole > 46) { return duration_max; }                     // a day has fewer than 2^47 ns
    if (whole < -46) { return Duration::zero(); }
    const auto below_whole = static_cast<std::uint64_t>((whole << fixed_bits) - doublings);
    const auto scaled = static_cast<unsigned __int128>(median.count()) * power_of_half(below_whole);
    const auto result = scaled >> (62 - static_cast<int>(whole));
    return result > static_cast<unsigned __int128>(duration_max.count())
               ? duration_max
               : Duration(static_cast<std::int64_t>(result));
}

Duration draw_unbounded(const DurationDraw& draw, RandomStream& stream) {
    switch (draw.kind) {
        case DrawKind::constant: return draw.mean;
        case DrawKind::uniform: return stream.between(draw.min, std::max(draw.min, draw.max));
        case DrawKind::exponential: return stream.exponential(draw.mean);
        case DrawKind::lognormal: break;
    }
    const auto normal = static_cast<__int128>(draw_normal(stream));
    const auto sigma = static_cast<__int128>(to_fixed_point(draw.sigma));
    return times_exponential(draw.mean, (normal * sigma) >> fixed_bits);
}

}  // namespace

LoadStreams::LoadStreams(std::uint64_t seed, std::string_view load, std::string_view purpose) {
    // The length keeps ("a/b", "c") and ("a", "b/c") apart.
    std::string name = "load/" + std::to_string(load.size()) + '/';
    name.append(load).append("/").append(purpose);
    key_ = hash64(name, seed);
}

RandomStream load_stream(std::uint64_t seed, std::string_view load, std::string_view purpose,
                         std::uint64_t entity) {
    return LoadStreams(seed, load, purpose).of(entity);
}

std::uint64_t to_fixed_point(double value) {
    constexpr double limit = 2147483648.0;
    if (!(value > 0)) { return 0; }
    return static_cast<std::uint64_t>(std::min(value, limit) * 4294967296.0);
}

std::int64_t draw_normal(RandomStream& stream) {
    // Von Neumann's rejection: an exponential variable x is kept with probability
    // e^(-(x - 1)^2 / 2), which leaves the absolute value of a normal one.
    while (true) {
        const auto x = static_cast<__int128>(negative_log(stream.next()));
        const auto y = static_cast<__int128>(negative_log(stream.next()));
        const auto distance = x - one;
        if (((2 * y) << fixed_bits) < distance * distance) { continue; }
        const bool negative = (stream.next() & 1) != 0;
        return static_cast<std::int64_t>(negative ? -x : x);
    }
}

Duration draw_duration(const DurationDraw& draw, RandomStream& stream) {
    Duration result = draw_unbounded(draw, stream);
    if (draw.kind != DrawKind::constant) {
        if (draw.max > Duration::zero()) { result = std::min(result, draw.max); }
        result = std::max(result, draw.min);
    }
    return std::clamp(result, Duration::zero(), duration_max);
}

std::int64_t draw_number(const NumberDraw& draw, RandomStream& stream) {
    if (draw.values.empty()) { return stream.between(draw.min, std::max(draw.min, draw.max)); }
    std::uint64_t left = stream.below(1'000'000);
    for (const auto& [value, millionths] : draw.values) {
        if (left < millionths) { return value; }
        left -= millionths;
    }
    return draw.values.back().first;
}

Duration draw_backoff(const RetryPolicy& policy, std::int64_t retry, RandomStream& stream) {
    const auto factor = static_cast<unsigned __int128>(to_fixed_point(policy.factor));
    const auto limit = static_cast<unsigned __int128>(backoff_max.count());
    auto pause = static_cast<unsigned __int128>(std::max<std::int64_t>(policy.base.count(), 0));
    for (std::int64_t i = 1; i < retry && pause > 0 && pause < limit; ++i) {
        pause = (pause * factor) >> fixed_bits;
    }
    const Duration longest(static_cast<std::int64_t>(std::min(pause, limit)));
    return policy.jitter ? stream.between(Duration::zero(), longest) : longest;
}

}  // namespace rushproof::simulator
