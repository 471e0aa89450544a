#include "services/processor/app/messages.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/runtime/data_message.hpp"
#include "core/runtime/transactions.hpp"
#include "services/processor/limits.hpp"
#include "services/processor/store/calls.hpp"
#include "services/processor/store/statements.hpp"
#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor {

namespace {

bool is_not_processed(const Result<MessageOutcome>& found) {
    return !found && found.error().code() == "not-processed";
}

}  // namespace

Task<Result<MessageOutcome>> Messages::get(Context context, std::string id, Duration wait) {
    const MonotonicTime until = std::min(
        context.deadline, environment_.clock.monotonic() + std::min<Duration>(wait, limits::wait));
    const std::uint64_t place = wait > Duration::zero() ? waiters_.enlist(id) : 0;
    auto found = co_await find(context, id);
    if (place == 0) { co_return found; }
    if (!is_not_processed(found)) {
        waiters_.leave(place);
        co_return found;
    }
    co_await waiters_.wait(place, until);
    co_return co_await find(std::move(context), std::move(id));
}

Task<Result<MessageOutcome>> Messages::find(Context context, std::string id) {
    auto calls =
        pipeline(Call(statements::find_result, Row{id}), Call(statements::find_dead, Row{id}));
    RP_CO_TRY(const auto found, co_await read(std::move(context), std::move(calls)));
    if (!found[0].rows.empty()) { co_return result_of(found[0].rows[0]); }
    if (!found[1].rows.empty()) { co_return dead_letter_of(found[1].rows[0]); }
    co_return failure(ErrorKind::permanent, "not-processed", "no outcome of this message is known");
}

Task<Result<std::vector<StoredResult>>> Messages::list(Context context, std::int64_t after,
                                                       std::int64_t limit) {
    auto calls = pipeline(Call(statements::list_results, Row{after, limit}));
    if constexpr (mutants_compiled) {
        if (keeps_effects_apart(mutant_)) { calls[0].statement = &mutants::list_effects; }
    }
    RP_CO_TRY(const auto found, co_await read(std::move(context), std::move(calls)));
    std::vector<StoredResult> results;
    for (const Row& row : found[0].rows) { results.push_back(result_of(row)); }
    co_return results;
}

Task<Result<std::vector<DeadLetter>>> Messages::list_dead(Context context, std::string after,
                                                          std::int64_t limit) {
    auto calls = pipeline(Call(statements::list_dead, Row{std::move(after), limit}));
    RP_CO_TRY(const auto found, co_await read(std::move(context), std::move(calls)));
    std::vector<DeadLetter> letters;
    for (const Row& row : found[0].rows) { letters.push_back(dead_letter_of(row)); }
    co_return letters;
}

Task<Result<DeadLetter>> Messages::find_dead(Context context, std::string id) {
    auto calls = pipeline(Call(statements::find_dead, Row{std::move(id)}));
    RP_CO_TRY(const auto found, co_await read(std::move(context), std::move(calls)));
    if (found[0].rows.empty()) {
        co_return failure(ErrorKind::permanent, "not-found", "there is no such dead letter");
    }
    co_return dead_letter_of(found[0].rows[0]);
}

Task<Result<DeadLetter>> Messages::replay(Context context, Routing& routing, std::string id) {
    RP_CO_TRY(DeadLetter letter, co_await find_dead(context, id));
    const Duration dropped_for = routing.features().drops_repeats_for;
    const Duration dead_for = environment_.clock.wall() - letter.dead_at;
    if (dead_for < dropped_for) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(dropped_for - dead_for);
        co_return failure(ErrorKind::retryable, "too-soon",
                          "the queue takes the message for a repeat for " +
                              std::to_string(left.count()) + " s more");
    }
    auto message = unpack(letter.message);
    if (!message) {
        co_return failure(ErrorKind::permanent, "unreadable", "the dead letter is unreadable");
    }
    std::erase_if(message->headers,
                  [](const auto& header) { return header.first == replay_header; });
    message->headers.emplace_back(replay_header, std::to_string(letter.replays + 1));
    RP_CO_CHECK(co_await routing.publish(context, *std::move(message), std::string()));
    auto last = pipeline(Call(statements::note_replay, Row{id}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(context));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    ++letter.replays;
    co_return letter;
}

Task<Result<std::size_t>> Messages::forget(Context context) {
    const std::chrono::microseconds age = limits::retention;
    auto last =
        pipeline(Call(statements::forget_results,
                      Row{std::int64_t{age.count()}, std::int64_t{limits::forgotten_at_once}}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(last)));
    co_return static_cast<std::size_t>(answers[0].affected);
}

Task<Result<bool>> Messages::ping(Context context) {
    auto calls = pipeline(Call(statements::ping, Row()));
    RP_CO_CHECK(co_await read(std::move(context), std::move(calls)));
    co_return true;
}

Task<Result<std::vector<Rows>>> Messages::read(Context context, std::vector<Call> calls) {
    return read_only(environment_.database, std::move(context), std::move(calls));
}

}  // namespace rushproof::processor
