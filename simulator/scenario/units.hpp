// Numbers with units as the YAML writes them.  All arithmetic is on integers, so what a file says
// is exact.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Why a text is not the value that was asked for, and what to write instead.
struct Problem {
    std::string message;
    std::string hint = {};
};
template <class Value>
using Parsed = tl::expected<Value, Problem>;

// "80ms", "1.5s", "1m30s", "-200ms"; units ns us ms s m h.
Parsed<Duration> parse_duration(std::string_view text);
// "400/s", "0.5/s": at most three decimals.
Parsed<Rate> parse_rate(std::string_view text);
// "1%", "0.5%" or a number from 0 to 1, in millionths.
Parsed<std::uint32_t> parse_share(std::string_view text);
// "200ppm", "-500ppm".
Parsed<std::int64_t> parse_ppm(std::string_view text);
Parsed<std::int64_t> parse_integer(std::string_view text);
// A decimal number, such as the exponent of zipf.
Parsed<double> parse_number(std::string_view text);

// True for what a YAML reader takes for a number.
bool is_number(std::string_view text);

// The shortest text that the parser reads as the same value.
std::string format_duration(Duration duration);
std::string format_rate(Rate rate);
std::string format_share(std::uint32_t millionths);
std::string format_number(double number);

}  // namespace rushproof::simulator
