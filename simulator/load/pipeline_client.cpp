#include "simulator/load/pipeline_client.hpp"

#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <utility>

#include "core/runtime/data_message.hpp"
#include "core/runtime/json.hpp"
#include "core/runtime/uuid.hpp"
#include "simulator/load/answers.hpp"

namespace rushproof::simulator {

namespace json = boost::json;

namespace {

// "2026-08-01T12:00:00.000250Z"
WallTime parse_time(const std::string& text) {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int microsecond = 0;
    const int read = std::sscanf(text.c_str(), "%d-%u-%uT%d:%d:%d.%6dZ", &year, &month, &day, &hour,
                                 &minute, &second, &microsecond);
    if (read != 7) { throw std::runtime_error("no time: " + text); }
    const std::chrono::sys_days date =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
    return WallTime(date.time_since_epoch()) + std::chrono::hours(hour) +
           std::chrono::minutes(minute) + std::chrono::seconds(second) +
           std::chrono::microseconds(microsecond);
}

bool flag_in(const json::object& object, std::string_view member) {
    const json::value* found = object.if_contains(member);
    return found != nullptr && found->is_bool() && found->get_bool();
}

template <class Answer>
Result<Answer> read_object(const HttpResponse& response, Answer (*read)(const json::object&)) {
    try {
        const json::value body = json::parse(response.body);
        return read(body.as_object());
    } catch (const std::exception& error) {
        return failure(ErrorKind::permanent, "malformed", error.what());
    }
}

template <class Row>
std::vector<Row> rows_in(const json::object& body, Row (*read)(const json::object&)) {
    std::vector<Row> rows;
    for (const json::value& item : body.at("items").as_array()) {
        rows.push_back(read(item.as_object()));
    }
    return rows;
}

MessageAnswer message_in(const json::object& body) {
    MessageAnswer answer;
    answer.dead = text_in(body, "state") == "dead";
    answer.success = flag_in(body, "success");
    answer.error = text_in(body, answer.dead ? "reason" : "error");
    const json::value* result = body.if_contains("result");
    if (result != nullptr && result->is_object()) {
        answer.reservation = text_in(result->get_object(), "id");
    }
    return answer;
}

ProcessedRow processed_in(const json::object& row) {
    return {row.at("number").as_int64(), std::string(row.at("messageId").as_string()),
            text_in(row, "key"), parse_time(text_in(row, "processedAt"))};
}

DeadRow dead_in(const json::object& row) {
    return {std::string(row.at("messageId").as_string()), text_in(row, "key"),
            parse_time(text_in(row, "deadAt"))};
}

DivergenceRow divergence_in(const json::object& row) {
    DivergenceRow divergence;
    divergence.message = row.at("messageId").as_string();
    std::istringstream lacking(std::string(row.at("lacking").as_string()));
    for (std::string provider; std::getline(lacking, provider, ',');) {
        divergence.lacking.push_back(provider);
    }
    divergence.at = parse_time(text_in(row, "recordedAt"));
    return divergence;
}

QueueAnswer queue_in(const json::object& body) {
    QueueAnswer answer;
    answer.epoch = body.at("epoch").as_int64();
    answer.provider = body.at("provider").as_string();
    answer.previous = text_in(body, "previous");
    answer.phase = body.at("phase").as_string();
    const json::value* switches = body.if_contains("switches");
    if (switches == nullptr || switches->as_array().empty()) { return answer; }
    const json::object& last = switches->get_array().front().as_object();
    answer.carried_over = integer_in(last, "carried");
    answer.error = text_in(last, "reason");
    return answer;
}

Result<MessageAnswer> read_message(const HttpResponse& response) {
    return read_object<MessageAnswer>(response, message_in);
}

template <class Row, Row (*read)(const json::object&)>
Result<std::vector<Row>> read_rows(const HttpResponse& response) {
    return read_object<std::vector<Row>>(
        response, +[](const json::object& body) { return rows_in<Row>(body, read); });
}

Result<QueueAnswer> read_queue(const HttpResponse& response) {
    return read_object<QueueAnswer>(response, queue_in);
}

Result<std::string> read_message_id(const HttpResponse& response) {
    const JsonBody body(response.body);
    RP_TRY(const auto id, body.text("messageId"));
    return std::string(id);
}

Result<bool> read_nothing(const HttpResponse&) { return true; }

HttpRequest get(std::string path) { return HttpRequest("GET", std::move(path)); }

HttpRequest page(std::string path, std::string after, std::int64_t limit) {
    HttpRequest request = get(std::move(path));
    request.queries.emplace_back("after", std::move(after));
    request.queries.emplace_back("limit", std::to_string(limit));
    return request;
}

}  // namespace

std::string message_id_of(std::string_view owner, std::string_view idempotency_key,
                          std::string_view kind) {
    std::string name(kind);
    name += '\n';
    name += idempotency_key;
    return uuid_of(owner, name);
}

Task<Result<HttpResponse>> PipelineClient::send(Context context, HttpRequest request) {
    if (!context.position.empty()) {
        request.fields.emplace_back(position_field, context.position);
    }
    return http_.send(std::move(context), std::move(request));
}

Task<Result<void>> PipelineClient::accept(Context context, HttpRequest request,
                                          std::string_view kind) {
    const std::string expected = message_id_of(context.principal, context.idempotency_key, kind);
    request.fields.reserve(4);
    request.fields.emplace_back("content-type", "application/json");
    request.fields.emplace_back("idempotency-key", context.idempotency_key);
    request.fields.emplace_back("x-owner", context.principal);
    const auto response = co_await send(std::move(context), std::move(request));
    RP_CO_TRY(const std::string id, understand<std::string>(response, read_message_id));
    if (id == expected) { co_return Result<void>(); }
    co_return failure(ErrorKind::unknown_outcome, "unreadable-answer",
                      "the message is " + id + ", not " + expected);
}

Task<Result<void>> PipelineClient::ingest(Context context, std::string key, std::string data) {
    JsonWriter body;
    body.begin_object();
    body.member("source", "rushproof");
    body.member("data", data);
    body.begin_object("metadata");
    body.member("key", key);
    body.end_object();
    body.end_object();
    return accept(std::move(context), HttpRequest("POST", "/api/v1/ingest", std::move(body).text()),
                  {});
}

Task<Result<void>> PipelineClient::reserve(Context context, std::string sku,
                                           std::int64_t quantity) {
    JsonWriter body;
    body.begin_object();
    body.member("sku", sku);
    body.member("quantity", quantity);
    body.end_object();
    HttpRequest request("POST", "/api/v1/reservations", std::move(body).text());
    request.fields.emplace_back("prefer", "respond-async");
    return accept(std::move(context), std::move(request), reserve_kind);
}

Task<Result<MessageAnswer>> PipelineClient::outcome(Context context, std::string message) {
    HttpRequest request = get("/api/v1/messages/" + path_segment(message));
    request.fields.emplace_back("x-owner", context.principal);
    const auto response = co_await send(std::move(context), std::move(request));
    co_return understand<MessageAnswer>(response, read_message);
}

Task<Result<std::vector<ProcessedRow>>> PipelineClient::processed(Context context,
                                                                  std::int64_t after,
                                                                  std::int64_t limit) {
    HttpRequest request = page("/api/v1/admin/processed", std::to_string(after), limit);
    const auto response = co_await send(std::move(context), std::move(request));
    co_return understand<std::vector<ProcessedRow>>(response,
                                                    read_rows<ProcessedRow, processed_in>);
}

Task<Result<std::vector<DeadRow>>> PipelineClient::dead_letters(Context context, std::string after,
                                                                std::int64_t limit) {
    HttpRequest request = page("/api/v1/admin/dead-letters", std::move(after), limit);
    const auto response = co_await send(std::move(context), std::move(request));
    co_return understand<std::vector<DeadRow>>(response, read_rows<DeadRow, dead_in>);
}

Task<Result<std::vector<DivergenceRow>>> PipelineClient::divergences(Context context,
                                                                     std::string after,
                                                                     std::int64_t limit) {
    HttpRequest request = page("/api/v1/admin/divergences", std::move(after), limit);
    const auto response = co_await send(std::move(context), std::move(request));
    co_return understand<std::vector<DivergenceRow>>(response,
                                                     read_rows<DivergenceRow, divergence_in>);
}

Task<Result<QueueAnswer>> PipelineClient::queue(Context context) {
    const auto response = co_await send(std::move(context), get("/api/v1/admin/queue"));
    co_return understand<QueueAnswer>(response, read_queue);
}

Task<Result<void>> PipelineClient::switch_queue(Context context, std::string to, Duration within) {
    JsonWriter body;
    body.begin_object();
    body.member("to", to);
    body.member("within_ms", std::chrono::floor<std::chrono::milliseconds>(within).count());
    body.end_object();
    HttpRequest request("POST", "/api/v1/admin/queue", std::move(body).text());
    request.fields.emplace_back("content-type", "application/json");
    const auto response = co_await send(std::move(context), std::move(request));
    RP_CO_CHECK(understand<bool>(response, read_nothing));
    co_return Result<void>();
}

}  // namespace rushproof::simulator
