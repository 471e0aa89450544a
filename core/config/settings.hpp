// Settings are texts, from the command line, the environment or a default, read into types.  Every
// error names where the text came from and what to write instead.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof {

struct SettingInfo {
    std::string_view name;  // "reservation-ttl": flag --reservation-ttl, RUSHPROOF_RESERVATION_TTL
    std::string_view fallback;
    std::string_view help;
};

std::string flag_of(std::string_view name);
std::string variable_of(std::string_view name);

struct Setting {
    std::string text;
    std::string source;  // "--listen", "RUSHPROOF_LISTEN", "the default of --listen"
};

class Settings {
public:
    using Texts = std::map<std::string, std::string, std::less<>>;
    // `flags` by name of setting, `variables` by name of variable.
    Settings(std::vector<SettingInfo> known, Texts flags, Texts variables);

    // What was given beats the environment, which beats the default.
    Setting get(std::string_view name) const;
    // The same, without the default.
    std::optional<Setting> given(std::string_view name) const;
    std::optional<Setting> variable(std::string_view name) const;

private:
    std::vector<SettingInfo> known_;
    Texts flags_;
    Texts variables_;
};

struct ListenAddress {
    std::string host;  // numeric
    std::uint16_t port = 0;
};

// All errors are permanent "bad-setting".
tl::unexpected<Error> bad_setting(const Setting& setting, std::string_view expected);

// "250ms", "30s", "10m", "2h"
Result<Duration> read_duration(const Setting& setting, Duration least, Duration most);
Result<std::uint64_t> read_count(const Setting& setting, std::uint64_t least, std::uint64_t most);
// "127.0.0.1:8080", "[::1]:0"
Result<ListenAddress> read_listen_address(const Setting& setting);
// "a,b": without empty items; empty text is an empty list.
Result<std::vector<std::string>> read_list(const Setting& setting);

}  // namespace rushproof
