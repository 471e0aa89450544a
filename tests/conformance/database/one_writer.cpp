#include "tests/conformance/database/one_writer.hpp"

#include <algorithm>
#include <utility>

#include "tests/conformance/database/commands.hpp"

namespace rushproof::conformance {

namespace {

constexpr const char* reading[] = {
    "read", "read_all", "read_at_least", "read_ledger", "ledger_of", "total", "reservations_of",
};
constexpr const char* writing[] = {
    "set",    "take",    "add_all",          "put", "put_or_nothing", "remove",
    "append", "reserve", "move_reservation",
};
constexpr const char* ledger[] = {"append", "read_ledger", "ledger_of"};
// Locks of rows, which a transaction that is the only one has anyhow.
constexpr const char* locking[] = {
    "lock",
    "lock_no_wait",
    "lock_at_least",
    "lock_first_at_least",
    "lock_free",
    "share",
    "key_share",
    "no_key_update",
    "share_no_wait",
    "share_free",
    "key_share_no_wait",
    "lock_all",
    "no_key_update_free",
    "share_all",
};
constexpr const char* ending[] = {"commit", "rollback", "close"};

template <class Words>
bool contains(const Words& list, const std::string& word) {
    return std::ranges::find(list, word) != std::end(list);
}

}  // namespace

bool has_one_writer(const Step& step) {
    const std::string word = words(step.command)[0];
    return step.session != '-' &&
           (word == "begin" || contains(ending, word) || contains(reading, word) ||
            contains(writing, word) || contains(locking, word));
}

bool only_reads(const std::vector<std::string>& command) { return contains(reading, command[0]); }

std::string without_numbers(const std::vector<std::string>& command, const std::string& outcome) {
    if (!contains(ledger, command[0]) || outcome == "none" || outcome.starts_with("error")) {
        return outcome;
    }
    std::string kept;
    bool first_of_row = true;
    for (const std::string& word : words(outcome)) {
        if (!first_of_row) { kept += (kept.empty() ? "" : " ") + word; }
        first_of_row = !first_of_row && word.ends_with(',');
    }
    return kept;
}

void OneWriterEngine::reset() {
    model_.reset();
    sessions_.clear();
    writer_.reset();
    line_.clear();
}

void OneWriterEngine::submit(char session, const std::string& command) {
    Session& to = sessions_[session];
    const std::vector<std::string> parts = words(command);
    const auto begin = begin_of(parts);
    const bool reads = begin ? begin->access == Access::read_only
                             : to.in_transaction || contains(ending, parts[0]) || only_reads(parts);
    if (!reads && writer_) {
        to.state.waiting = true;
        line_.push_back({session, command});
        return;
    }
    run(session, command);
}

std::string OneWriterEngine::ask(char session, const std::string& command) {
    model_.submit(session, command);
    return model_.settle().at(session).outcome;
}

void OneWriterEngine::run(char session, const std::string& command) {
    Session& to = sessions_[session];
    const std::vector<std::string> parts = words(command);
    to.state.waiting = false;
    if (const auto begin = begin_of(parts)) {
        to.in_transaction = true;
        const bool reads = begin->access == Access::read_only;
        to.state.outcome = ask(session, reads ? "begin repeatable_read read_only" : "begin");
        if (reads) {
            ask(session, "read_all");  // takes the snapshot
        } else {
            writer_ = session;
        }
        return;
    }
    to.state.outcome = without_numbers(parts, ask(session, command));
    const bool ends = contains(ending, parts[0]);
    if (ends) { to.in_transaction = false; }
    if (writer_ == session && (ends || to.state.outcome.starts_with("error"))) { writer_.reset(); }
}

std::map<char, SessionState> OneWriterEngine::settle() {
    while (!writer_ && !line_.empty()) {
        const InLine next = line_.front();
        line_.pop_front();
        run(next.session, next.command);
    }
    std::map<char, SessionState> states;
    for (auto& [name, session] : sessions_) {
        session.state.blockers.clear();
        if (session.state.waiting) { session.state.blockers.insert(*writer_); }
        states[name] = session.state;
    }
    return states;
}

Case rearrange(Engine& engine, const Case& written) {
    engine.reset();
    Case result{{}, written.name, {}};
    std::map<char, SessionState> known;
    std::map<char, bool> in_transaction;
    const auto waits = [&](char session) {
        return known.contains(session) && known[session].waiting;
    };
    const auto take = [&](Step step) {
        const std::string word = words(step.command)[0];
        if (word == "begin") { in_transaction[step.session] = true; }
        if (contains(ending, word)) { in_transaction[step.session] = false; }
        step.seen = take_step(engine, step, known);
        result.steps.push_back(std::move(step));
    };
    std::vector<Step> left = written.steps;
    while (true) {
        const auto next =
            std::ranges::find_if(left, [&](const Step& s) { return !waits(s.session); });
        if (next != left.end()) {
            Step step = std::move(*next);
            left.erase(next);
            take(std::move(step));
            continue;
        }
        const auto open = std::ranges::find_if(
            in_transaction, [&](const auto& each) { return each.second && !waits(each.first); });
        if (open == in_transaction.end()) { break; }
        take({open->first, "rollback", {}});
    }
    for (const char* look : {"read_all", "read_ledger", "reservations_of A"}) {
        take({'z', look, {}});
    }
    return result;
}

}  // namespace rushproof::conformance
