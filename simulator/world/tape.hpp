// The choices of a run that were not the usual ones: what replays it without its seed, and what a
// minimiser may take away.
//
// As text, one choice a line, fields separated by a blank:
//     rushproof-tape 1
//     <number> <virtual time in ns> <site> <entity> <choice>
// `number` counts every choice of the run, the usual ones too.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof::simulator {

class Tape {
public:
    // Neither records nor replays: choose() answers what was drawn.
    Tape() = default;
    static Tape recording();
    // A tape that replays `text`.  Error: permanent, "bad-tape", with the line's number.
    static Result<Tape> parse(std::string_view text);

    // A choice at `site` ("schedule", one word) about `entity`: `drawn` by the seed, `usual` when
    // nothing special happens.  Returns what to do: `drawn`, or in a replay what the tape says.
    std::int64_t choose(Duration now, std::string_view site, std::uint64_t entity,
                        std::int64_t usual, std::int64_t drawn) {
        return mode_ == Mode::off ? drawn : choose_slowly(now, site, entity, usual, drawn);
    }

    // The first place where a replay differed from its tape, in words; also when choices were left
    // over at the end of the run.  Ask when the run is over, or any time before.
    std::optional<std::string> misalignment(bool run_is_over) const;

    std::string text() const;
    std::size_t size() const { return choices_.size(); }

private:
    enum class Mode : std::uint8_t { off, record, replay };
    struct Choice {
        std::uint64_t number = 0;
        std::int64_t time = 0;
        std::uint32_t site = 0;
        std::uint64_t entity = 0;
        std::int64_t choice = 0;
    };

    std::int64_t choose_slowly(Duration now, std::string_view site, std::uint64_t entity,
                               std::int64_t usual, std::int64_t drawn);
    std::uint32_t intern(std::string_view site);
    std::string describe(const Choice& choice) const;

    Mode mode_ = Mode::off;
    std::uint64_t asked_ = 0;
    std::size_t next_ = 0;  // replay: the first choice not yet taken
    std::vector<Choice> choices_;
    std::vector<std::string> sites_;
    std::string misalignment_;
};

}  // namespace rushproof::simulator
