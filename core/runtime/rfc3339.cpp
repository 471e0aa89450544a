#include "core/runtime/rfc3339.hpp"

namespace rushproof {

namespace {

void append(std::string& text, std::int64_t number, std::size_t digits) {
    text.append(digits, '0');
    for (std::size_t i = text.size(); digits > 0; --digits, number /= 10) {
        text[--i] = static_cast<char>('0' + number % 10);
    }
}

}  // namespace

std::string to_rfc3339(WallTime time) {
    const auto since_epoch = time.time_since_epoch();
    const auto days = std::chrono::floor<std::chrono::days>(since_epoch);
    const std::chrono::year_month_day date{std::chrono::sys_days(days)};
    const std::chrono::hh_mm_ss clock(since_epoch - days);
    std::string text;
    text.reserve(27);
    append(text, static_cast<int>(date.year()), 4);
    text += '-';
    append(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append(text, static_cast<unsigned>(date.day()), 2);
    text += 'T';
    append(text, clock.hours().count(), 2);
    text += ':';
    append(text, clock.minutes().count(), 2);
    text += ':';
    append(text, clock.seconds().count(), 2);
    text += '.';
    append(text, clock.subseconds().count(), 6);
    text += 'Z';
    return text;
}

}  // namespace rushproof
