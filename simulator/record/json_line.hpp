// The members of one line of a JSON lines history, as they stand there.
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushproof::simulator {

enum class Member : std::uint8_t {
    // of the line
    version,
    stock,
    scenario,
    seed,
    world,
    ttl,
    clock_bound,
    audited,
    compared,
    time,
    process,
    type,
    function,
    key,
    value,
    error,
    // of its value
    quantity,
    reservation,
    available,
    message,
    lines,
    number,
    kind,
    at,
    committed_before,
    on_hand,
    held,
    sold,
    target,
    phase,
    planned,
    evidence,
    reason,
    state,
    id,
    from,
    to,
    epoch,
    began,
    carried_over,
    on,
    missing,
    count,
};

std::string_view to_string(Member member);

struct JsonLine {
    struct Amount {
        std::string key;
        std::int64_t quantity = 0;
    };

    bool has(Member member) const { return present[static_cast<std::size_t>(member)]; }
    // It stands there, but is no integer, text or flag as it should be.
    bool is_mistyped(Member member) const { return mistyped[static_cast<std::size_t>(member)]; }
    std::int64_t integer(Member member) const {
        return has(member) ? integers[static_cast<std::size_t>(member)] : 0;
    }
    std::string_view text(Member member) const {
        return has(member) ? std::string_view(texts[static_cast<std::size_t>(member)])
                           : std::string_view();
    }

    std::bitset<static_cast<std::size_t>(Member::count)> present;
    std::bitset<static_cast<std::size_t>(Member::count)> mistyped;
    std::array<std::int64_t, static_cast<std::size_t>(Member::count)> integers{};
    std::array<std::string, static_cast<std::size_t>(Member::count)> texts;
    std::vector<Amount> stock;
    std::vector<Amount> basket;
    // What is wrong with the whole line; the members are then incomplete.
    std::optional<std::string> problem;
};

class JsonLineParser {
public:
    JsonLineParser();
    ~JsonLineParser();

    // Valid until the next call.  Members that no history has are skipped; a text may stand as an
    // integer.
    const JsonLine& parse(std::string_view line);

private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace rushproof::simulator
