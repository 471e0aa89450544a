// Everybody is answered; after the last fault answers come again within a bound, and then no SKU or
// key is left out.  `unknown` is no answer.
#include <algorithm>
#include <map>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

// So many questions without one answer are no accident.
constexpr std::uint64_t starved_from = 5;

struct Faults {
    std::int64_t end = 0;              // of the last one; the beginning of the run without any
    std::string last;                  // its id
    std::vector<std::string> unended;  // still in force when the history ends
};

Faults look_at_faults(const History& history) {
    std::map<std::string, bool> open;
    Faults faults;
    for (const FaultEvent& fault : history.faults) {
        open[fault.id] = fault.begins;
        if (fault.time >= faults.end) {
            faults.end = fault.time;
            faults.last = fault.id;
        }
    }
    for (const auto& [id, is_open] : open) {
        if (is_open) faults.unended.push_back(id);
    }
    return faults;
}

struct Asked {
    std::uint64_t questions = 0;
    std::uint64_t answers = 0;
    std::uint32_t last = no_index;  // event of the last question without answer
};

class Progress {
public:
    Progress(const History& history, std::int64_t bound)
        : history_(history),
          bound_(bound),
          faults_(look_at_faults(history)),
          end_(history.events.empty() ? 0 : history.events.back().time) {}

    CheckResult judge() {
        for_each_operation(history_, [this](const Operation& operation) { add(operation); });
        judge_recovery();
        for (const auto& [key, asked] : by_key_) judge_key(key, asked);
        return findings_.result(operations_, passed());
    }

private:
    void add(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        // Nobody waits for these.
        if (event.function == Function::expire || event.function == Function::process) return;
        ++operations_;
        const bool open = operation.completed == no_index;
        if (open && end_ - operation.call > bound_) {
            hanging("client " + history_.texts.text(event.process) + " got no answer to the " +
                        std::string(to_string(event.function)) +
                        " of t=" + format_time(operation.call) +
                        ", not even that it is unknown, for " + format_time(end_ - operation.call),
                    operation.invoked);
        }
        if (operation.call < faults_.end || open) return;
        const bool answered = operation.outcome != Outcome::unknown;
        if (first_asked_ > operation.call) first_asked_ = operation.call;
        if (answered) first_answered_ = std::min(first_answered_, operation.returned);
        if (operation.call < faults_.end + bound_) return;
        for_each_key(history_, event, [&](TextId key) {
            Asked& asked = by_key_[key];
            ++asked.questions;
            if (answered) {
                ++asked.answers;
            } else {
                asked.last = operation.shown();
            }
        });
    }

    // A fault that never ended may be the reason: then nothing is promised.
    void hanging(const std::string& sentence, std::uint32_t event) {
        if (faults_.unended.empty()) {
            findings_.violation(sentence, {event});
        } else {
            findings_.doubt(sentence + "; " + some_of(faults_.unended) + " never ended", {event});
        }
    }

    std::string since() const {
        return faults_.last.empty()
                   ? "the beginning"
                   : "the end of " + faults_.last + " at t=" + format_time(faults_.end);
    }

    void judge_recovery() {
        if (first_asked_ == never) {
            findings_.doubt(
                "nobody asked anything after " + since() +
                ", so recovery is not shown: let the load go on longer than the faults");
            return;
        }
        const std::int64_t answered = std::min(first_answered_, end_);
        if (answered - first_asked_ > bound_) {
            hanging("after " + since() + " it took " + format_time(answered - first_asked_) +
                        (first_answered_ == never ? ", to the end of the history, without an answer"
                                                  : " until the first answer"),
                    no_index);
        } else if (first_answered_ == never) {
            findings_.doubt("after " + since() + " nobody was answered, but the history ends " +
                            format_time(end_ - first_asked_) + " later");
        }
    }

    void judge_key(TextId key, const Asked& asked) {
        if (asked.answers > 0 || asked.questions < starved_from) return;
        hanging(history_.texts.text(key) + " starves: none of " +
                    count_of(asked.questions, "operation") + " more than " + format_time(bound_) +
                    " after " + since() + " got an answer",
                asked.last);
    }

    std::string passed() const {
        return count_of(operations_, "operation") + ", the first answer " +
               format_time(first_answered_ == never ? 0 : first_answered_ - first_asked_) +
               " after the first question since " + since();
    }

    const History& history_;
    std::int64_t bound_;
    Faults faults_;
    std::int64_t end_;
    std::uint64_t operations_ = 0;
    std::int64_t first_asked_ = never;
    std::int64_t first_answered_ = never;
    std::map<TextId, Asked> by_key_;
    Findings findings_;
};

}  // namespace

bool has_operations(const History& history) {
    return std::any_of(history.events.begin(), history.events.end(),
                       [](const Event& event) { return event.type == EventType::invoke; });
}

CheckResult check_progress(const History& history, const CheckOptions& options) {
    return Progress(history, options.progress_bound).judge();
}

}  // namespace rushproof::simulator
