#include "simulator/checkers/tests/random_history.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace rushproof::simulator {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t reservations_max = 6;

enum class Answer { ok, refused, unknown };

struct Step {
    Function function = Function::reserve;
    Answer answer = Answer::ok;
    std::size_t reservation = 0;
    std::int64_t amount = 0;  // of a read: what it answered
    std::int64_t call = 0;
    std::int64_t returned = 0;
    std::int64_t point = 0;  // when it took effect, if it did
    bool applied = false;    // in the true run it changed its reservation ...
    int number = 0;          // ... as this one
    bool has_info = false;   // an unknown one, with a completion that says so
    // For brute force:
    bool required = false;
    bool possible = true;
    std::int64_t deadline = never;
};

enum class State { none, held, confirmed, released, expired };

struct World {
    std::int64_t available = 0;
    State states[reservations_max] = {};
    std::int64_t quantities[reservations_max] = {};
};

State end_of(Function function) {
    if (function == Function::confirm) return State::confirmed;
    return function == Function::release ? State::released : State::expired;
}

// Applies the step as a correct service would; false when it would not have answered so.
bool apply(World& world, const Step& step) {
    State& state = world.states[step.reservation];
    switch (step.function) {
        case Function::reserve:
            if (step.answer == Answer::refused) return world.available < step.amount;
            if (state != State::none) return true;  // a repetition
            if (world.available < step.amount) return false;
            world.available -= step.amount;
            world.quantities[step.reservation] = step.amount;
            state = State::held;
            return true;
        case Function::read: return world.available == step.amount;
        case Function::restock: world.available += step.amount; return true;
        default: break;
    }
    if (state == end_of(step.function)) return true;  // a repetition
    if (state != State::held) return false;
    state = end_of(step.function);
    if (state != State::confirmed) world.available += world.quantities[step.reservation];
    return true;
}

class Maker {
public:
    explicit Maker(RandomStream& random) : random_(random) {}

    RandomHistory make() {
        stock_ = draw(0, 4);
        amount_max_ = draw(1, 3);
        const auto count = static_cast<std::size_t>(draw(2, 10));
        const std::int64_t span = draw(10, 50);
        const std::int64_t length = draw(1, 30);
        for (std::size_t i = 0; i < count; ++i) add_step(span, length);
        const bool truthful = draw(0, 3) > 0;
        if (truthful) answer_truthfully();
        if (truthful && draw(0, 2) == 0) spoil_one();
        audited_ = truthful && draw(0, 2) == 0;
        RandomHistory result;
        write(result.history);
        prepare_search();
        seen_.assign(std::size_t{1} << steps_.size(), false);
        World start;
        start.available = stock_;
        result.explainable = search(0, start);
        return result;
    }

private:
    std::int64_t draw(std::int64_t low, std::int64_t high) { return random_.between(low, high); }

    void add_step(std::int64_t span, std::int64_t length) {
        Step step;
        const std::int64_t kind = draw(0, 19);
        step.call = draw(0, span);
        step.returned = step.call + draw(0, length);
        step.point = draw(step.call, step.returned);
        step.has_info = draw(0, 1) == 0;
        step.amount = draw(1, amount_max_);
        step.answer = draw(0, 6) == 0 ? Answer::unknown : Answer::ok;
        step.reservation = static_cast<std::size_t>(
            draw(0, std::max<std::int64_t>(0, static_cast<std::int64_t>(reserved_) - 1)));
        if (kind < 9 || reserved_ == 0) {
            step.function = Function::reserve;
            const bool repeats = reserved_ > 0 && draw(0, 7) == 0;
            if ((!repeats && reserved_ < reservations_max) || reserved_ == 0) {
                step.reservation = reserved_++;
                asked_[step.reservation] = step.amount;
                if (step.answer == Answer::ok && draw(0, 3) == 0) step.answer = Answer::refused;
            }
            step.amount = asked_[step.reservation];
        } else if (kind < 13) {
            step.function = Function::release;
        } else if (kind < 14) {
            step.function = Function::expire;
            step.answer = Answer::ok;
        } else if (kind < 15) {
            step.function = Function::confirm;
        } else if (kind < 18) {
            step.function = Function::read;
            step.answer = Answer::ok;
            step.amount = draw(0, 4);
        } else {
            step.function = Function::restock;
        }
        steps_.push_back(step);
    }

    // Runs the steps in the order of their points and writes down what happened.
    void answer_truthfully() {
        std::vector<Step*> order;
        order.reserve(steps_.size());
        for (Step& step : steps_) order.push_back(&step);
        std::sort(order.begin(), order.end(), [](const Step* a, const Step* b) {
            return a->point != b->point ? a->point < b->point : a < b;
        });
        World world;
        world.available = stock_;
        int number = 0;
        for (Step* step : order) {
            answer_truthfully(world, *step);
            step->number = ++number;
        }
        std::erase_if(steps_, [](const Step& step) { return !step.possible; });
    }

    void answer_truthfully(World& world, Step& step) {
        if (step.answer == Answer::unknown && draw(0, 1) == 0) return;
        if (step.function == Function::read) step.amount = world.available;
        if (step.answer == Answer::refused) step.answer = Answer::ok;
        const State before = world.states[step.reservation];
        const bool right = apply(world, step);
        step.applied = world.states[step.reservation] != before;
        if (right || step.answer == Answer::unknown) return;
        if (step.function == Function::reserve) {
            step.answer = Answer::refused;
        } else {
            step.possible = false;  // an answer that tells nothing
        }
    }

    void spoil_one() {
        if (steps_.empty()) return;
        Step& step = steps_[random_.below(steps_.size())];
        if (step.function == Function::read) ++step.amount;
        if (step.function != Function::reserve || step.answer == Answer::unknown) return;
        step.answer = step.answer == Answer::ok ? Answer::refused : Answer::ok;
    }

    void write(History& history) {
        history.initial_stock.emplace_back(history.texts.intern("SKU-1"), stock_);
        history.audited = audited_;
        struct Entry {
            Event event;
            std::size_t order;
        };
        std::vector<Entry> entries;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const Step& step = steps_[i];
            Event event;
            event.process = history.texts.intern(std::to_string(i));
            event.function = step.function;
            if (step.function != Function::read && step.function != Function::restock) {
                event.subject = history.texts.intern("r-" + std::to_string(step.reservation));
            }
            const bool names_sku = step.function == Function::reserve ||
                                   step.function == Function::read ||
                                   step.function == Function::restock;
            if (names_sku) event.key = 0;
            if (step.function == Function::reserve || step.function == Function::restock) {
                event.amount = step.amount;
            }
            event.time = step.call;
            entries.push_back({event, 2 * i});
            if (step.answer == Answer::unknown && !step.has_info) continue;
            event.time = step.returned;
            event.type = step.answer == Answer::ok        ? EventType::ok
                         : step.answer == Answer::refused ? EventType::fail
                                                          : EventType::info;
            if (step.answer == Answer::refused) event.failure = Failure::insufficient;
            if (step.function == Function::read) event.amount = step.amount;
            entries.push_back({event, 2 * i + 1});
        }
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return a.event.time != b.event.time ? a.event.time < b.event.time : a.order < b.order;
        });
        for (const Entry& entry : entries) history.events.push_back(entry.event);
        if (audited_) write_ledger(history);
    }

    void write_ledger(History& history) const {
        for (const Step& step : steps_) {
            const bool kept = step.function == Function::reserve ||
                              step.function == Function::confirm ||
                              step.function == Function::release;
            if (!kept || !step.applied) continue;
            const std::string kind(to_string(step.function));
            history.ledger.push_back(
                {.key = 0,
                 .reservation = history.texts.intern("r-" + std::to_string(step.reservation)),
                 .kind = kind,
                 .quantity = step.amount,
                 .number = step.number,
                 .at = step.call,
                 .committed_before = step.point});
        }
    }

    static bool same_change(const Step& a, const Step& b) {
        return a.function == b.function && a.reservation == b.reservation;
    }

    // The ledger shows which unknown changes of reservations happened, and by when, but not which
    // of several attempts made them.
    void prepare_search() {
        const std::vector<Step> truth = steps_;
        std::vector<Step> resolved;
        for (Step step : truth) {
            step.required = step.answer != Answer::unknown;
            if (step.required) step.deadline = step.returned;
            const bool changes =
                step.function != Function::read && step.function != Function::restock;
            const bool acknowledged =
                std::any_of(truth.begin(), truth.end(), [&](const Step& other) {
                    return other.answer == Answer::ok && same_change(step, other);
                });
            if (step.required || !audited_ || !changes || acknowledged) {
                resolved.push_back(step);
                continue;
            }
            const auto entry = std::find_if(truth.begin(), truth.end(), [&](const Step& other) {
                return other.applied && same_change(step, other);
            });
            const auto attempt =
                std::find_if(resolved.begin(), resolved.end(), [&](const Step& other) {
                    return other.answer == Answer::unknown && same_change(step, other);
                });
            if (entry == truth.end()) continue;
            if (attempt != resolved.end()) {
                attempt->call = std::min(attempt->call, step.call);
                continue;
            }
            step.required = true;
            // The time of a confirm says nothing that the reserve's own evidence does not.
            if (step.function != Function::confirm) step.deadline = entry->point;
            resolved.push_back(step);
        }
        for (Step& step : resolved) {
            if (step.deadline < step.call) step.deadline = never;  // a wrong clock bounds nothing
        }
        steps_ = std::move(resolved);
    }

    // Depth first over all orders; what was done determines the world, so each set is tried once.
    bool search(std::size_t done, const World& world) {
        if (seen_[done]) return false;
        seen_[done] = true;
        bool complete = true;
        std::int64_t first_deadline = never;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if ((done >> i & 1) != 0) continue;
            if (steps_[i].required) complete = false;
            first_deadline = std::min(first_deadline, steps_[i].deadline);
        }
        if (complete) return true;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if ((done >> i & 1) != 0 || steps_[i].call > first_deadline) continue;
            World next = world;
            if (apply(next, steps_[i]) && search(done | std::size_t{1} << i, next)) return true;
        }
        return false;
    }

    RandomStream& random_;
    std::int64_t stock_ = 0;
    std::int64_t amount_max_ = 1;
    std::vector<Step> steps_;
    std::size_t reserved_ = 0;
    std::int64_t asked_[reservations_max] = {};
    bool audited_ = false;
    std::vector<bool> seen_;
};

}  // namespace

RandomHistory make_random_history(RandomStream& random) { return Maker(random).make(); }

}  // namespace rushproof::simulator
