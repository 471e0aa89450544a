#include "simulator/world/tape.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr std::string_view heading = "rushproof-tape 1";

std::string_view next_part(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Tape Tape::recording() {
    Tape tape;
    tape.mode_ = Mode::record;
    return tape;
}

Result<Tape> Tape::parse(std::string_view text) {
    Tape tape;
    tape.mode_ = Mode::replay;
    const auto bad = [](int line, const std::string& why) {
        return failure(ErrorKind::permanent, "bad-tape",
                       "line " + std::to_string(line) + " of the tape: " + why);
    };
    if (next_part(text, '\n') != heading) {
        return bad(1, "expected \"" + std::string(heading) + "\"");
    }
    for (int line = 2; !text.empty(); ++line) {
        std::string_view fields = next_part(text, '\n');
        Choice choice;
        bool good = read_number(next_part(fields, ' '), choice.number);
        good &= read_number(next_part(fields, ' '), choice.time);
        const std::string_view site = next_part(fields, ' ');
        good &= !site.empty();
        good &= read_number(next_part(fields, ' '), choice.entity);
        good &= read_number(fields, choice.choice);
        if (!good) { return bad(line, "expected number, time, site, entity and choice"); }
        if (!tape.choices_.empty() && choice.number <= tape.choices_.back().number) {
            return bad(line, "the numbers must rise");
        }
        choice.site = tape.intern(site);
        tape.choices_.push_back(choice);
    }
    return tape;
}

std::int64_t Tape::choose_slowly(Duration now, std::string_view site, std::uint64_t entity,
                                 std::int64_t usual, std::int64_t drawn) {
    const Choice asked{asked_++, now.count(), intern(site), entity, drawn};
    if (mode_ == Mode::record) {
        if (drawn != usual) { choices_.push_back(asked); }
        return drawn;
    }
    if (next_ == choices_.size() || choices_[next_].number != asked.number) { return usual; }
    const Choice& taped = choices_[next_++];
    if (taped.time == asked.time && taped.site == asked.site && taped.entity == asked.entity) {
        return taped.choice;
    }
    if (misalignment_.empty()) {
        misalignment_ =
            "the tape expects " + describe(taped) + ", but the run came to " + describe(asked);
    }
    return usual;
}

std::optional<std::string> Tape::misalignment(bool run_is_over) const {
    if (!misalignment_.empty()) { return misalignment_; }
    if (mode_ == Mode::replay && run_is_over && next_ < choices_.size()) {
        return "the tape expects " + describe(choices_[next_]) + ", but the run ended after " +
               std::to_string(asked_) + " choices";
    }
    return std::nullopt;
}

std::string Tape::text() const {
    std::string text(heading);
    text += '\n';
    for (const Choice& choice : choices_) {
        text += std::to_string(choice.number) + ' ' + std::to_string(choice.time) + ' ' +
                sites_[choice.site] + ' ' + std::to_string(choice.entity) + ' ' +
                std::to_string(choice.choice) + '\n';
    }
    return text;
}

std::uint32_t Tape::intern(std::string_view site) {
    const auto found = std::find(sites_.begin(), sites_.end(), site);
    if (found != sites_.end()) { return static_cast<std::uint32_t>(found - sites_.begin()); }
    sites_.emplace_back(site);
    return static_cast<std::uint32_t>(sites_.size() - 1);
}

std::string Tape::describe(const Choice& choice) const {
    return "choice " + std::to_string(choice.number) + " at site " + sites_[choice.site] +
           " about " + std::to_string(choice.entity) + " at " + std::to_string(choice.time) + " ns";
}

}  // namespace rushproof::simulator
