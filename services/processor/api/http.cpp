#include "services/processor/api/http.hpp"

#include <utility>

#include "core/runtime/checks.hpp"
#include "core/runtime/context_text.hpp"
#include "core/runtime/data_message.hpp"
#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"
#include "core/runtime/uuid.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

Error malformed(const Error& error) { return {ErrorKind::permanent, "malformed", error.message()}; }

// The message that a body means.  One without an id gets one.
Result<Message> message_in(Environment& environment, const Context& context, std::string body) {
    RP_TRY(DataMessage data, parse_data_message(body));
    Message message;
    if (data.id.empty()) {
        data.id = uuid_comb(environment.clock.wall(), environment.random);
        body = to_json(data);
    }
    auto id =
        check_text("id", data.id, limits::id_length, [](char c) { return c > 0x20 && c < 0x7F; });
    if (!id) { return failure(malformed(id.error())); }
    RP_CHECK(check_data(data.source, data.payload, data.metadata));
    message.id = *std::move(id);
    message.key = ordering_key(data.metadata, data.source);
    if (context.trace != TraceId()) {
        message.headers.emplace_back(trace_header, format_traceparent(context.trace));
    }
    set_accepted_at(message, environment.clock.wall());
    message.body = std::move(body);
    return message;
}

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

std::string as_json(const wire::Stats& stats) {
    JsonWriter json;
    json.begin_object();
    json.begin_object("pool");
    json.member("ProcessedCount", number(stats.pool().processed()));
    json.member("ErrorCount", number(stats.pool().errors()));
    json.member("TotalDuration", stats.pool().total_duration_ns());
    json.end_object();
    json.begin_object("queue");
    json.member("TotalEnqueued", number(stats.queue().total_enqueued()));
    json.member("TotalDequeued", number(stats.queue().total_dequeued()));
    if (stats.queue().has_size()) { json.member("CurrentSize", stats.queue().size()); }
    if (!stats.queue().providers().empty()) {
        json.begin_object("composite_stats");
        for (const auto& provider : stats.queue().providers()) {
            json.begin_object(provider.name());
            json.member("TotalEnqueued", number(provider.total_enqueued()));
            json.member("TotalDequeued", number(provider.total_dequeued()));
            json.member("TotalFailed", number(provider.total_failed()));
            json.flag("Down", provider.down());
            json.end_object();
        }
        json.end_object();
    }
    json.end_object();
    json.end_object();
    return std::move(json).text();
}

}  // namespace

HttpApi::HttpApi(Environment& environment, Scope& scope, Routing& routing, Api& api)
    : environment_(environment), scope_(scope), routing_(routing), api_(api) {}

std::vector<HttpRoute> HttpApi::routes() {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/enqueue", [this](Context context, HttpRequest request) {
                          return enqueue(std::move(context), std::move(request));
                      }});
    routes.push_back({"GET", "/stats",
                      [this](Context context, HttpRequest) { return stats(std::move(context)); }});
    routes.push_back({"GET", "/health",
                      [this](Context context, HttpRequest) { return health(std::move(context)); }});
    return routes;
}

Task<HttpResponse> HttpApi::enqueue(Context context, HttpRequest request) {
    if (!open_) {
        co_return problem(Error(ErrorKind::retryable, "stopping", "processor is stopping"));
    }
    const Scope::Visit visit = scope_.visit();
    auto message = message_in(environment_, context, std::move(request.body));
    if (!message) { co_return problem(message.error()); }
    const auto accepted =
        co_await routing_.publish(std::move(context), *std::move(message), std::string());
    if (!accepted) { co_return problem(accepted.error()); }
    co_return HttpResponse(202, {}, {});
}

Task<HttpResponse> HttpApi::stats(Context context) {
    const auto stats = co_await api_.stats(std::move(context));
    if (!stats) { co_return problem(stats.error()); }
    co_return HttpResponse(200, as_json(*stats));
}

Task<HttpResponse> HttpApi::health(Context context) {
    const auto stats = co_await api_.stats(std::move(context));
    const bool healthy = open_ && stats && stats->healthy();
    co_return HttpResponse(healthy ? 200 : 503,
                           healthy ? R"({"healthy":true})" : R"({"healthy":false})");
}

}  // namespace rushproof::processor
