#include "services/gateway/api/pipeline.hpp"

#include <set>
#include <utility>

#include "core/runtime/data_message.hpp"
#include "core/runtime/json.hpp"
#include "core/runtime/problem.hpp"
#include "core/runtime/shard.hpp"
#include "services/gateway/app/forward.hpp"

namespace rushproof::gateway {

namespace {

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

HttpResponse accepted(int status, const std::string& id) {
    JsonWriter json;
    json.begin_object();
    json.member("messageId", id);
    json.member("status", "accepted");
    json.end_object();
    return HttpResponse(status, std::move(json).text());
}

void write_ingest(JsonWriter& json, const ::ingest::v1::Stats& stats) {
    json.begin_object("ingest");
    json.flag("healthy", stats.healthy());
    json.begin_object("stats");
    json.member("TotalReceived", number(stats.total_received()));
    json.member("TotalSent", number(stats.total_sent()));
    json.member("TotalFailed", number(stats.total_failed()));
    json.end_object();
    json.end_object();
}

void write_queue(JsonWriter& json, const ::processor::v1::QueueStats& queue) {
    json.begin_object("queue");
    json.member("type", queue.type());
    if (queue.has_size()) { json.member("size", queue.size()); }
    if (queue.has_capacity()) { json.member("capacity", queue.capacity()); }
    json.member("unfinished", queue.unfinished());
    json.member("TotalEnqueued", number(queue.total_enqueued()));
    json.member("TotalDequeued", number(queue.total_dequeued()));
    if (queue.has_size()) { json.member("CurrentSize", queue.size()); }
    if (!queue.providers().empty()) {
        json.begin_object("composite_stats");
        for (const auto& provider : queue.providers()) {
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
}

void write_processor(JsonWriter& json, const ::processor::v1::Stats& stats) {
    json.begin_object("processor");
    json.flag("healthy", stats.healthy());
    json.begin_object("stats");
    write_queue(json, stats.queue());
    json.begin_object("pool");
    json.member("processed", number(stats.pool().processed()));
    json.member("errors", number(stats.pool().errors()));
    json.member("workers", stats.pool().workers());
    json.member("ProcessedCount", number(stats.pool().processed()));
    json.member("ErrorCount", number(stats.pool().errors()));
    json.member("TotalDuration", stats.pool().total_duration_ns());
    json.end_object();
    json.end_object();
    json.end_object();
}

void add(::processor::v1::QueueStats& sum, const ::processor::v1::QueueStats& queue) {
    sum.set_type(queue.type());
    sum.set_total_enqueued(sum.total_enqueued() + queue.total_enqueued());
    sum.set_total_dequeued(sum.total_dequeued() + queue.total_dequeued());
    if (queue.has_capacity()) {  // each processor has its own
        sum.set_capacity(sum.capacity() + queue.capacity());
        if (queue.has_size()) { sum.set_size(sum.size() + queue.size()); }
        sum.set_unfinished(sum.unfinished() + queue.unfinished());
    } else {
        if (queue.has_size()) { sum.set_size(queue.size()); }
        sum.set_unfinished(queue.unfinished());
    }
    if (sum.providers().empty()) { *sum.mutable_providers() = queue.providers(); }
}

}  // namespace

std::vector<HttpRoute> Pipeline::routes() {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/api/v1/ingest", [this](Context context, HttpRequest request) {
                          return ingest(std::move(context), std::move(request));
                      }});
    routes.push_back({"GET", "/api/v1/status", [this](Context context, HttpRequest request) {
                          return status(std::move(context), std::move(request));
                      }});
    return routes;
}

bool Pipeline::prefers_later(const HttpRequest& request) {
    return request.field("prefer").find("respond-async") != std::string_view::npos;
}

Task<HttpResponse> Pipeline::ingest(Context context, HttpRequest request) {
    context =
        outgoing_context(options_, environment_.clock.monotonic(), std::move(context), request);
    auto body = parse_ingest_body(request.body);
    if (!body) { co_return problem(body.error()); }
    ::ingest::v1::IngestRequest message;
    for (auto& [name, value] : body->metadata) {
        (*message.mutable_metadata())[std::move(name)] = std::move(value);
    }
    message.set_source(std::move(body->source));
    message.set_data(std::move(body->data));
    const auto id = co_await accept(std::move(context), std::move(message));
    co_return id ? accepted(200, *id) : problem(id.error());
}

Task<HttpResponse> Pipeline::reserve_later(Context context, HttpRequest request) {
    context =
        outgoing_context(options_, environment_.clock.monotonic(), std::move(context), request);
    if (context.idempotency_key.empty()) {
        co_return problem(Error(ErrorKind::permanent, "missing-header",
                                "the header Idempotency-Key is required"));
    }
    const JsonBody body(request.body);
    const auto sku = body.text("sku");
    if (!sku) { co_return problem(sku.error()); }
    const auto quantity = body.integer("quantity");
    if (!quantity) { co_return problem(quantity.error()); }
    JsonWriter json;
    json.begin_object();
    json.member("sku", *sku);
    json.member("quantity", *quantity);
    json.end_object();
    ::ingest::v1::IngestRequest message;
    message.set_source(context.principal);
    message.set_data(std::move(json).text());
    message.set_kind(std::string(reserve_kind));
    message.set_key(std::string(*sku));
    const auto id = co_await accept(std::move(context), std::move(message));
    if (!id) { co_return problem(id.error()); }
    HttpResponse response = accepted(202, *id);
    response.fields.emplace_back("location", "/api/v1/messages/" + *id);
    response.fields.emplace_back("preference-applied", "respond-async");
    co_return response;
}

// Goes where its order is kept, if it has one, else anywhere.
Task<Result<std::string>> Pipeline::accept(Context context, ::ingest::v1::IngestRequest request) {
    std::string order = request.key();
    if (order.empty()) {
        const auto key = request.metadata().find("key");
        order = key == request.metadata().end() ? request.source() : key->second;
    }
    if (order.empty()) { order = std::to_string(environment_.random.next()); }
    const RpcTarget target{"ingest.v1.Ingest/Ingest", order};
    RP_CO_TRY(
        const std::string answer,
        co_await environment_.rpc.call(std::move(context), target, request.SerializeAsString()));
    ::ingest::v1::IngestResponse response;
    if (!response.ParseFromString(answer)) {
        co_return failure(ErrorKind::unknown_outcome, "malformed-answer",
                          "ingest's answer is unreadable");
    }
    co_return std::move(*response.mutable_message_id());
}

// What an instance that does not answer has counted is not known: the sum is of the others, and
// unhealthy.
Task<::ingest::v1::Stats> Pipeline::ingest_stats(Context context) {
    ::ingest::v1::Stats sum;
    sum.set_healthy(options_.ingests > 0);
    std::set<std::string> seen;
    for (std::uint32_t i = 0; i < options_.ingests; ++i) {
        const std::string probe = instance_probe(i, options_.ingests);
        const RpcTarget target{"ingest.v1.Ingest/GetStats", probe};
        const auto answer = co_await environment_.rpc.call(context, target, std::string());
        ::ingest::v1::Stats stats;
        const bool answers = answer && stats.ParseFromString(*answer);
        // One that is away is answered for by the next, whose numbers count once.
        if (!answers || !seen.insert(stats.instance()).second) {
            sum.set_healthy(false);
            continue;
        }
        sum.set_healthy(sum.healthy() && stats.healthy());
        sum.set_total_received(sum.total_received() + stats.total_received());
        sum.set_total_sent(sum.total_sent() + stats.total_sent());
        sum.set_total_failed(sum.total_failed() + stats.total_failed());
    }
    co_return sum;
}

Task<::processor::v1::Stats> Pipeline::processor_stats(Context context) {
    ::processor::v1::Stats sum;
    sum.set_healthy(options_.processors > 0);
    std::set<std::string> seen;
    for (std::uint32_t i = 0; i < options_.processors; ++i) {
        const std::string probe = instance_probe(i, options_.processors);
        const RpcTarget target{"processor.v1.Processor/GetStats", probe};
        const auto answer = co_await environment_.rpc.call(context, target, std::string());
        ::processor::v1::Stats stats;
        const bool answers = answer && stats.ParseFromString(*answer);
        if (!answers || !seen.insert(stats.instance()).second) {
            sum.set_healthy(false);
            continue;
        }
        sum.set_healthy(sum.healthy() && stats.healthy());
        add(*sum.mutable_queue(), stats.queue());
        auto& pool = *sum.mutable_pool();
        pool.set_processed(pool.processed() + stats.pool().processed());
        pool.set_errors(pool.errors() + stats.pool().errors());
        pool.set_workers(pool.workers() + stats.pool().workers());
        pool.set_total_duration_ns(pool.total_duration_ns() + stats.pool().total_duration_ns());
    }
    co_return sum;
}

Task<HttpResponse> Pipeline::status(Context context, HttpRequest request) {
    context =
        outgoing_context(options_, environment_.clock.monotonic(), std::move(context), request);
    const auto ingest = co_await ingest_stats(context);
    const auto processor = co_await processor_stats(std::move(context));
    JsonWriter json;
    json.begin_object();
    write_ingest(json, ingest);
    write_processor(json, processor);
    json.end_object();
    co_return HttpResponse(200, std::move(json).text());
}

Task<bool> Pipeline::healthy(Context context) {
    if (options_.ingests > 0) {
        const auto ingest = co_await ingest_stats(context);
        if (!ingest.healthy()) { co_return false; }
    }
    if (options_.processors > 0) {
        const auto processor = co_await processor_stats(std::move(context));
        if (!processor.healthy()) { co_return false; }
    }
    co_return true;
}

}  // namespace rushproof::gateway
