#include "simulator/checkers/frontier.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "simulator/checkers/slot_mask.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::size_t words_max = 64;
// Of one deadline; beyond it memory, not time, would end the search.
constexpr std::size_t explanations_max = 2'000'000;

using Slot = std::uint16_t;
constexpr Slot no_slot = std::numeric_limits<Slot>::max();

// Operations of one class are interchangeable.
constexpr std::uint32_t ordinary = no_index;
constexpr std::uint32_t unknown_take_of_pair = no_index - 1;
constexpr std::uint32_t unknown_give_of_pair = no_index - 2;

struct EffectClass {
    bool gives = false;
    std::int64_t amount = 0;
    std::uint32_t kind = ordinary;  // or the one operation that is in a class of its own
    std::vector<Slot> slots;        // pending, most urgent first
};

// Unknown operations outside of pairs.
struct UnknownClass {
    bool gives = false;
    std::int64_t amount = 0;
    std::uint32_t count = 0;  // called so far
};

// A pair with a certain take, both pending.
struct PendingPair {
    Slot take = no_slot;
    Slot give = no_slot;
};

template <std::size_t words>
struct Explanation {
    SlotMask<words> done;  // of the pending operations
    std::int64_t available = 0;
    std::vector<std::uint32_t> unknown;  // done of each unknown class; none beyond its end

    std::uint32_t unknown_done(std::size_t index) const {
        return index < unknown.size() ? unknown[index] : 0;
    }
    void add_unknown(std::size_t index) {
        if (unknown.size() <= index) unknown.resize(index + 1);
        ++unknown[index];
    }
};

enum class Step : std::uint8_t { done, impossible, over_budget };

template <std::size_t words>
class Search {
public:
    Search(const StockHistory& history, std::uint64_t steps_max)
        : history_(history),
          steps_max_(steps_max),
          slot_of_(history.operations.size(), no_slot),
          operation_in_(SlotMask<words>::capacity, no_index) {
        Explanation<words> start;
        start.available = history.initial;
        frontier_.push_back(std::move(start));
        result_.settled_available = history.initial;
        for (const StockOperation& operation : history.operations) {
            const bool changes =
                operation.effect == Effect::take || operation.effect == Effect::give;
            if (changes) amount_max_ = std::max(amount_max_, operation.amount);
        }
        if (!history.pairs.empty()) {
            partner_of_.resize(history.operations.size(), no_index);
            for (const StockPair& pair : history.pairs) {
                partner_of_[pair.take] = pair.give;
                partner_of_[pair.give] = pair.take;
            }
        }
    }

    // Nothing when there are more pending operations than slots.
    std::optional<FrontierResult> run() {
        const std::vector<std::uint32_t> calls = history_.by_call();
        const std::vector<std::uint32_t> deadlines = history_.by_deadline();
        auto next_call = calls.begin();
        for (const std::uint32_t operation : deadlines) {
            // At equal times the call comes first: the two are concurrent.
            const std::int64_t now = history_.operations[operation].deadline;
            while (next_call != calls.end() && history_.operations[*next_call].call <= now) {
                if (!begin(*next_call++)) return std::nullopt;
            }
            const Step step = end(operation);
            if (step != Step::done) {
                describe(step, operation);
                return std::move(result_);
            }
            if (frontier_.size() == 1 && used_.empty()) {
                result_.settled_time = now;
                result_.settled_available = frontier_.front().available;
            }
        }
        result_.verdict = Verdict::pass;
        return std::move(result_);
    }

private:
    const StockOperation& in(std::size_t slot) const {
        return history_.operations[operation_in_[slot]];
    }
    static bool observes(const StockOperation& operation) {
        return operation.effect == Effect::refused || operation.effect == Effect::read;
    }
    static bool suits(const StockOperation& observer, std::int64_t available) {
        return observer.effect == Effect::read ? available == observer.amount
                                               : available < observer.amount;
    }

    bool begin(std::uint32_t index) {
        const StockOperation& operation = history_.operations[index];
        if (!operation.certain && !operation.paired) {
            ++unknown_class(operation).count;
            return true;
        }
        const std::size_t free = used_.first_free();
        if (free == SlotMask<words>::capacity) return false;
        const auto slot = static_cast<Slot>(free);
        used_.set(slot);
        slot_of_[index] = slot;
        operation_in_[slot] = index;
        if (observes(operation)) {
            observers_.set(slot);
            for (auto& explanation : frontier_) {
                if (suits(operation, explanation.available)) explanation.done.set(slot);
            }
            return true;
        }
        enter_class(operation, index, slot);
        if (operation.paired && operation.effect == Effect::give) {
            const Slot take = slot_of_[partner_of_[index]];
            if (take != no_slot && in(take).certain) pairs_.push_back({take, slot});
        }
        return true;
    }

    UnknownClass& unknown_class(const StockOperation& operation) {
        const bool gives = operation.effect == Effect::give;
        for (UnknownClass& unknown : unknown_) {
            if (unknown.gives == gives && unknown.amount == operation.amount) return unknown;
        }
        return unknown_.emplace_back(UnknownClass{.gives = gives, .amount = operation.amount});
    }

    std::uint32_t kind_of(const StockOperation& operation, std::uint32_t index) const {
        if (!operation.paired) return ordinary;
        const bool take = operation.effect == Effect::take;
        const StockOperation& taking = take ? operation : history_.operations[partner_of_[index]];
        if (taking.certain) return index;
        return take ? unknown_take_of_pair : unknown_give_of_pair;
    }

    // Unknown takes of pairs go by how early they can be given back.
    std::int64_t urgency(std::uint32_t index) const {
        const StockOperation& operation = history_.operations[index];
        if (operation.certain || operation.effect == Effect::give) return operation.deadline;
        return history_.operations[partner_of_[index]].call;
    }

    void enter_class(const StockOperation& operation, std::uint32_t index, Slot slot) {
        const bool gives = operation.effect == Effect::give;
        const std::uint32_t kind = kind_of(operation, index);
        auto found = std::find_if(classes_.begin(), classes_.end(), [&](const EffectClass& known) {
            return known.gives == gives && known.amount == operation.amount && known.kind == kind;
        });
        if (found == classes_.end()) {
            classes_.push_back({gives, operation.amount, kind, {}});
            found = classes_.end() - 1;
        }
        std::vector<Slot>& slots = found->slots;
        const auto place = std::upper_bound(
            slots.begin(), slots.end(), urgency(index),
            [&](std::int64_t value, Slot other) { return value < urgency(operation_in_[other]); });
        slots.insert(place, slot);
    }

    void leave_class(Slot slot) {
        for (EffectClass& known : classes_) {
            const auto place = std::find(known.slots.begin(), known.slots.end(), slot);
            if (place == known.slots.end()) continue;
            known.slots.erase(place);
            if (known.slots.empty()) {
                std::swap(known, classes_.back());
                classes_.pop_back();
            }
            return;
        }
    }

    Step end(std::uint32_t index) {
        const Slot slot = slot_of_[index];
        if (slot == no_slot) return Step::impossible;  // its deadline comes before its call
        const bool chosen = std::all_of(
            frontier_.begin(), frontier_.end(),
            [&](const Explanation<words>& explanation) { return explanation.done.test(slot); });
        if (!chosen && !happen_alone(slot)) {
            next_.clear();
            for (const Explanation<words>& explanation : frontier_) {
                if (explanation.done.test(slot)) {
                    keep(explanation);
                } else if (!explore(explanation, slot)) {
                    return Step::over_budget;
                }
            }
            if (next_.empty()) return Step::impossible;
            frontier_.swap(next_);
            result_.frontier_max = std::max(result_.frontier_max, frontier_.size());
        }
        retire(index, slot);
        return Step::done;
    }

    // The usual case: one explanation, in which the operation just happens (rule 3).
    bool happen_alone(Slot slot) {
        Explanation<words>& only = frontier_.front();
        if (frontier_.size() > 1 || !can_happen(only, slot) || !leaves_room(only, slot)) {
            return false;
        }
        ++result_.steps;
        apply(only, slot);
        return true;
    }

    void retire(std::uint32_t index, Slot slot) {
        for (auto& explanation : frontier_) explanation.done.reset(slot);
        if (observers_.test(slot)) {
            observers_.reset(slot);
        } else {
            leave_class(slot);
        }
        release(index, slot);
        if (!history_.operations[index].paired) return;
        std::erase_if(pairs_, [&](const PendingPair& pair) {
            return pair.take == slot || pair.give == slot;
        });
        const Slot partner = slot_of_[partner_of_[index]];
        if (partner != no_slot && !in(partner).certain) count_from_now_on(partner);
    }

    void release(std::uint32_t index, Slot slot) {
        used_.reset(slot);
        slot_of_[index] = no_slot;
        operation_in_[slot] = no_index;
    }

    // An unknown give whose take has happened is like any other unknown give.
    void count_from_now_on(Slot slot) {
        const std::uint32_t index = operation_in_[slot];
        UnknownClass& unknown = unknown_class(history_.operations[index]);
        ++unknown.count;
        const auto unknown_index = static_cast<std::size_t>(&unknown - unknown_.data());
        for (auto& explanation : frontier_) {
            if (explanation.done.test(slot)) explanation.add_unknown(unknown_index);
            explanation.done.reset(slot);
        }
        leave_class(slot);
        release(index, slot);
    }

    bool nobody_waits(const Explanation<words>& explanation, Slot slot) const {
        SlotMask<words> waiting = without(observers_, explanation.done);
        waiting.reset(slot);
        return waiting.empty();
    }

    // Nobody waits for a moment, and no pair could go before `slot`.
    bool is_calm(const Explanation<words>& explanation, Slot slot) const {
        return nobody_waits(explanation, slot) &&
               std::none_of(pairs_.begin(), pairs_.end(), [&](const PendingPair& pair) {
                   return !explanation.done.test(pair.take);
               });
    }

    // Nobody waits for a moment, and what could go before `slot`, which can happen, can still go
    // after it: there is room for each pair.
    bool leaves_room(const Explanation<words>& explanation, Slot slot) const {
        const StockOperation& operation = in(slot);
        if (observes(operation)) return false;
        const std::int64_t left =
            explanation.available +
            (operation.effect == Effect::give ? operation.amount : -operation.amount);
        return nobody_waits(explanation, slot) &&
               std::all_of(pairs_.begin(), pairs_.end(), [&](const PendingPair& pair) {
                   return pair.take == slot || explanation.done.test(pair.take) ||
                          in(pair.take).amount <= left;
               });
    }

    bool can_happen(const Explanation<words>& explanation, std::size_t slot) const {
        const StockOperation& operation = in(slot);
        if (operation.effect == Effect::take) return explanation.available >= operation.amount;
        if (!operation.paired) return true;
        // A take that has left its slot has happened, for this give was called after it.
        const Slot take = slot_of_[partner_of_[operation_in_[slot]]];
        return take == no_slot || explanation.done.test(take);
    }

    void apply(Explanation<words>& explanation, std::size_t slot) const {
        const StockOperation& operation = in(slot);
        const bool gives = operation.effect == Effect::give;
        explanation.available += gives ? operation.amount : -operation.amount;
        explanation.done.set(slot);
    }

    void satisfy_observers(Explanation<words>& explanation) const {
        without(observers_, explanation.done).for_each([&](std::size_t slot) {
            if (suits(in(slot), explanation.available)) explanation.done.set(slot);
        });
    }

    // Rules 4 and 5.
    bool makes_needless(const Explanation<words>& better, const Explanation<words>& other) const {
        const SlotMask<words> more = without(without(better.done, other.done), observers_);
        const SlotMask<words> less = without(other.done, better.done);
        std::uint64_t ahead = more.count();
        for (std::size_t i = 0; i < better.unknown.size(); ++i) {
            const std::uint32_t done = other.unknown_done(i);
            if (better.unknown[i] > done) ahead += better.unknown[i] - done;
        }
        const bool swaps = ahead == 1 && better.available == other.available;
        if (ahead > 0 && !(swaps && is_due_first(more, less))) return false;
        bool catches_up = true;
        both(less, observers_).for_each([&](std::size_t slot) {
            if (!suits(in(slot), other.available)) catches_up = false;
        });
        if (!catches_up) return false;
        return std::none_of(pairs_.begin(), pairs_.end(), [&](const PendingPair& pair) {
            return less.test(pair.take) && less.test(pair.give);
        });
    }

    // `more` is the one operation that only `better` has done; empty if that is an unknown one.
    // `less` is what only the other one has done.
    bool is_due_first(const SlotMask<words>& more, const SlotMask<words>& less) const {
        std::int64_t due = never;
        bool first = true;
        more.for_each([&](std::size_t slot) {
            due = in(slot).deadline;
            first = !in(slot).paired;
        });
        without(less, observers_).for_each([&](std::size_t slot) {
            if (in(slot).paired || in(slot).deadline < due) first = false;
        });
        return first;
    }

    // Within one exploration the way to the end of a pair must not be cut off by an explanation
    // that has still all of the pair before it.
    bool agree_on_pairs(const Explanation<words>& a, const Explanation<words>& b) const {
        return std::all_of(pairs_.begin(), pairs_.end(), [&](const PendingPair& pair) {
            return a.done.test(pair.take) == b.done.test(pair.take);
        });
    }

    void keep(const Explanation<words>& candidate) {
        result_.steps += next_.size();
        for (const auto& known : next_) {
            if (makes_needless(known, candidate)) return;
        }
        std::erase_if(next_, [&](const Explanation<words>& known) {
            return makes_needless(candidate, known);
        });
        next_.push_back(candidate);
    }

    // What may be available on the way from `start` to the end of `slot` (rule 6).
    struct Window {
        std::int64_t low = 0;
        std::int64_t high = 0;
    };
    Window window(const Explanation<words>& start, Slot slot) const {
        Window window{start.available, start.available};
        const auto include = [&](std::int64_t target) {
            window.low = std::min(window.low, target);
            window.high = std::max(window.high, target);
        };
        without(observers_, start.done).for_each([&](std::size_t waiting) {
            const StockOperation& observer = in(waiting);
            include(observer.amount - (observer.effect == Effect::refused ? 1 : 0));
        });
        if (in(slot).effect == Effect::take) include(in(slot).amount + amount_max_);
        for (const PendingPair& pair : pairs_) include(in(pair.take).amount + amount_max_);
        window.low = std::max<std::int64_t>(0, window.low - 2 * amount_max_);
        window.high += 2 * amount_max_;
        return window;
    }

    // Adds to next_ all that can follow from `start` when `slot` happens as the last thing.  False
    // when the budget is spent.
    bool explore(const Explanation<words>& start, Slot slot) {
        const Window within = window(start, slot);
        visited_.clear();
        visited_.add(start);
        for (std::size_t i = 0; i < visited_.size(); ++i) {
            if (++result_.steps > steps_max_) return false;
            if (visited_.size() > explanations_max) return false;
            const Explanation<words> current = visited_[i];
            const bool observes_now = observers_.test(slot);
            if (!observes_now && can_happen(current, slot)) {
                Explanation<words> following = current;
                apply(following, slot);
                satisfy_observers(following);
                keep(following);
                if (leaves_room(current, slot)) continue;
            }
            expand(current, slot, within, !observes_now && is_calm(current, slot));
        }
        return true;
    }

    // All single steps from `current` other than `slot` itself.
    void expand(const Explanation<words>& current, Slot slot, const Window& within,
                bool only_gives) {
        for (const EffectClass& known : classes_) {
            if (only_gives && !known.gives) continue;
            const auto next =
                std::find_if(known.slots.begin(), known.slots.end(), [&](Slot candidate) {
                    return !current.done.test(candidate) &&
                           (!known.gives || can_happen(current, candidate));
                });
            if (next == known.slots.end() || *next == slot || !can_happen(current, *next)) continue;
            Explanation<words> following = current;
            apply(following, *next);
            visit(std::move(following), slot, within);
        }
        for (std::size_t i = 0; i < unknown_.size(); ++i) {
            const UnknownClass& unknown = unknown_[i];
            if (only_gives && !unknown.gives) continue;
            if (current.unknown_done(i) == unknown.count) continue;
            if (!unknown.gives && current.available < unknown.amount) continue;
            Explanation<words> following = current;
            following.available += unknown.gives ? unknown.amount : -unknown.amount;
            following.add_unknown(i);
            visit(std::move(following), slot, within);
        }
    }

    void visit(Explanation<words> explanation, Slot slot, const Window& within) {
        if (explanation.available < within.low || explanation.available > within.high) return;
        satisfy_observers(explanation);
        if (explanation.done.test(slot)) {
            keep(explanation);
            return;
        }
        const bool needless =
            visited_.any_with(explanation.available, [&](const Explanation<words>& known) {
                ++result_.steps;
                return agree_on_pairs(known, explanation) && makes_needless(known, explanation);
            });
        if (!needless) visited_.add(std::move(explanation));
    }

    // Explanations by what is available, in order of discovery.
    class Visited {
    public:
        void clear() {
            explanations_.clear();
            previous_.clear();
            latest_.fill(no_index);
        }
        void add(Explanation<words> explanation) {
            std::uint32_t& latest = latest_[bucket(explanation.available)];
            previous_.push_back(latest);
            latest = static_cast<std::uint32_t>(explanations_.size());
            explanations_.push_back(std::move(explanation));
        }
        template <class Predicate>
        bool any_with(std::int64_t available, Predicate predicate) const {
            for (auto i = latest_[bucket(available)]; i != no_index; i = previous_[i]) {
                const bool same = explanations_[i].available == available;
                if (same && predicate(explanations_[i])) return true;
            }
            return false;
        }
        std::size_t size() const { return explanations_.size(); }
        const Explanation<words>& operator[](std::size_t i) const { return explanations_[i]; }

    private:
        static constexpr std::size_t buckets = 64;
        static std::size_t bucket(std::int64_t available) {
            return static_cast<std::size_t>(available) % buckets;
        }
        std::vector<Explanation<words>> explanations_;
        std::vector<std::uint32_t> previous_;  // of the same bucket
        std::array<std::uint32_t, buckets> latest_{};
    };

    void describe(Step step, std::uint32_t operation) {
        result_.operation = operation;
        if (step == Step::over_budget) {
            result_.reason = "the search gave up after " + std::to_string(result_.steps) + " steps";
            return;
        }
        result_.verdict = Verdict::fail;
        for (const auto& explanation : frontier_) {
            result_.available.push_back(explanation.available);
        }
        std::sort(result_.available.begin(), result_.available.end());
        const auto repeated = std::unique(result_.available.begin(), result_.available.end());
        result_.available.erase(repeated, result_.available.end());
        used_.for_each([&](std::size_t slot) {
            if (operation_in_[slot] != operation) result_.pending.push_back(operation_in_[slot]);
        });
    }

    const StockHistory& history_;
    std::uint64_t steps_max_;
    std::int64_t amount_max_ = 0;
    std::vector<std::uint32_t> partner_of_;  // by operation; empty without pairs

    std::vector<Slot> slot_of_;  // by operation
    std::vector<std::uint32_t> operation_in_;
    SlotMask<words> used_;
    SlotMask<words> observers_;
    std::vector<EffectClass> classes_;
    std::vector<UnknownClass> unknown_;
    std::vector<PendingPair> pairs_;

    std::vector<Explanation<words>> frontier_;
    std::vector<Explanation<words>> next_;
    Visited visited_;
    FrontierResult result_;
};

}  // namespace

FrontierResult search_frontier(const StockHistory& history, const FrontierOptions& options) {
    std::optional<FrontierResult> result;
    if (options.words <= 1) result = Search<1>(history, options.steps_max).run();
    if (!result && options.words <= 4) result = Search<4>(history, options.steps_max).run();
    if (!result) result = Search<words_max>(history, options.steps_max).run();
    if (result) return *std::move(result);
    FrontierResult gave_up;
    gave_up.reason =
        "more than " + std::to_string(64 * words_max) + " operations were under way at once";
    return gave_up;
}

}  // namespace rushproof::simulator
