#include "services/processor/store/calls.hpp"

#include <utility>

#include "core/runtime/data_message.hpp"
#include "services/processor/limits.hpp"
#include "services/processor/store/statements.hpp"

namespace rushproof::processor {

namespace {

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

// Errors come from anywhere; a database keeps UTF-8 without NUL.
std::string storable(std::string text) {
    if (text.size() > limits::detail) { text.resize(limits::detail); }
    if (is_storable_text(text)) { return text; }
    for (char& c : text) {
        const bool is_printable = c >= 0x20 && c < 0x7F;
        if (!is_printable) { c = '?'; }
    }
    return text;
}

class Results {
public:
    void add(const Decision& decision) {
        const Work& work = *decision.work;
        ids_.push_back(work.id);
        keys_.push_back(work.key);
        sources_.push_back(work.source);
        kinds_.push_back(work.kind);
        successes_.push_back(decision.success ? 1 : 0);
        errors_.push_back(decision.error);
        results_.push_back(decision.result);
        providers_.emplace_back(work.delivery.provider);
    }
    bool empty() const { return ids_.empty(); }
    Call call() && {
        return {statements::insert_results,
                {std::move(ids_), std::move(keys_), std::move(sources_), std::move(kinds_),
                 std::move(successes_), std::move(errors_), std::move(results_),
                 std::move(providers_)}};
    }

private:
    Texts ids_, keys_, sources_, kinds_, errors_, results_, providers_;
    Numbers successes_;
};

class DeadLetters {
public:
    void add(const Decision& decision) {
        const Work& work = *decision.work;
        ids_.push_back(work.id);
        keys_.push_back(work.key);
        providers_.emplace_back(work.delivery.provider);
        reasons_.push_back(decision.dead->code());
        details_.push_back(storable(decision.dead->message()));
        attempts_.push_back(work.delivery.attempt);
        messages_.push_back(pack(work.delivery.message));
    }
    bool empty() const { return ids_.empty(); }
    Call call() && {
        return {statements::bury,
                {std::move(ids_), std::move(keys_), std::move(providers_), std::move(reasons_),
                 std::move(details_), std::move(attempts_), std::move(messages_)}};
    }

private:
    Texts ids_, keys_, providers_, reasons_, details_, messages_;
    Numbers attempts_;
};

}  // namespace

std::vector<Call> write_calls(std::span<const Decision> decisions) {
    Results results;
    DeadLetters dead;
    Texts revived;
    for (const Decision& decision : decisions) {
        if (decision.dead) {
            dead.add(decision);
            continue;
        }
        results.add(decision);
        if (decision.work->is_replay()) { revived.push_back(decision.work->id); }
    }
    std::vector<Call> calls;
    if (!results.empty()) { calls.push_back(std::move(results).call()); }
    if (!dead.empty()) { calls.push_back(std::move(dead).call()); }
    if (!revived.empty()) { calls.emplace_back(statements::remove_dead, Row{std::move(revived)}); }
    return calls;
}

std::int64_t inserted_in(const std::vector<Rows>& answers, std::span<const Decision> decisions) {
    for (const Decision& decision : decisions) {
        if (!decision.dead) { return answers.front().affected; }
    }
    return 0;
}

Call outcomes_call(std::vector<std::string> ids) {
    return {statements::find_outcomes, {std::move(ids)}};
}

StoredResult result_of(const Row& row) {
    StoredResult result;
    result.number = integer(row, 0);
    result.id = text(row, 1);
    result.key = text(row, 2);
    result.source = text(row, 3);
    result.kind = text(row, 4);
    result.processed_at = wall_time(row, 5);
    result.success = integer(row, 6) == 1;
    result.error = text(row, 7);
    result.result = text(row, 8);
    result.provider = text(row, 9);
    return result;
}

DeadLetter dead_letter_of(const Row& row) {
    DeadLetter letter;
    letter.id = text(row, 0);
    letter.key = text(row, 1);
    letter.provider = text(row, 2);
    letter.reason = text(row, 3);
    letter.detail = text(row, 4);
    letter.attempts = integer(row, 5);
    letter.dead_at = wall_time(row, 6);
    letter.replays = integer(row, 7);
    if (!std::holds_alternative<std::monostate>(row[8])) { letter.replayed_at = wall_time(row, 8); }
    letter.message = text(row, 9);
    return letter;
}

}  // namespace rushproof::processor
