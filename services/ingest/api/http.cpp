#include "services/ingest/api/http.hpp"

#include <utility>

#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"

namespace rushproof::ingest {

namespace {

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

std::string as_json(const ::ingest::v1::Stats& stats) {
    JsonWriter json;
    json.begin_object();
    json.member("TotalReceived", number(stats.total_received()));
    json.member("TotalSent", number(stats.total_sent()));
    json.member("TotalFailed", number(stats.total_failed()));
    json.end_object();
    return std::move(json).text();
}

}  // namespace

HttpApi::HttpApi(Scope& scope, Application& application, Api& api)
    : scope_(scope), application_(application), api_(api) {}

std::vector<HttpRoute> HttpApi::routes() {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/ingest", [this](Context context, HttpRequest request) {
                          return ingest(std::move(context), std::move(request));
                      }});
    routes.push_back({"GET", "/stats",
                      [this](Context context, HttpRequest) { return stats(std::move(context)); }});
    routes.push_back({"GET", "/health",
                      [this](Context context, HttpRequest) { return health(std::move(context)); }});
    return routes;
}

Task<HttpResponse> HttpApi::ingest(Context context, HttpRequest request) {
    if (!open_) {
        co_return problem(Error(ErrorKind::retryable, "stopping", "ingest is stopping"));
    }
    const Scope::Visit visit = scope_.visit();
    auto body = parse_ingest_body(request.body);
    if (!body) {
        application_.note_unreadable();
        co_return problem(body.error());
    }
    context.idempotency_key = request.field("idempotency-key");
    const std::string_view owner = request.field("x-owner");
    context.principal = owner.empty() ? "anonymous" : owner;
    Request wish;
    wish.source = std::move(body->source);
    wish.data = std::move(body->data);
    wish.metadata = std::move(body->metadata);
    const auto id = co_await application_.accept(std::move(context), std::move(wish));
    if (!id) { co_return problem(id.error()); }
    JsonWriter json;
    json.begin_object();
    json.member("messageId", *id);
    json.member("status", "accepted");
    json.end_object();
    co_return HttpResponse(200, std::move(json).text());
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

}  // namespace rushproof::ingest
