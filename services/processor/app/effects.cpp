#include "services/processor/app/effects.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <iterator>
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/context_text.hpp"
#include "core/runtime/data_message.hpp"
#include "core/runtime/json.hpp"
#include "core/runtime/retry.hpp"
#include "core/runtime/rfc3339.hpp"
#include "core/runtime/shard.hpp"
#include "core/runtime/transactions.hpp"
#include "services/processor/limits.hpp"
#include "services/processor/store/calls.hpp"
#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor {

namespace {

namespace wire = ::inventory::v1;

// Inventory's answers to a request that it understood; anything else permanent is nobody's answer.
constexpr std::array refusals{
    std::string_view("insufficient-stock"),
    std::string_view("not-found"),
    std::string_view("invalid"),
    std::string_view("conflict"),
    std::string_view("key-reused"),
};

bool is_refusal(const Error& error) {
    return std::find(refusals.begin(), refusals.end(), error.code()) != refusals.end();
}

Decision dead(const Work& work, Error error) {
    Decision decision;
    decision.work = &work;
    decision.dead = std::move(error);
    return decision;
}

Decision dead(const Work& work, std::string code, std::string message) {
    return dead(work, Error(ErrorKind::permanent, std::move(code), std::move(message)));
}

Result<wire::ReserveRequest> reserve_request_in(const Work& work) {
    const JsonBody body(work.payload);
    RP_TRY(const std::string_view sku, body.text("sku"));
    RP_TRY(const std::int64_t quantity, body.integer("quantity"));
    wire::ReserveRequest request;
    request.set_sku(sku.data(), sku.size());
    request.set_quantity(quantity);
    return request;
}

std::string as_json(const wire::Reservation& reservation) {
    JsonWriter json;
    json.begin_object();
    json.member("id", reservation.id());
    json.member("sku", reservation.sku());
    json.member("quantity", reservation.quantity());
    json.member("owner", reservation.owner());
    if (reservation.expires_at_us() > 0) {
        const WallTime expires_at(std::chrono::microseconds(reservation.expires_at_us()));
        json.member("expires_at", to_rfc3339(expires_at));
    }
    json.end_object();
    return std::move(json).text();
}

bool has_calls(const std::vector<Work>& batch) {
    return std::any_of(batch.begin(), batch.end(), [](const Work& work) {
        return work.needs_call() || work.delivery.attempt > limits::deliveries;
    });
}

}  // namespace

Effects::Effects(Environment& environment, const Options& options, Settled settled)
    : environment_(environment),
      options_(options),
      settled_(std::move(settled)),
      results_(environment.telemetry.counter("processor_effects_total", "Effects of messages",
                                             {{"outcome", "done"}})),
      refusals_(environment.telemetry.counter("processor_effects_total", "Effects of messages",
                                              {{"outcome", "refused"}})),
      dead_(environment.telemetry.counter("processor_dead_letters_total",
                                          "Messages that were set aside")),
      repeats_(environment.telemetry.counter("processor_repeats_total",
                                             "Deliveries of messages that had their effect")),
      retries_(
          environment.telemetry.counter("processor_retries_total", "Steps that were tried again")),
      since_accepted_(environment.telemetry.duration(
          "processor_since_accepted_seconds", "From a message's acceptance to its effect")) {}

Task<void> Effects::settle(const std::vector<Work>& batch) {
    const MonotonicTime begin = environment_.clock.monotonic();
    std::set<std::string> settled;
    if (has_calls(batch) || mutated(options_.mutant, Mutant::m21_zombie_writes_blindly)) {
        settled = co_await find_settled(batch);
    }
    std::vector<Decision> decisions;
    decisions.reserve(batch.size());
    for (const Work& work : batch) {
        if (!settled.insert(work.id).second) {
            repeats_.add();
            continue;
        }
        decisions.push_back(co_await decide(work));
    }
    if (!decisions.empty()) { co_await write(decisions); }
    const Duration taken = environment_.clock.monotonic() - begin;
    counts_.spent += taken * static_cast<std::int64_t>(batch.size());
    settled_(batch);
}

// Those that have a result.  Without calls nobody needs to know before writing.
Task<std::set<std::string>> Effects::find_settled(const std::vector<Work>& batch) {
    std::vector<std::string> ids;
    ids.reserve(batch.size());
    for (const Work& work : batch) { ids.push_back(work.id); }
    for (int tries = 0;;) {
        auto calls = pipeline(outcomes_call(ids));
        const auto found = co_await read_only(environment_.database, context(), std::move(calls));
        if (found) {
            std::set<std::string> settled;
            for (const Row& row : found->front().rows) { settled.insert(text(row, 0)); }
            co_return settled;
        }
        co_await pause_after(found.error(), tries);
    }
}

// Whatever one message does, the others go on.
Task<Decision> Effects::decide(const Work& work) {
    std::string what;
    try {
        co_return co_await decide_unguarded(work);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) { throw; }
        what = error.what();
    } catch (const std::exception& error) { what = error.what(); }
    environment_.telemetry.log(LogLevel::error, "a message's effect threw", {{"what", what}});
    co_return dead(work, "exception", std::move(what));
}

Task<Decision> Effects::decide_unguarded(const Work& work) {
    if (work.unreadable) { co_return dead(work, *work.unreadable); }
    if (work.delivery.attempt > limits::deliveries) {
        co_return dead(work, "too-many-deliveries",
                       "delivered " + std::to_string(work.delivery.attempt) + " times");
    }
    if (work.kind == reserve_kind) { co_return co_await reserve(work); }
    if (work.kind != plain_kind) {
        co_return dead(work, "unknown-kind", "no message of kind " + work.kind + " is known");
    }
    Decision decision;
    decision.work = &work;
    decision.success = true;
    co_return decision;
}

Task<Decision> Effects::reserve(const Work& work) {
    if (!options_.reserves) {
        co_return dead(work, "not-configured", "this processor knows no inventory");
    }
    const auto request = reserve_request_in(work);
    if (!request) { co_return dead(work, "unreadable", request.error().message()); }
    const std::string bytes = request->SerializeAsString();
    const RpcTarget target{"inventory.v1.Inventory/Reserve", request->sku(),
                           shard_of_key(request->sku(), options_.shards)};
    Decision decision;
    decision.work = &work;
    for (int tries = 0;;) {
        const auto answer = co_await environment_.rpc.call(context_of(work), target, bytes);
        if (!answer && answer.error().kind() != ErrorKind::permanent) {
            co_await pause_after(answer.error(), tries);
            continue;
        }
        if (!answer && !is_refusal(answer.error())) { co_return dead(work, answer.error()); }
        wire::Reservation reservation;
        decision.success = answer.has_value();
        if (!answer) {
            decision.error = answer.error().code();
        } else if (!reservation.ParseFromString(*answer)) {
            co_return dead(work, "malformed-answer", "inventory's answer is unreadable");
        } else {
            decision.result = as_json(reservation);
            decision.reservation = reservation.id();
        }
        co_return decision;
    }
}

Task<void> Effects::write(std::span<Decision> decisions) {
    for (int tries = 0;;) {
        const auto written = co_await write_once(decisions);
        if (written) {
            const bool all_new = note(decisions, *written);
            observe_age(decisions);
            if (!all_new) { co_await undo_unwanted(decisions); }
            co_return;
        }
        const bool is_permanent = written.error().kind() == ErrorKind::permanent;
        if (is_permanent && decisions.size() > 1) {
            // Whichever is at fault shall be alone.
            const std::size_t half = decisions.size() / 2;
            co_await write(decisions.first(half));
            co_await write(decisions.subspan(half));
            co_return;
        }
        if (is_permanent && !decisions.front().dead) { decisions.front().dead = written.error(); }
        co_await pause_after(written.error(), tries);
    }
}

Task<Result<std::int64_t>> Effects::write_once(std::span<const Decision> decisions) {
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(context()));
    auto calls = write_calls(decisions);
    if constexpr (mutants_compiled) {
        auto before = mutants::calls_before(options_.mutant, decisions);
        if (!before.empty()) { RP_CO_CHECK(co_await transaction->execute(std::move(before))); }
        std::ranges::move(mutants::calls_behind(options_.mutant, decisions),
                          std::back_inserter(calls));
    }
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(calls)));
    co_return inserted_in(answers, decisions);
}

// Two processors may have handled one message at once, and inventory forgets what it refused: then
// one of them holds a reservation that the other one's result denies.
Task<void> Effects::undo_unwanted(std::span<const Decision> decisions) {
    std::vector<std::string> ids;
    for (const Decision& decision : decisions) {
        if (!decision.reservation.empty() && !decision.dead) { ids.push_back(decision.work->id); }
    }
    if (ids.empty()) { co_return; }
    auto calls = pipeline(outcomes_call(std::move(ids)));
    const auto found = co_await read_only(environment_.database, context(), std::move(calls));
    if (!found) { co_return; }  // the hold ends by its own time to live
    for (const Row& row : found->front().rows) {
        if (integer(row, 1) == 1) { continue; }
        for (const Decision& decision : decisions) {
            if (decision.work->id != text(row, 0) || decision.reservation.empty()) { continue; }
            co_await release(*decision.work, decision.reservation);
        }
    }
}

Task<void> Effects::release(const Work& work, std::string reservation) {
    wire::ReservationRequest request;
    request.set_id(reservation);
    const RpcTarget target{"inventory.v1.Inventory/Release", work.key,
                           std::max(1U, shard_of_uuid(reservation, options_.shards))};
    co_await environment_.rpc.call(context_of(work), target, request.SerializeAsString());
}

Context Effects::context() const {
    return Context(environment_.clock.monotonic() + limits::step_timeout);
}

Context Effects::context_of(const Work& work) const {
    const Message& message = work.delivery.message;
    Context result = context();
    const std::string_view owner = header_of(message, owner_header);
    result.principal = owner.empty() ? "anonymous" : owner;
    result.idempotency_key = work.id;
    result.trace = parse_traceparent(header_of(message, trace_header));
    return result;
}

// As far as the clocks of whoever accepted it and this machine agree.
void Effects::observe_age(std::span<const Decision> decisions) {
    const WallTime now = environment_.clock.wall();
    for (const Decision& decision : decisions) {
        const auto accepted = accepted_at(decision.work->delivery.message);
        if (!accepted) { continue; }
        const std::chrono::duration<double> age = now - *accepted;
        since_accepted_.observe(std::max(0.0, age.count()));
    }
}

bool Effects::note(std::span<const Decision> decisions, std::int64_t inserted) {
    std::uint64_t refused = 0;
    std::uint64_t set_aside = 0;
    for (const Decision& decision : decisions) {
        if (decision.dead) {
            ++set_aside;
            environment_.telemetry.log(LogLevel::warning, "a message was set aside",
                                       {{"reason", decision.dead->code()}});
        } else if (!decision.success) {
            ++refused;
        }
    }
    counts_.processed += static_cast<std::uint64_t>(inserted);
    counts_.errors += refused + set_aside;
    results_.add(decisions.size() - refused - set_aside);
    refusals_.add(refused);
    dead_.add(set_aside);
    return inserted == static_cast<std::int64_t>(decisions.size() - set_aside);
}

Task<void> Effects::pause_after(const Error& error, int& tries) {
    retries_.add();
    if (++tries == 1) {
        environment_.telemetry.log(LogLevel::warning, "an effect is tried again",
                                   {{"code", error.code()}});
    }
    const Duration pause = back_off(limits::retry_policy, tries, environment_.random);
    co_await sleep_for(environment_.clock, pause);
}

}  // namespace rushproof::processor
