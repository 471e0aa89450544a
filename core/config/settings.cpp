#include "core/config/settings.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof {

namespace {

constexpr std::string_view variable_prefix = "RUSHPROOF_";

struct Unit {
    std::string_view suffix;
    Duration length;
};
// Longer suffixes first: "ms" ends in "s".
constexpr std::array units{
    Unit{"ms", std::chrono::milliseconds(1)},
    Unit{"s", std::chrono::seconds(1)},
    Unit{"m", std::chrono::minutes(1)},
    Unit{"h", std::chrono::hours(1)},
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) { return std::nullopt; }
    return value;
}

std::optional<Duration> duration_of(std::string_view text) {
    for (const Unit& unit : units) {
        if (!text.ends_with(unit.suffix)) { continue; }
        const auto number = whole_number(text.substr(0, text.size() - unit.suffix.size()));
        if (!number || *number > static_cast<std::uint64_t>(Duration::max() / unit.length)) {
            return std::nullopt;
        }
        return static_cast<std::int64_t>(*number) * unit.length;
    }
    return std::nullopt;
}

std::string text_of(Duration duration) {
    for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
        if (duration % unit->length == Duration::zero()) {
            return std::to_string(duration / unit->length) + std::string(unit->suffix);
        }
    }
    return std::to_string(duration.count()) + "ns";
}

std::optional<std::string> find(const Settings::Texts& texts, std::string_view name) {
    const auto found = texts.find(name);
    if (found == texts.end()) { return std::nullopt; }
    return found->second;
}

}  // namespace

std::string flag_of(std::string_view name) { return "--" + std::string(name); }

std::string variable_of(std::string_view name) {
    std::string variable(variable_prefix);
    for (const char c : name) {
        variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return variable;
}

Settings::Settings(std::vector<SettingInfo> known, Texts flags, Texts variables)
    : known_(std::move(known)), flags_(std::move(flags)), variables_(std::move(variables)) {}

std::optional<Setting> Settings::variable(std::string_view name) const {
    auto text = find(variables_, name);
    if (!text) { return std::nullopt; }
    return Setting{*std::move(text), std::string(name)};
}

std::optional<Setting> Settings::given(std::string_view name) const {
    if (auto text = find(flags_, name)) { return Setting{*std::move(text), flag_of(name)}; }
    return variable(variable_of(name));
}

Setting Settings::get(std::string_view name) const {
    if (auto setting = given(name)) { return *std::move(setting); }
    const auto info = std::find_if(known_.begin(), known_.end(),
                                   [&](const SettingInfo& each) { return each.name == name; });
    RP_ASSERT(info != known_.end());
    return Setting{std::string(info->fallback), "the default of " + flag_of(name)};
}

tl::unexpected<Error> bad_setting(const Setting& setting, std::string_view expected) {
    return failure(
        ErrorKind::permanent, "bad-setting",
        setting.source + " is \"" + setting.text + "\": expected " + std::string(expected));
}

Result<Duration> read_duration(const Setting& setting, Duration least, Duration most) {
    const auto duration = duration_of(setting.text);
    if (!duration || *duration < least || *duration > most) {
        return bad_setting(setting, "a duration from " + text_of(least) + " to " + text_of(most) +
                                        ", such as 250ms, 30s or 10m");
    }
    return *duration;
}

Result<std::uint64_t> read_count(const Setting& setting, std::uint64_t least, std::uint64_t most) {
    const auto number = whole_number(setting.text);
    if (!number || *number < least || *number > most) {
        return bad_setting(setting, "a whole number from " + std::to_string(least) + " to " +
                                        std::to_string(most));
    }
    return *number;
}

Result<ListenAddress> read_listen_address(const Setting& setting) {
    const auto bad = [&] {
        return bad_setting(setting,
                           "an address and a port, such as 127.0.0.1:8080 (port 0: a free one)");
    };
    const std::string_view text = setting.text;
    const auto colon = text.rfind(':');
    if (colon == text.npos) { return bad(); }
    const auto port = whole_number(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) { host = host.substr(1, host.size() - 2); }
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(host), error);
    if (error || address.is_v6() != bracketed || !port || *port > UINT16_MAX) { return bad(); }
    ListenAddress result;
    result.host = host;
    result.port = static_cast<std::uint16_t>(*port);
    return result;
}

Result<std::vector<std::string>> read_list(const Setting& setting) {
    std::vector<std::string> items;
    std::string_view rest = setting.text;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const auto item = rest.substr(0, comma);
        if (item.empty() || comma + 1 == rest.size()) {
            return bad_setting(setting, "a list such as a,b without empty items");
        }
        items.emplace_back(item);
        rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
    return items;
}

}  // namespace rushproof
