// What a buyer does with the pipeline of messages.
#include <algorithm>
#include <utility>

#include "core/runtime/data_message.hpp"
#include "simulator/load/buyer.hpp"

namespace rushproof::simulator {

namespace {

// Between two questions for the outcome of a message.
constexpr Duration ask_again_first = std::chrono::milliseconds(10);
constexpr Duration ask_again_longest = std::chrono::milliseconds(200);

}  // namespace

void Buyer::set_key(Request& request, std::string key) const {
    request.key = key;
    if (request.function == Function::enqueue) { request.key = message_id_of(name_, key); }
    if (request.queued) { request.key = message_id_of(name_, key, reserve_kind); }
    request.sent_key = std::move(key);
}

Task<void> Buyer::ingest(IngestStep step) {
    Request request;
    request.function = Function::enqueue;
    request.sku = step.key.empty() ? popular_sku_ : step.key;
    if (step.keys > 0) {
        const std::uint64_t drawn = messages_.below(static_cast<std::uint64_t>(step.keys));
        request.sku = "key-" + std::to_string(drawn + 1);
    }
    request.bytes = step.bytes;
    request.key_per_attempt = step.idempotency == KeyPolicy::per_attempt;
    set_key(request, name_ + ':' + std::to_string(step_));
    co_await operate(std::move(request));
}

void Buyer::begin_message(const Request& request) {
    if (message_ || !request.recorded) { return; }
    message_ = shop_.recorder.invoke(shop_.now(), shop_.recorder.take_process(), Function::enqueue,
                                     request.sku, request.key, 0);
}

void Buyer::end_message(EventType type) {
    if (!message_) { return; }
    const Recorder::Operation message = *std::exchange(message_, std::nullopt);
    switch (type) {
        case EventType::ok: shop_.recorder.ok(shop_.now(), message); break;
        case EventType::fail: shop_.recorder.fail(shop_.now(), message, Failure::other); break;
        default: shop_.recorder.info(shop_.now(), message); return;  // nobody acts under it again
    }
    shop_.recorder.give_back(message.process);
}

Task<Result<Buyer::Answer>> Buyer::send_queued(const Request& request) {
    begin_message(request);
    Context context = context_of(request);
    RP_CO_CHECK(co_await shop_.pipeline.reserve(std::move(context), request.sku, request.quantity));
    end_message(EventType::ok);
    co_return co_await await_outcome(request);
}

Task<Result<Buyer::Answer>> Buyer::await_outcome(const Request& request) {
    Duration pause = ask_again_first;
    while (true) {
        Context context = context_of(request);
        const auto outcome = co_await shop_.pipeline.outcome(std::move(context), request.key);
        if (outcome && outcome->dead) {
            co_return failure(ErrorKind::permanent, std::string(set_aside_code), outcome->error);
        }
        if (outcome && !outcome->success) {
            co_return failure(ErrorKind::permanent, outcome->error, {});
        }
        if (outcome) {
            Answer answer;
            answer.id = outcome->reservation;
            co_return answer;
        }
        if (shop_.clock.monotonic() + pause >= shop_.hard_stop) {
            co_return failure(ErrorKind::unknown_outcome, std::string(no_outcome_code),
                              "the message has no outcome yet");
        }
        co_await sleep_for(shop_.clock, pause);
        pause = std::min(2 * pause, ask_again_longest);
    }
}

}  // namespace rushproof::simulator
