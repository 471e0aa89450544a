#include "simulator/checkers/messages.hpp"

#include <algorithm>
#include <tuple>

#include "simulator/checkers/findings.hpp"

namespace rushproof::simulator {
namespace {

void add_enqueue(MessageLife& life, const Operation& operation, TextId key) {
    const bool happened = operation.outcome == Outcome::ok;
    if (!happened && operation.outcome != Outcome::unknown) return;
    life.may_be_accepted = true;
    life.key = key;
    life.sent_from = std::min(life.sent_from, operation.call);
    life.sent_by = std::min(life.sent_by, operation.returned);
    life.enqueue = operation.shown();
    if (happened) life.accepted = operation.shown();
}

void add_effect(MessageLife& life, const Operation& operation) {
    if (operation.outcome == Outcome::unknown) ++life.unknown_effects;
    if (operation.outcome == Outcome::failed) life.set_aside = operation.shown();
    if (operation.outcome != Outcome::ok) return;
    if (life.effects == 0) life.first = operation.shown();
    if (life.effects == 1) life.second = operation.shown();
    ++life.effects;
    if (operation.returned >= life.done_by) return;
    life.done_from = operation.call;
    life.done_by = operation.returned;
    life.process = operation.shown();
}

// Of one key.  Going through the messages by when their processing began, the ones that were done
// before are remembered by the latest that was sent.
void judge_key(std::vector<const MessageLife*> lives, const VisitDisorder& visit) {
    auto by_end = lives;
    std::sort(lives.begin(), lives.end(), [](const MessageLife* a, const MessageLife* b) {
        return std::tie(a->done_from, a->process) < std::tie(b->done_from, b->process);
    });
    std::sort(by_end.begin(), by_end.end(), [](const MessageLife* a, const MessageLife* b) {
        return std::tie(a->done_by, a->process) < std::tie(b->done_by, b->process);
    });
    const MessageLife* latest_sent = nullptr;
    auto done = by_end.begin();
    for (const MessageLife* life : lives) {
        for (; done != by_end.end() && (*done)->done_by < life->done_from; ++done) {
            if (latest_sent == nullptr || (*done)->sent_from > latest_sent->sent_from) {
                latest_sent = *done;
            }
        }
        if (latest_sent == nullptr || life->sent_by >= latest_sent->sent_from) continue;
        visit(*life, *latest_sent);
    }
}

}  // namespace

std::vector<MessageLife> message_lives(const History& history) {
    std::vector<MessageLife> lives(history.texts.size());
    for_each_operation(history, [&](const Operation& operation) {
        const Event& event = history.events[operation.invoked];
        if (event.subject == no_text) return;
        if (event.function == Function::enqueue) {
            add_enqueue(lives[event.subject], operation, event.key);
        } else if (event.function == Function::process) {
            add_effect(lives[event.subject], operation);
        }
    });
    return lives;
}

void for_each_disorder(const std::vector<MessageLife>& lives, const VisitDisorder& visit) {
    std::vector<const MessageLife*> processed;
    for (const MessageLife& life : lives) {
        if (life.may_be_accepted && life.process != no_index) processed.push_back(&life);
    }
    std::sort(processed.begin(), processed.end(), [](const MessageLife* a, const MessageLife* b) {
        return std::tie(a->key, a->enqueue) < std::tie(b->key, b->enqueue);
    });
    for (auto first = processed.begin(); first != processed.end();) {
        const auto last = std::find_if(first, processed.end(), [&](const MessageLife* life) {
            return life->key != (*first)->key;
        });
        judge_key({first, last}, visit);
        first = last;
    }
}

const std::string& name_of(const History& history, const MessageLife& life) {
    const std::uint32_t shown = life.enqueue != no_index ? life.enqueue : life.first;
    return history.texts.text(history.events[shown].subject);
}

std::string describe_disorder(const History& history, const MessageLife& late,
                              const MessageLife& early) {
    return "key " + (late.key == no_text ? "(none)" : history.texts.text(late.key)) + ": " +
           name_of(history, late) + " was accepted at t=" + format_time(late.sent_by) + ", " +
           name_of(history, early) + " was sent later, and was processed first";
}

}  // namespace rushproof::simulator
