// Who was told that a reservation is held or has ended finds it so, or later in its life, from then
// on.  Judged client by client (process), by what each was told before it asked; what others did in
// between can only have brought the reservation further.
#include <map>
#include <utility>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

// How far a reservation has come.
enum class Stage : std::uint8_t { absent, held, ended };

struct Told {
    Stage stage = Stage::absent;
    std::uint32_t by = no_index;  // event
};

Stage stage_after(Function function) {
    switch (function) {
        case Function::reserve:
        case Function::basket:
        case Function::extend: return Stage::held;
        case Function::confirm:
        case Function::release: return Stage::ended;
        default: return Stage::absent;
    }
}

Stage stage_of(Found found) {
    if (found == Found::absent) return Stage::absent;
    return found == Found::held ? Stage::held : Stage::ended;
}

class Sessions {
public:
    explicit Sessions(const History& history) : history_(history) {}

    // A client does one thing at a time, so its completions stand in its order.
    CheckResult judge() {
        for_each_operation(history_, [this](const Operation& operation) {
            const Event& event = history_.events[operation.shown()];
            if (operation.outcome != Outcome::ok || event.subject == no_text) return;
            Told& told = told_[{event.process, event.subject}];
            if (event.function == Function::find) {
                ++finds_;
                compare(operation.shown(), told);
            } else if (const Stage stage = stage_after(event.function); stage > told.stage) {
                told = {stage, operation.shown()};
            }
        });
        return findings_.result(finds_, count_of(finds_, "find") +
                                            ": none showed less than its client was told before");
    }

private:
    void compare(std::uint32_t find, const Told& told) {
        const Event& event = history_.events[find];
        const auto found = static_cast<Found>(event.amount);
        if (stage_of(found) >= told.stage) return;
        const Event& before = history_.events[told.by];
        findings_.violation("client " + history_.texts.text(event.process) +
                                " was told at t=" + format_time(before.time) + " that its " +
                                std::string(to_string(before.function)) + " of " +
                                history_.texts.text(event.subject) +
                                " had worked, and at t=" + format_time(event.time) + " found it " +
                                std::string(to_string(found)),
                            {told.by, find});
    }

    const History& history_;
    std::map<std::pair<TextId, TextId>, Told> told_;  // by process and reservation
    Findings findings_;
    std::uint64_t finds_ = 0;
};

}  // namespace

bool has_finds(const History& history) { return has_event(history, {Function::find}); }

CheckResult check_read_your_writes(const History& history, const CheckOptions&) {
    return Sessions(history).judge();
}

}  // namespace rushproof::simulator
