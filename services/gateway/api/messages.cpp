#include "services/gateway/api/messages.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"
#include "core/runtime/rfc3339.hpp"
#include "core/runtime/shard.hpp"
#include "services/gateway/app/forward.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {

namespace {

namespace wire = ::processor::v1;

std::string time(std::int64_t microseconds) {
    return to_rfc3339(WallTime(std::chrono::microseconds(microseconds)));
}

std::string as_json(const wire::Result& result) {
    JsonWriter json;
    json.begin_object();
    json.member("messageId", result.message_id());
    json.member("state", "processed");
    json.member("kind", result.kind());
    json.member("number", result.number());
    json.member("processedAt", time(result.processed_at_us()));
    json.flag("success", result.success());
    if (!result.error().empty()) { json.member("error", result.error()); }
    if (!result.result().empty()) { json.value("result", result.result()); }
    json.end_object();
    return std::move(json).text();
}

std::string as_json(const wire::DeadLetter& letter) {
    JsonWriter json;
    json.begin_object();
    json.member("messageId", letter.message_id());
    json.member("state", "dead");
    json.member("reason", letter.reason());
    json.member("detail", letter.detail());
    json.member("attempts", letter.attempts());
    json.member("deadAt", time(letter.dead_at_us()));
    json.member("replays", letter.replays());
    json.end_object();
    return std::move(json).text();
}

std::string as_json(const wire::Outcome& outcome) {
    return outcome.has_dead() ? as_json(outcome.dead()) : as_json(outcome.processed());
}

// JSON without line breaks is one line of data.
std::string as_event(const wire::Outcome& outcome) {
    const std::string_view name = outcome.has_dead() ? "dead" : "processed";
    return "event: " + std::string(name) + "\ndata: " + as_json(outcome) + "\n\n";
}

}  // namespace

std::vector<HttpRoute> Messages::routes() {
    std::vector<HttpRoute> routes;
    routes.push_back({"GET", "/api/v1/messages/{id}", [this](Context context, HttpRequest request) {
                          return get(std::move(context), std::move(request));
                      }});
    routes.push_back(
        {"GET", "/api/v1/messages/{id}/events", [this](Context context, HttpRequest request) {
             return events(std::move(context), std::move(request));
         }});
    return routes;
}

Task<HttpResponse> Messages::get(Context context, HttpRequest request) {
    context =
        outgoing_context(options_, environment_.clock.monotonic(), std::move(context), request);
    std::string id(request.parameter("id"));
    const auto outcome = co_await outcome_of(std::move(context), std::move(id), Duration::zero());
    co_return outcome ? HttpResponse(200, as_json(*outcome)) : problem(outcome.error());
}

// Processors may have databases of their own.
Task<Result<wire::Outcome>> Messages::outcome_of(Context context, std::string id, Duration wait) {
    const std::uint32_t processors = std::max(1U, options_.processors);
    wire::ResultRequest request;
    request.set_message_id(id);
    request.set_wait_us(
        std::chrono::duration_cast<std::chrono::microseconds>(wait / processors).count());
    Result<std::string> answer = failure(ErrorKind::retryable, "unavailable", "");
    for (std::uint32_t i = 0; i < processors; ++i) {
        const std::string probe = instance_probe(i, processors);
        const RpcTarget target{"processor.v1.Processor/GetResult", probe};
        answer = co_await environment_.rpc.call(context, target, request.SerializeAsString());
        if (answer || answer.error().code() != "not-processed") { break; }
    }
    if (!answer) { co_return failure(answer.error()); }
    wire::Outcome outcome;
    if (!outcome.ParseFromString(*answer)) {
        co_return failure(ErrorKind::unknown_outcome, "malformed-answer",
                          "processor's answer is unreadable");
    }
    co_return outcome;
}

// One event once the outcome is known, and then the end.
Task<HttpResponse> Messages::events(Context, HttpRequest request) {
    HttpResponse response(200, ": waiting\n\n", "text/event-stream");
    response.fields.emplace_back("cache-control", "no-store");
    const MonotonicTime until = environment_.clock.monotonic() + limits::events;
    response.stream = [this, until, id = std::string(request.parameter("id")),
                       ended = std::make_shared<bool>(false)]() -> Task<std::string> {
        return [](Messages& self, MonotonicTime end, std::string its_id,
                  std::shared_ptr<bool> over) -> Task<std::string> {
            if (*over) { co_return std::string(); }
            std::string piece = co_await self.next_event(std::move(its_id), end);
            *over = piece.starts_with("event:");
            co_return piece;
        }(*this, until, id, ended);
    };
    co_return response;
}

Task<std::string> Messages::next_event(std::string id, MonotonicTime until) {
    const MonotonicTime now = environment_.clock.monotonic();
    if (now >= until) { co_return std::string(); }
    const Context context(now + 2 * limits::events_silence);
    const auto outcome = co_await outcome_of(context, std::move(id), limits::events_silence);
    if (outcome) { co_return as_event(*outcome); }
    // A processor that is away answers at once.
    const Duration taken = environment_.clock.monotonic() - now;
    if (taken < limits::events_silence / 2) {
        const Duration pause = limits::events_silence - taken;
        co_await sleep_for(environment_.clock, pause);
    }
    co_return ": waiting\n\n";
}

}  // namespace rushproof::gateway
