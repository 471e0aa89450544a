// A reservation is held once, then confirmed, released or expired: one of these, once, and it does
// not expire before its time, which begins anew when it is extended.  Judged by what clients were
// told and by the ledger.
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::array<Function, 3> ends{Function::confirm, Function::release, Function::expire};
constexpr std::array<std::string_view, 3> past_words{"confirmed", "released", "expired"};

std::size_t end_index(Function function) {
    return static_cast<std::size_t>(std::find(ends.begin(), ends.end(), function) - ends.begin());
}

struct Life {
    std::int64_t reserved_from = never;  // the earliest call that may have made it
    std::uint32_t reserved = no_index;   // event that shows it
    std::uint32_t failed = no_index;     // event of an attempt that did not make it
    // Per end: an event that acknowledges it, and when that was.
    std::array<std::uint32_t, 3> ended{no_index, no_index, no_index};
    std::array<std::int64_t, 3> ended_by{never, never, never};
    std::array<bool, 3> in_ledger{};
    // The latest call that extended it, and the event that acknowledges that.
    std::int64_t extended_from = std::numeric_limits<std::int64_t>::min();
    std::uint32_t extended = no_index;

    bool has_end(std::size_t end) const { return ended[end] != no_index || in_ledger[end]; }
};

class Lives {
public:
    Lives(const History& history, const CheckOptions& options)
        : history_(history), options_(options), lives_(history.texts.size()) {}

    CheckResult judge() {
        for_each_operation(history_, [this](const Operation& operation) { add(operation); });
        read_ledger();
        for (TextId id = 0; id < lives_.size(); ++id) judge(id);
        return findings_.result(
            reservations_, count_of(reservations_, "reservation") + ": none ended twice" +
                               (history_.reservation_ttl > 0 ? ", and none expired early" : ""));
    }

private:
    void add(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        const bool reserves =
            event.function == Function::reserve || event.function == Function::basket;
        const std::size_t end = end_index(event.function);
        const bool extends = event.function == Function::extend;
        if (event.subject == no_text || (!reserves && !extends && end == ends.size())) return;
        Life& life = lives_[event.subject];
        const bool happened = operation.outcome == Outcome::ok;
        if (extends) {
            if (!happened || operation.call < life.extended_from) return;
            life.extended_from = operation.call;
            life.extended = operation.shown();
            return;
        }
        if (reserves && (happened || operation.outcome == Outcome::unknown)) {
            life.reserved_from = std::min(life.reserved_from, operation.call);
            if (life.reserved == no_index) life.reserved = operation.shown();
        } else if (reserves) {
            life.failed = operation.shown();
        }
        if (!reserves && happened && operation.returned < life.ended_by[end]) {
            life.ended[end] = operation.shown();
            life.ended_by[end] = operation.returned;
        }
    }

    // The entries of one reservation on one SKU, in the order of the ledger.
    void read_ledger() {
        std::vector<const LedgerEntry*> entries;
        for (const LedgerEntry& entry : history_.ledger) {
            if (entry.reservation != no_text) entries.push_back(&entry);
        }
        std::sort(entries.begin(), entries.end(), [](const LedgerEntry* a, const LedgerEntry* b) {
            return std::tuple(a->reservation, a->key, a->number) <
                   std::tuple(b->reservation, b->key, b->number);
        });
        const LedgerEntry* reserve = nullptr;
        const LedgerEntry* previous = nullptr;
        for (const LedgerEntry* entry : entries) {
            const bool same = previous != nullptr && previous->reservation == entry->reservation &&
                              previous->key == entry->key;
            if (!same) reserve = nullptr;
            previous = entry;
            const auto function = parse_function(entry->kind);
            if (function == Function::reserve) reserve = entry;
            const std::size_t end = function ? end_index(*function) : ends.size();
            if (end == ends.size()) continue;
            lives_[entry->reservation].in_ledger[end] = true;
            if (reserve == nullptr) {
                findings_.violation("the ledger of " + text(entry->key) + " has " + entry->kind +
                                        " of " + text(entry->reservation) + " (number " +
                                        std::to_string(entry->number) +
                                        ") before any reserve of it",
                                    events_of(lives_[entry->reservation]));
            } else if (function == Function::expire) {
                judge_expiry(*reserve, *entry);
            }
        }
    }

    // It held at least from the begin of its transaction; its end was committed at the latest then.
    void judge_expiry(const LedgerEntry& reserve, const LedgerEntry& expire) {
        const std::int64_t shortest = history_.reservation_ttl - options_.expiry_grace;
        if (history_.reservation_ttl == 0) return;
        const std::int64_t held = expire.committed_before - reserve.at + 2 * history_.clock_bound;
        if (held < shortest) report_early(reserve.reservation, held);
        judge_extended(reserve.reservation, expire.committed_before + history_.clock_bound);
    }

    void judge_extended(TextId id, std::int64_t expired_by) {
        const Life& life = lives_[id];
        const std::int64_t shortest = history_.reservation_ttl - options_.expiry_grace;
        // An extension that may have come after the end is not one of this reservation's life.
        if (life.extended == no_index || expired_by < life.extended_from) return;
        const std::int64_t held = expired_by - life.extended_from;
        if (held >= shortest) return;
        findings_.violation(text(id) + " expired " + format_time(held) +
                                " at most after it was extended for another " +
                                format_time(history_.reservation_ttl),
                            events_of(life));
    }

    void report_early(TextId id, std::int64_t held) {
        findings_.violation(text(id) + " expired after " + format_time(held) +
                                " at most, and was promised for " +
                                format_time(history_.reservation_ttl),
                            events_of(lives_[id]));
    }

    void judge(TextId id) {
        const Life& life = lives_[id];
        std::vector<std::size_t> found;
        for (std::size_t end = 0; end < ends.size(); ++end) {
            if (life.has_end(end)) found.push_back(end);
        }
        if (life.reserved != no_index || !found.empty()) ++reservations_;
        if (found.empty()) return;
        if (found.size() > 1) {
            findings_.violation(
                text(id) + " was " + when(life, found[0]) + " and " + when(life, found[1]),
                events_of(life));
            return;
        }
        const std::size_t end = found.front();
        if (life.reserved_from == never) {
            findings_.violation(
                text(id) + " was " + when(life, end) +
                    (life.failed == no_index ? ", and nobody asked for it"
                                             : ", and every attempt to reserve it had failed"),
                events_of(life));
        } else if (life.ended_by[end] < life.reserved_from) {
            findings_.violation(
                text(id) + " was " + when(life, end) +
                    ", before anybody asked for it at t=" + format_time(life.reserved_from),
                events_of(life));
        } else if (ends[end] == Function::expire && !life.in_ledger[end]) {
            judge_expiry_seen(id, life);
        }
    }

    void judge_expiry_seen(TextId id, const Life& life) {
        const std::int64_t by = life.ended_by[end_index(Function::expire)];
        const std::int64_t held = by - life.reserved_from + history_.clock_bound;
        const std::int64_t shortest = history_.reservation_ttl - options_.expiry_grace;
        if (history_.reservation_ttl == 0) return;
        if (held < shortest) report_early(id, held);
        judge_extended(id, by + history_.clock_bound);
    }

    static std::string when(const Life& life, std::size_t end) {
        const std::string word(past_words[end]);
        if (life.ended[end] == no_index) return word + " (by the ledger)";
        return word + " by t=" + format_time(life.ended_by[end]);
    }

    static std::vector<std::uint32_t> events_of(const Life& life) {
        const std::uint32_t begin = life.reserved == no_index ? life.failed : life.reserved;
        return {begin, life.extended, life.ended[0], life.ended[1], life.ended[2]};
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    const CheckOptions& options_;
    std::vector<Life> lives_;  // by text
    Findings findings_;
    std::uint64_t reservations_ = 0;
};

}  // namespace

bool has_reservation_ends(const History& history) {
    return has_event(history, {Function::confirm, Function::release, Function::expire}) ||
           std::any_of(history.ledger.begin(), history.ledger.end(),
                       [](const LedgerEntry& entry) { return entry.reservation != no_text; });
}

CheckResult check_lifecycle(const History& history, const CheckOptions& options) {
    return Lives(history, options).judge();
}

}  // namespace rushproof::simulator
