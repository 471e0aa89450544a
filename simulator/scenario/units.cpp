#include "simulator/scenario/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
// Largest first.
constexpr std::array units{
    Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1},
};

bool is_digit(char character) { return character >= '0' && character <= '9'; }

// Takes digits from the front of `text`.
std::string_view take_digits(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

std::optional<std::int64_t> whole(std::string_view digits) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) { return std::nullopt; }
    return value;
}

// "12.5" with `scale` 1000 is 12500; nothing when it is no such number or needs more digits than
// `scale` has zeros.
std::optional<std::int64_t> scaled(std::string_view text, std::int64_t scale) {
    const auto integer = take_digits(text);
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits(text);
        if (fraction.empty()) { return std::nullopt; }
    }
    const auto high = whole(integer);
    if (!text.empty() || !high || *high > INT64_MAX / scale - 1) { return std::nullopt; }
    std::int64_t result = *high * scale;
    for (const char digit : fraction) {
        if (scale % 10 != 0) { return std::nullopt; }
        scale /= 10;
        result += (digit - '0') * scale;
    }
    return result;
}

// Minutes and hours have no decimal fractions in nanoseconds' digits: 1.5m is 90 s.
std::optional<std::int64_t> times_unit(std::string_view number, std::int64_t nanoseconds) {
    constexpr std::int64_t fraction_scale = 1'000'000'000;
    if (nanoseconds <= fraction_scale) { return scaled(number, nanoseconds); }
    const auto in_billionths = scaled(number, fraction_scale);
    if (!in_billionths) { return std::nullopt; }
    const auto product = static_cast<__int128>(*in_billionths) * (nanoseconds / fraction_scale);
    if (product > INT64_MAX) { return std::nullopt; }
    return static_cast<std::int64_t>(product);
}

Problem bare_number(std::string_view text, std::string_view what, std::string hint) {
    return {"expected " + std::string(what) + ", found the bare number " + std::string(text),
            std::move(hint)};
}

Problem not_a(std::string_view text, std::string_view what, std::string hint) {
    return {"expected " + std::string(what) + ", found \"" + std::string(text) + '"',
            std::move(hint)};
}

// `scale` is a power of ten.
std::string decimal(std::int64_t value, std::int64_t scale) {
    std::string text = std::to_string(value / scale);
    std::string fraction = std::to_string(value % scale + scale).substr(1);
    while (fraction.ends_with('0')) { fraction.pop_back(); }
    return fraction.empty() ? text : text + '.' + fraction;
}

}  // namespace

bool is_number(std::string_view text) {
    double ignored = 0;
    if (text.find_first_not_of("0123456789+-.eE") != text.npos) { return false; }  // inf, nan
    if (text.starts_with('+')) { text.remove_prefix(1); }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ignored);
    return !text.empty() && end == text.data() + text.size() &&
           error != std::errc::invalid_argument;
}

Parsed<Duration> parse_duration(std::string_view text) {
    constexpr std::string_view what = "a duration";
    const std::string original(text);
    if (is_number(text)) {
        return tl::unexpected(bare_number(
            text, what, "add a unit: " + original + "ms, " + original + "s or " + original + "m"));
    }
    const auto wrong = tl::unexpected(
        not_a(original, what, "write it like 80ms, 1.5s or 2m (units ns us ms s m h)"));
    const bool negative = text.starts_with('-');
    if (negative) { text.remove_prefix(1); }
    std::int64_t total = 0;
    std::int64_t unit_before = INT64_MAX;
    do {
        const auto number_end = std::find_if_not(text.begin(), text.end(),
                                                 [](char c) { return is_digit(c) || c == '.'; });
        const auto number = text.substr(0, static_cast<std::size_t>(number_end - text.begin()));
        text.remove_prefix(number.size());
        const auto unit_end = std::find_if(text.begin(), text.end(), is_digit);
        const auto name = text.substr(0, static_cast<std::size_t>(unit_end - text.begin()));
        text.remove_prefix(name.size());
        const auto unit = std::ranges::find(units, name, &Unit::name);
        if (unit == units.end() || unit->nanoseconds >= unit_before) { return wrong; }
        unit_before = unit->nanoseconds;
        const auto part = times_unit(number, unit->nanoseconds);
        if (!part) { return wrong; }
        if (*part > limits::duration_max.count() - total) {
            return tl::unexpected(Problem{'"' + original + "\" is too long",
                                          "at most " + format_duration(limits::duration_max)});
        }
        total += *part;
    } while (!text.empty());
    return Duration(negative ? -total : total);
}

Parsed<Rate> parse_rate(std::string_view text) {
    constexpr std::string_view what = "a rate";
    if (is_number(text)) {
        return tl::unexpected(
            bare_number(text, what, "add its unit, per second: " + std::string(text) + "/s"));
    }
    const auto number = text.ends_with("/s") ? text.substr(0, text.size() - 2) : std::string_view();
    const auto thousandths = scaled(number, 1000);
    if (!thousandths) {
        return tl::unexpected(
            not_a(text, what, "write it per second, with three decimals at most: 400/s or 0.5/s"));
    }
    if (*thousandths > limits::rate_max * 1000) {
        return tl::unexpected(Problem{'"' + std::string(text) + "\" is too fast",
                                      "at most " + std::to_string(limits::rate_max) + "/s"});
    }
    return Rate{*thousandths};
}

Parsed<std::uint32_t> parse_share(std::string_view text) {
    constexpr std::int64_t all = 1'000'000;
    const bool percent = text.ends_with('%');
    const auto millionths =
        percent ? scaled(text.substr(0, text.size() - 1), all / 100) : scaled(text, all);
    if (!millionths || *millionths > all) {
        const bool wants_percent = !percent && millionths && *millionths <= all * 100;
        return tl::unexpected(
            not_a(text, "a share from 0 to 1 or from 0% to 100%",
                  wants_percent ? "write " + std::string(text) + '%' : "write it like 0.7 or 70%"));
    }
    return static_cast<std::uint32_t>(*millionths);
}

Parsed<std::int64_t> parse_ppm(std::string_view text) {
    constexpr std::string_view what = "parts per million";
    if (is_number(text)) {
        return tl::unexpected(
            bare_number(text, what, "add the unit: " + std::string(text) + "ppm"));
    }
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative) { digits.remove_prefix(1); }
    const auto value =
        digits.ends_with("ppm") ? whole(digits.substr(0, digits.size() - 3)) : std::nullopt;
    constexpr std::int64_t ppm_max = 500'000;
    if (!value || *value < 0 || *value > ppm_max) {
        return tl::unexpected(
            not_a(text, what, "write it like 200ppm or -500ppm, within half of the true speed"));
    }
    return negative ? -*value : *value;
}

Parsed<std::int64_t> parse_integer(std::string_view text) {
    const auto value = whole(text);
    if (!value) { return tl::unexpected(not_a(text, "a whole number", {})); }
    return *value;
}

Parsed<double> parse_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(value >= -1e15 && value <= 1e15)) {
        return tl::unexpected(not_a(text, "a number", {}));
    }
    return value;
}

std::string format_duration(Duration duration) {
    if (duration.count() == 0) { return "0s"; }
    if (duration.count() < 0) { return '-' + format_duration(-duration); }
    for (const auto& unit : units) {
        const auto count = duration.count();
        if (count % unit.nanoseconds == 0) {
            return std::to_string(count / unit.nanoseconds) + std::string(unit.name);
        }
        // 90 s reads better than 1.5 m, and 1.5 s better than 1500 ms.
        const bool decimal_unit = unit.nanoseconds <= units[2].nanoseconds;
        if (decimal_unit && count > unit.nanoseconds && count % (unit.nanoseconds / 10) == 0) {
            return decimal(count, unit.nanoseconds) + std::string(unit.name);
        }
    }
    return std::to_string(duration.count()) + "ns";
}

std::string format_rate(Rate rate) { return decimal(rate.per_1000_seconds, 1000) + "/s"; }

std::string format_share(std::uint32_t millionths) { return decimal(millionths, 10'000) + '%'; }

std::string format_number(double number) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return error == std::errc{} ? std::string(buffer.data(), end) : "?";
}

}  // namespace rushproof::simulator
