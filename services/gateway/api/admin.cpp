#include "services/gateway/api/admin.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/protocol/processor.pb.h"
#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"
#include "core/runtime/rfc3339.hpp"
#include "core/runtime/shard.hpp"
#include "services/gateway/api/forwards.hpp"
#include "services/gateway/app/forward.hpp"

namespace rushproof::gateway {

namespace {

namespace wire = ::processor::v1;

std::string time(std::int64_t microseconds) {
    return to_rfc3339(WallTime(std::chrono::microseconds(microseconds)));
}

void write_letter(JsonWriter& json, const wire::DeadLetter& letter) {
    json.begin_object();
    json.member("messageId", letter.message_id());
    json.member("key", letter.key());
    json.member("provider", letter.provider());
    json.member("reason", letter.reason());
    json.member("detail", letter.detail());
    json.member("attempts", letter.attempts());
    json.member("deadAt", time(letter.dead_at_us()));
    json.member("replays", letter.replays());
    if (letter.replayed_at_us() > 0) { json.member("replayedAt", time(letter.replayed_at_us())); }
    json.end_object();
}

void write_result(JsonWriter& json, const wire::Result& result) {
    json.begin_object();
    json.member("number", result.number());
    json.member("messageId", result.message_id());
    json.member("key", result.key());
    json.member("source", result.source());
    json.member("kind", result.kind());
    json.member("provider", result.provider());
    json.member("processedAt", time(result.processed_at_us()));
    json.member("processed_at_us", result.processed_at_us());
    json.flag("success", result.success());
    if (!result.error().empty()) { json.member("error", result.error()); }
    if (!result.result().empty()) { json.value("result", result.result()); }
    json.end_object();
}

constexpr std::int64_t switch_within_ms_max = 3'600'000;

void write_queue(JsonWriter& json, const wire::QueueState& state) {
    const wire::Route& route = state.route();
    json.begin_object();
    json.member("provider", route.provider());
    json.member("phase", route.phase());
    json.member("epoch", route.epoch());
    if (!route.previous().empty()) {
        json.member("previous", route.previous());
        json.member("age_us", route.age_us());
        json.member("left_us", route.left_us());
    }
    json.begin_array("switches");
    for (const wire::Switch& ended : state.switches()) {
        json.begin_object();
        json.member("from", ended.from());
        json.member("to", ended.to());
        json.member("begunAt", time(ended.begun_at_us()));
        json.member("duration_us", ended.duration_us());
        json.member("carried", ended.carried_over());
        json.member("outcome", ended.outcome());
        if (!ended.reason().empty()) { json.member("reason", ended.reason()); }
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

}  // namespace

bool same_secret(std::string_view given, std::string_view secret) {
    unsigned char difference = given.size() == secret.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size() && !secret.empty(); ++i) {
        difference |= static_cast<unsigned char>(given[i] ^ secret[i % secret.size()]);
    }
    return difference == 0;
}

std::vector<HttpRoute> Admin::routes() {
    std::vector<HttpRoute> routes;
    routes.push_back(route("GET", "/api/v1/admin/queue", &Admin::queue));
    routes.push_back(route("POST", "/api/v1/admin/queue", &Admin::switch_queue));
    routes.push_back(route("GET", "/api/v1/admin/workers", &Admin::workers));
    routes.push_back(route("POST", "/api/v1/admin/workers", &Admin::change_workers));
    routes.push_back(route("GET", "/api/v1/admin/processed", &Admin::processed));
    routes.push_back(route("GET", "/api/v1/admin/dead-letters", &Admin::dead_letters));
    routes.push_back(route("POST", "/api/v1/admin/dead-letters/{id}/replay", &Admin::replay));
    routes.push_back(route("GET", "/api/v1/admin/divergences", &Admin::divergences));
    routes.push_back(route("POST", "/api/v1/admin/divergences/repair", &Admin::repair));
    return routes;
}

HttpRoute Admin::route(std::string method, std::string path, Use use) {
    return {std::move(method), std::move(path), [this, use](Context context, HttpRequest request) {
                return guard(use, std::move(context), std::move(request));
            }};
}

Admin::Answer Admin::guard(Use use, Context context, HttpRequest request) {
    if (options_.admin_token.empty() && !options_.admin_without_token) {
        co_return problem(
            403, "forbidden",
            "set RUSHPROOF_ADMIN_TOKEN to administer a gateway that others can reach");
    }
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = request.field("authorization");
    const bool is_known =
        given.starts_with(scheme) && same_secret(given.substr(scheme.size()), options_.admin_token);
    if (!options_.admin_token.empty() && !is_known) {
        HttpResponse refused = problem(401, "unauthorized", "the administrator's token is needed");
        refused.fields.emplace_back("www-authenticate", "Bearer");
        co_return refused;
    }
    context =
        outgoing_context(options_, environment_.clock.monotonic(), std::move(context), request);
    co_return co_await (this->*use)(std::move(context), std::move(request));
}

Task<Result<std::string>> Admin::ask(Context context, const HttpRequest& request,
                                     std::string_view method, std::string bytes) {
    const std::int64_t processors = std::max(1U, options_.processors);
    RP_CO_TRY(const std::int64_t index, query_number(request, "processor"));
    if (index >= processors) {
        co_return failure(ErrorKind::permanent, "not-found", "there is no such processor");
    }
    const std::string probe =
        instance_probe(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(processors));
    const RpcTarget target{method, probe};
    co_return co_await environment_.rpc.call(std::move(context), target, std::move(bytes));
}

Admin::Answer Admin::queue(Context context, HttpRequest) {
    const wire::QueueRequest request;
    return ask_queue(std::move(context), 200, "processor.v1.Processor/GetQueue",
                     request.SerializeAsString());
}

Admin::Answer Admin::switch_queue(Context context, HttpRequest request) {
    const JsonBody body(request.body);
    const auto to = body.text("to");
    if (!to) { co_return problem(to.error()); }
    wire::SwitchRequest wish;
    wish.set_to(std::string(*to));
    if (body.has("within_ms")) {
        const auto within = body.integer("within_ms");
        if (!within) { co_return problem(within.error()); }
        if (*within < 1 || *within > switch_within_ms_max) {
            co_return problem(
                Error(ErrorKind::permanent, "invalid",
                      "within_ms must be from 1 to " + std::to_string(switch_within_ms_max)));
        }
        wish.set_within_us(*within * 1'000);
    }
    co_return co_await ask_queue(std::move(context), 202, "processor.v1.Processor/SwitchQueue",
                                 wish.SerializeAsString());
}

Admin::Answer Admin::ask_queue(Context context, int status, std::string_view method,
                               std::string request) {
    const RpcTarget target{method, {}};
    const auto answer =
        co_await environment_.rpc.call(std::move(context), target, std::move(request));
    if (!answer) { co_return problem(answer.error()); }
    wire::QueueState state;
    if (!state.ParseFromString(*answer)) { co_return unreadable("processor"); }
    JsonWriter json;
    write_queue(json, state);
    co_return HttpResponse(status, std::move(json).text());
}

Admin::Answer Admin::workers(Context context, HttpRequest) {
    return ask_workers(std::move(context), 0);
}

Admin::Answer Admin::change_workers(Context context, HttpRequest request) {
    const JsonBody body(request.body);
    const auto workers = body.integer("workers");
    if (!workers) { co_return problem(workers.error()); }
    if (*workers < 1) {
        co_return problem(
            Error(ErrorKind::permanent, "invalid", "workers must be a positive integer"));
    }
    co_return co_await ask_workers(std::move(context), *workers);
}

Admin::Answer Admin::ask_workers(Context context, std::int64_t workers) {
    wire::WorkersRequest wish;
    wish.set_workers(workers);
    const std::uint32_t processors = std::max(1U, options_.processors);
    wire::WorkersState sum;
    for (std::uint32_t i = 0; i < processors; ++i) {
        const std::string probe = instance_probe(i, processors);
        const RpcTarget target{"processor.v1.Processor/Workers", probe};
        const auto answer =
            co_await environment_.rpc.call(context, target, wish.SerializeAsString());
        wire::WorkersState state;
        if (!answer) { co_return problem(answer.error()); }
        if (!state.ParseFromString(*answer)) { co_return unreadable("processor"); }
        sum.set_workers(sum.workers() + state.workers());
        sum.set_busy(sum.busy() + state.busy());
    }
    JsonWriter json;
    json.begin_object();
    json.member("workers", sum.workers());
    json.member("busy", sum.busy());
    json.end_object();
    co_return HttpResponse(200, std::move(json).text());
}

Admin::Answer Admin::processed(Context context, HttpRequest request) {
    wire::ProcessedRequest wish;
    const auto after = query_number(request, "after");
    if (!after) { co_return problem(after.error()); }
    const auto limit = query_number(request, "limit");
    if (!limit) { co_return problem(limit.error()); }
    wish.set_after(*after);
    wish.set_limit(*limit);
    const auto answer =
        co_await ask(std::move(context), request, "processor.v1.Processor/ListProcessed",
                     wish.SerializeAsString());
    wire::Processed page;
    if (!answer) { co_return problem(answer.error()); }
    if (!page.ParseFromString(*answer)) { co_return unreadable("processor"); }
    JsonWriter json;
    json.begin_object();
    json.begin_array("items");
    for (const auto& item : page.items()) { write_result(json, item); }
    json.end_array();
    if (!page.items().empty()) { json.member("next", page.items().rbegin()->number()); }
    json.end_object();
    co_return HttpResponse(200, std::move(json).text());
}

Admin::Answer Admin::dead_letters(Context context, HttpRequest request) {
    wire::DeadLettersRequest wish;
    const auto limit = query_number(request, "limit");
    if (!limit) { co_return problem(limit.error()); }
    wish.set_after(std::string(request.query("after")));
    wish.set_limit(*limit);
    const auto answer =
        co_await ask(std::move(context), request, "processor.v1.Processor/ListDeadLetters",
                     wish.SerializeAsString());
    wire::DeadLetters page;
    if (!answer) { co_return problem(answer.error()); }
    if (!page.ParseFromString(*answer)) { co_return unreadable("processor"); }
    co_return write_page(page,
                         [](JsonWriter& json, const auto& item) { write_letter(json, item); });
}

Admin::Answer Admin::divergences(Context context, HttpRequest request) {
    wire::DivergencesRequest wish;
    const auto limit = query_number(request, "limit");
    if (!limit) { co_return problem(limit.error()); }
    wish.set_after(std::string(request.query("after")));
    wish.set_limit(*limit);
    const auto answer =
        co_await ask(std::move(context), request, "processor.v1.Processor/ListDivergences",
                     wish.SerializeAsString());
    wire::Divergences page;
    if (!answer) { co_return problem(answer.error()); }
    if (!page.ParseFromString(*answer)) { co_return unreadable("processor"); }
    co_return write_page(page, [](JsonWriter& json, const auto& item) {
        std::string lacking;
        for (const std::string& provider : item.lacking()) {
            lacking += (lacking.empty() ? "" : ",") + provider;
        }
        json.begin_object();
        json.member("messageId", item.message_id());
        json.member("lacking", lacking);
        json.member("reason", item.reason());
        json.member("recordedAt", time(item.recorded_at_us()));
        json.end_object();
    });
}

Admin::Answer Admin::repair(Context context, HttpRequest request) {
    const auto answer =
        co_await ask(std::move(context), request, "processor.v1.Processor/RepairDivergences",
                     wire::RepairRequest().SerializeAsString());
    wire::Repaired repaired;
    if (!answer) { co_return problem(answer.error()); }
    if (!repaired.ParseFromString(*answer)) { co_return unreadable("processor"); }
    JsonWriter json;
    json.begin_object();
    json.member("repaired", repaired.repaired());
    json.member("failed", repaired.failed());
    json.end_object();
    co_return HttpResponse(200, std::move(json).text());
}

Admin::Answer Admin::replay(Context context, HttpRequest request) {
    wire::ReplayRequest wish;
    wish.set_message_id(std::string(request.parameter("id")));
    const auto answer =
        co_await ask(std::move(context), request, "processor.v1.Processor/ReplayDeadLetter",
                     wish.SerializeAsString());
    wire::DeadLetter letter;
    if (!answer) { co_return problem(answer.error()); }
    if (!letter.ParseFromString(*answer)) { co_return unreadable("processor"); }
    JsonWriter json;
    write_letter(json, letter);
    HttpResponse response(202, std::move(json).text());
    response.fields.emplace_back("location", "/api/v1/messages/" + letter.message_id());
    co_return response;
}

}  // namespace rushproof::gateway
