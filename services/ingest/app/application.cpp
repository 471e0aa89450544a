#include "services/ingest/app/application.hpp"

#include <chrono>
#include <utility>

#include "core/runtime/checks.hpp"
#include "core/runtime/context_text.hpp"
#include "core/runtime/uuid.hpp"
#include "services/ingest/limits.hpp"

namespace rushproof::ingest {

Application::Application(Environment& environment, Route& route)
    : environment_(environment),
      route_(route),
      received_(environment.telemetry.counter("ingest_messages_total", "Messages that were offered",
                                              {{"outcome", "received"}})),
      sent_(environment.telemetry.counter("ingest_messages_total", "Messages that were offered",
                                          {{"outcome", "sent"}})),
      failed_(environment.telemetry.counter("ingest_messages_total", "Messages that were offered",
                                            {{"outcome", "failed"}})) {}

Task<Result<std::string>> Application::accept(Context context, Request request) {
    ++totals_.received;
    received_.add();
    auto message = message_of(context, std::move(request));
    if (!message) {
        ++totals_.failed;
        failed_.add();
        co_return failure(message.error());
    }
    std::string id = message->id;
    const MonotonicTime now = environment_.clock.monotonic();
    context.deadline -= (context.deadline - now) / limits::deadline_parts;
    const auto published = co_await route_.publish(std::move(context), *std::move(message));
    if (!published) {
        ++totals_.failed;
        failed_.add();
        co_return failure(published.error());
    }
    ++totals_.sent;
    sent_.add();
    co_return id;
}

void Application::note_unreadable() {
    ++totals_.received;
    ++totals_.failed;
    received_.add();
    failed_.add();
}

// Each kind has keys of its own, as each operation has elsewhere.
Result<std::string> Application::id_of(const Context& context, const std::string& kind) {
    if (context.idempotency_key.empty()) {
        return uuid_comb(environment_.clock.wall(), environment_.random);
    }
    RP_TRY(const IdempotencyKey key, check_key(context.idempotency_key));
    return uuid_of(context.principal, kind + '\n' + key.text());
}

Result<Message> Application::message_of(const Context& context, Request request) {
    RP_CHECK(check_data(request.source, request.data, request.metadata));
    if (request.key.size() > data_limits::key_length || !is_storable_text(request.key)) {
        return failure(ErrorKind::permanent, "malformed", "the key is no text");
    }
    Message message;
    RP_TRY(message.id, id_of(context, request.kind));
    message.key = request.key.empty() ? ordering_key(request.metadata, request.source)
                                      : std::string_view(request.key);
    if (!request.kind.empty()) {
        message.headers.emplace_back(kind_header, request.kind);
        message.headers.emplace_back(owner_header, context.principal);
    }
    if (context.trace != TraceId()) {
        message.headers.emplace_back(trace_header, format_traceparent(context.trace));
    }
    const WallTime now = environment_.clock.wall();
    set_accepted_at(message, now);
    DataMessage data;
    data.id = message.id;
    data.timestamp = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    data.source = std::move(request.source);
    data.payload = std::move(request.data);
    data.metadata = std::move(request.metadata);
    message.body = to_json(data);
    return message;
}

}  // namespace rushproof::ingest
