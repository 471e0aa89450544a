#include "simulator/load/buyer.hpp"

#include <algorithm>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr std::uint32_t million = 1'000'000;

std::uint64_t entity_of(const Visitor& visitor) {
    return visitor.visit ? combine64(visitor.number, *visitor.visit) : visitor.number;
}

std::string name_of(const Load& load, const Visitor& visitor) {
    std::string name = load.name + ':' + std::to_string(visitor.number);
    if (visitor.visit) { name += '.' + std::to_string(*visitor.visit); }
    return name;
}

bool only_reads(Function function) {
    return function == Function::read || function == Function::find;
}

auto verb_of(Function function) {
    switch (function) {
        case Function::confirm: return &ReservationClient::confirm;
        case Function::extend: return &ReservationClient::extend;
        default: return &ReservationClient::release;
    }
}

Error unknown_state(const std::string& state) {
    return {ErrorKind::permanent, "unreadable-answer", "a reservation is \"" + state + "\""};
}

// The SKU that a refusal begins with; of several that could be meant, the longest.
std::string_view named_sku(const Items& items, const Error& refusal) {
    std::string_view named;
    for (const auto& [sku, quantity] : items) {
        const bool begins = refusal.message().starts_with(sku + ':');
        if (begins && sku.size() > named.size()) { named = sku; }
    }
    return named;
}

}  // namespace

Buyer::Buyer(Shop& shop, const LoadPlan& plan, Visitor visitor)
    : shop_(shop),
      plan_(plan),
      name_(name_of(plan.load, visitor)),
      quantities_(plan.draws.quantity.of(entity_of(visitor))),
      times_(plan.draws.think.of(entity_of(visitor))),
      choices_(plan.draws.choose.of(entity_of(visitor))),
      pauses_(plan.draws.retry.of(entity_of(visitor))),
      baskets_(plan.draws.basket.of(entity_of(visitor))),
      messages_(plan.draws.message.of(entity_of(visitor))) {
    RandomStream skus = plan.draws.sku.of(entity_of(visitor));
    popular_sku_ = plan.popular.draw(skus);
}

Task<void> Buyer::walk(std::int64_t intended) {
    process_ = shop_.recorder.take_process();
    ready_ = intended;
    for (; step_ < plan_.journey.steps.size() && !left_; ++step_) {
        if (shop_.clock.monotonic() >= shop_.stop) { break; }
        const Step& step = plan_.journey.steps[step_];
        if (const auto* reserves = std::get_if<ReserveStep>(&step)) {
            co_await reserve(*reserves);
        } else if (const auto* reserves_many = std::get_if<ReserveManyStep>(&step)) {
            co_await reserve_many(*reserves_many);
        } else if (const auto* reads = std::get_if<ReadStep>(&step)) {
            co_await read(*reads);
        } else if (std::holds_alternative<ExtendStep>(step)) {
            co_await extend();
        } else if (const auto* ingests = std::get_if<IngestStep>(&step)) {
            co_await ingest(*ingests);
        } else if (std::holds_alternative<FindStep>(step)) {
            co_await find();
        } else if (const auto* thinks = std::get_if<ThinkStep>(&step)) {
            co_await think(*thinks);
        } else {
            co_await choose(std::get<ChooseStep>(step));
        }
    }
    shop_.recorder.give_back(process_);
}

Task<void> Buyer::reserve(ReserveStep step) {
    Request request;
    request.sku = step.sku.empty() ? popular_sku_ : step.sku;
    request.quantity = draw_number(step.quantity, quantities_);
    request.queued = step.queued;
    request.key_per_attempt = step.key == KeyPolicy::per_attempt;
    const bool per_buyer = step.key == KeyPolicy::per_buyer;
    set_key(request, per_buyer ? name_ : name_ + ':' + std::to_string(step_));
    // What may have worked is asked for again as it was: who asked for something else could not
    // tell which of the two the key now stands for.
    if (per_buyer && key_in_effect_ && !key_in_effect_->certain) {
        request.sku = key_in_effect_->sku;
        request.quantity = key_in_effect_->quantity;
    }
    // Repeating what worked, or may have, is no new operation: it must not have an effect of its
    // own, and the ledger shows it if it has.  Asking for something else under the key of what
    // worked is one, which must be refused.
    const bool repeats = per_buyer && key_in_effect_ && key_in_effect_->sku == request.sku &&
                         key_in_effect_->quantity == request.quantity;
    request.recorded = !repeats;
    KeyInEffect asked{request.sku, request.quantity, false};
    const Outcome outcome = co_await hold(std::move(request));
    asked.certain = outcome == Outcome::succeeded;
    const bool takes_it = asked.certain || outcome == Outcome::unknown;
    const bool is_settled = key_in_effect_ && key_in_effect_->certain;
    if (per_buyer && takes_it && !is_settled) { key_in_effect_ = std::move(asked); }
}

Task<void> Buyer::reserve_many(ReserveManyStep step) {
    Items items;
    for (std::int64_t left = draw_number(step.items, baskets_); left > 0; --left) {
        std::string sku = plan_.popular.draw(baskets_);
        const std::int64_t quantity = draw_number(step.quantity, quantities_);
        items.emplace_back(std::move(sku), quantity);
    }
    if (step.sorted) { std::sort(items.begin(), items.end()); }
    Request basket;
    basket.function = Function::basket;
    set_key(basket, name_ + ':' + std::to_string(step_));
    if (step.atomic) {
        basket.items = std::move(items);
        co_await hold(std::move(basket));
        co_return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        Request one;
        one.sku = std::move(items[i].first);
        one.quantity = items[i].second;
        set_key(one, basket.key + ':' + std::to_string(i));
        co_await hold(std::move(one));
    }
}

Task<Outcome> Buyer::hold(Request request) {
    Finished finished = co_await operate(std::move(request));
    if (finished.outcome != Outcome::succeeded) { co_return finished.outcome; }
    finished.request.id = std::move(finished.answer.id);
    latest_ = finished.request;
    const bool known = std::any_of(held_.begin(), held_.end(), [&](const Request& held) {
        return held.id == finished.request.id;
    });
    if (!known) { held_.push_back(std::move(finished.request)); }
    co_return finished.outcome;
}

Task<void> Buyer::read(ReadStep step) {
    Request request;
    request.function = Function::read;
    request.sku = step.sku.empty() ? popular_sku_ : step.sku;
    co_await operate(std::move(request));
}

Task<void> Buyer::extend() {
    for (const Request& held : held_) {
        Request request = held;
        request.function = Function::extend;
        request.recorded = true;
        request.key_per_attempt = false;
        co_await operate(std::move(request));
    }
}

Task<void> Buyer::find() {
    if (latest_.id.empty()) { co_return; }
    Request request;
    request.function = Function::find;
    request.key = latest_.key;
    request.id = latest_.id;
    co_await operate(std::move(request));
}

Task<void> Buyer::think(ThinkStep step) {
    ready_ += draw_duration(step.time, times_).count();
    const MonotonicTime until = shop_.start + Duration(ready_);
    if (until >= shop_.stop) {
        left_ = true;
        co_return;
    }
    co_await sleep_until(shop_.clock, until);
}

Task<void> Buyer::choose(ChooseStep step) {
    const std::uint64_t choice = choices_.below(million);
    const bool confirms = choice < step.confirm;
    const bool releases = !confirms && choice < std::uint64_t{step.confirm} + step.release;
    std::vector<Request> chosen;
    if (confirms || releases) { chosen = std::exchange(held_, {}); }
    for (Request& request : chosen) {
        request.function = confirms ? Function::confirm : Function::release;
        request.recorded = true;
        request.key_per_attempt = false;
        co_await operate(std::move(request));
    }
}

Task<Buyer::Finished> Buyer::operate(Request request) {
    OperationSample sample;
    sample.intended = ready_;
    sample.sent = shop_.now();
    sample.load = plan_.index;
    sample.function = request.function;
    const std::string key = request.sent_key;
    Finished finished;
    Recorded recorded = begin(request);
    bool may_have_effect = false;
    for (std::int64_t retry = 1;; ++retry) {
        AttemptSample attempt;
        attempt.sent = shop_.now();
        attempt.load = plan_.index;
        attempt.function = request.function;
        Result<Answer> result = co_await send(request);
        attempt.done = shop_.now();
        shop_.metrics.attempts.push_back(attempt);
        if (result) {
            succeed(recorded, *result);
            if (!result->position.empty()) { position_ = result->position; }
            finished.answer = *std::move(result);
            finished.outcome = Outcome::succeeded;
            break;
        }
        const Error& error = result.error();
        may_have_effect |=
            error.kind() == ErrorKind::unknown_outcome || error.code() == set_aside_code;
        Duration pause{};
        const bool again = worth_retrying(error, retry);
        if (again) { pause = draw_backoff(plan_.journey.retry, retry, pauses_); }
        const bool last = !again || shop_.clock.monotonic() + pause >= shop_.hard_stop;
        if (last || request.key_per_attempt) {
            finished.outcome = give_up(recorded, request, error, may_have_effect);
        }
        if (last) { break; }
        co_await sleep_for(shop_.clock, pause);
        if (request.key_per_attempt) {
            // For the server, and so for the history, the next attempt is another operation.
            set_key(request, key + ':' + std::to_string(retry));
            recorded = begin(request);
            may_have_effect = false;
        }
    }
    if (message_) { end_message(may_have_effect ? EventType::info : EventType::fail); }
    sample.done = shop_.now();
    sample.outcome = finished.outcome;
    shop_.metrics.operations.push_back(sample);
    had_trouble_ |= is_error(sample.outcome);
    ready_ = sample.done;
    finished.request = std::move(request);
    co_return finished;
}

Context Buyer::context_of(const Request& request) const {
    Context context(shop_.clock.monotonic() + plan_.journey.retry.attempt_timeout);
    context.deadline = std::min(context.deadline, shop_.hard_stop);
    context.principal = name_;
    context.idempotency_key = request.sent_key;
    if (plan_.load.read_your_writes) { context.position = position_; }
    return context;
}

Task<Result<Buyer::Answer>> Buyer::send(const Request& request) {
    if (request.function == Function::reserve && request.queued) { return send_queued(request); }
    return send_directly(request);
}

Task<Result<Buyer::Answer>> Buyer::send_directly(const Request& request) {
    Context context = context_of(request);
    Answer answer;
    if (request.function == Function::enqueue) {
        RP_CO_CHECK(co_await shop_.pipeline.ingest(
            std::move(context), request.sku,
            std::string(static_cast<std::size_t>(request.bytes), 'x')));
        co_return answer;
    }
    if (request.function == Function::read) {
        RP_CO_TRY(const StockAnswer stock,
                  co_await shop_.client.stock(std::move(context), request.sku));
        answer.available = stock.available;
        co_return answer;
    }
    if (request.function == Function::basket) {
        RP_CO_TRY(ReservationAnswer reservation,
                  co_await shop_.client.reserve(std::move(context), request.items));
        co_return answer_of(std::move(reservation));
    }
    if (request.function == Function::reserve) {
        RP_CO_TRY(ReservationAnswer reservation,
                  co_await shop_.client.reserve(std::move(context), request.sku, request.quantity));
        co_return answer_of(std::move(reservation));
    }
    if (request.function == Function::find) {
        const auto reservation = co_await shop_.client.find(std::move(context), request.id);
        if (!reservation && reservation.error().code() == "not-found") { co_return answer; }
        RP_CO_CHECK(reservation);
        const auto found = parse_found(reservation->state);
        if (!found) { co_return failure(unknown_state(reservation->state)); }
        answer.found = *found;
        co_return answer;
    }
    const auto verb = verb_of(request.function);
    RP_CO_TRY(ReservationAnswer changed,
              co_await (shop_.client.*verb)(std::move(context), request.id));
    co_return answer_of(std::move(changed));
}

bool Buyer::worth_retrying(const Error& error, std::int64_t retry) const {
    const RetryPolicy& policy = plan_.journey.retry;
    if (retry > policy.max || error.code() == no_outcome_code) { return false; }
    if (error.kind() == ErrorKind::unknown_outcome) { return policy.on_timeout; }
    if (error.code() == "conflict") { return policy.on_conflict; }
    return error.kind() == ErrorKind::retryable && policy.on_unavailable;
}

Buyer::Recorded Buyer::begin(const Request& request) {
    if (!request.recorded) { return std::nullopt; }
    if (request.function == Function::basket) {
        return shop_.recorder.invoke_basket(shop_.now(), process_, request.key, request.items);
    }
    return shop_.recorder.invoke(shop_.now(), process_, request.function, request.sku, request.key,
                                 request.quantity);
}

Buyer::Answer Buyer::answer_of(ReservationAnswer reservation) {
    Answer answer;
    answer.id = std::move(reservation.id);
    answer.position = std::move(reservation.position);
    return answer;
}

void Buyer::succeed(const Recorded& operation, const Answer& answer) {
    if (!operation) { return; }
    if (operation->function == Function::read) {
        shop_.recorder.ok_read(shop_.now(), *operation, answer.available);
    } else if (operation->function == Function::find) {
        shop_.recorder.ok_read(shop_.now(), *operation, static_cast<std::int64_t>(answer.found));
    } else {
        // Also after an attempt of unknown outcome: both had the same key, so there is one effect,
        // and it lies between the first attempt and this answer.  A system that makes two of it
        // shows them in its ledger.
        shop_.recorder.ok(shop_.now(), *operation);
    }
}

// Once an attempt of an operation has an unknown outcome, no later attempt can say that the
// operation failed.  "Insufficient stock" only means that the earlier attempt had no effect up to
// now: its request may still wait in a queue, and take effect when units come back.  "Not held"
// and the like follow from the state that the earlier attempt may itself have made.  And a server
// whose idempotency is broken, which this history is there to find out, may refuse the second
// attempt because the first one took the last unit.  So the operation is of unknown outcome, and
// the ledger decides.  What is given away is one observation of an empty shelf.
Outcome Buyer::give_up(const Recorded& operation, const Request& request, const Error& last,
                       bool may_have_effect) {
    const std::int64_t now = shop_.now();
    if (may_have_effect && !only_reads(request.function)) {
        if (operation) {
            shop_.recorder.info(now, *operation);
            process_ = shop_.recorder.take_process();
        }
        return Outcome::unknown;
    }
    const bool is_basket = request.function == Function::basket;
    const bool insufficient =
        (is_basket || request.function == Function::reserve) && last.code() == "insufficient-stock";
    if (operation) {
        // A basket that does not say which SKU refused it tells nothing about any.
        const std::string_view by = insufficient ? named_sku(request.items, last) : "";
        const bool observed = insufficient && (!is_basket || !by.empty());
        shop_.recorder.fail(now, *operation, observed ? Failure::insufficient : Failure::other, by);
    }
    if (insufficient) { return Outcome::refused; }
    // A read without an answer is known to have had no effect; its reader saw nothing all the same.
    return may_have_effect ? Outcome::unknown : Outcome::failed;
}

}  // namespace rushproof::simulator
