#include "core/real/beast/rpc_http.hpp"

#include <chrono>
#include <utility>

#include "core/base/hash.hpp"
#include "core/real/beast/http2_client.hpp"
#include "core/real/beast/http_connection_pool.hpp"
#include "core/runtime/context_text.hpp"
#include "core/runtime/problem.hpp"

namespace rushproof {

namespace {

constexpr Duration ask_for_http2_again = std::chrono::minutes(1);
constexpr std::string_view message_type = "application/x-protobuf";

// What another status than 200 says about the call: these were refused before anything was done.
Error error_of(const HttpResponse& response) {
    const std::string message = "the server answered " + std::to_string(response.status);
    if (response.status == 503 || response.status == 429 || response.status == 408) {
        return Error(ErrorKind::retryable, "unavailable", message);
    }
    if (response.status == 413) {
        return Error(ErrorKind::permanent, "too-large", "the request is too large for the server");
    }
    if (response.status >= 400 && response.status < 500) {
        return Error(ErrorKind::permanent, "refused", message);
    }
    return Error(ErrorKind::unknown_outcome, "connection-lost", message);
}

Task<HttpResponse> answer(const RpcRouter& router, Context context, HttpRequest request) {
    if (request.method != "POST" || !request.target.starts_with(rpc_path)) {
        co_return problem(404, "no-such-route", "only POST /rpc/<method> is here");
    }
    auto key = percent_decoded(request.field("idempotency-key"));
    auto principal = percent_decoded(request.field("x-owner"));
    auto position = percent_decoded(request.field("rushproof-position"));
    if (!key || !principal || !position) {
        co_return problem(400, "malformed", "a field has a bad percent-encoding");
    }
    context.idempotency_key = *std::move(key);
    context.principal = *std::move(principal);
    context.position = *std::move(position);
    const std::string method = request.target.substr(rpc_path.size());
    const auto result = co_await router.answer(std::move(context), method, std::move(request.body));
    co_return HttpResponse(200, encode_answer(result), std::string(message_type));
}

}  // namespace

HttpHandler rpc_handler(const RpcRouter& router) {
    return [&router](Context context, HttpRequest request) {
        return answer(router, std::move(context), std::move(request));
    };
}

struct HttpRpc::Instance {
    Instance(const asio::any_io_executor& executor, Clock& clock, const HttpEndpoint& endpoint)
        : http2(executor, clock, endpoint), http1(executor, clock, endpoint, pool_options()) {}

    static HttpPoolOptions pool_options() {
        HttpPoolOptions options;
        options.pass_deadline = true;
        return options;
    }

    Http2Client http2;
    HttpConnectionPool http1;
    MonotonicTime http1_until{};
};

HttpRpc::HttpRpc(asio::any_io_executor executor, Clock& clock,
                 const std::map<std::string, std::vector<HttpEndpoint>>& endpoints)
    : clock_(clock) {
    for (const auto& [role, its_endpoints] : endpoints) {
        for (const HttpEndpoint& endpoint : its_endpoints) {
            instances_[role].push_back(std::make_unique<Instance>(executor, clock, endpoint));
        }
    }
}

HttpRpc::~HttpRpc() = default;

Task<Result<HttpResponse>> HttpRpc::send(Instance& to, const Context& context,
                                         const HttpRequest& message) {
    if (clock_.monotonic() >= to.http1_until) {
        auto sent = co_await to.http2.send(context, message);
        if (sent || sent.error().code() != no_http2) { co_return sent; }
        to.http1_until = clock_.monotonic() + ask_for_http2_again;
    }
    co_return co_await to.http1.send(context, message);
}

Task<Result<std::string>> HttpRpc::call(Context context, RpcTarget target, std::string request) {
    std::string role(target.method.substr(0, target.method.find('.')));
    if (target.group > 1) { role += "/" + std::to_string(target.group); }
    const auto found = instances_.find(role);
    if (found == instances_.end()) {
        co_return failure(ErrorKind::retryable, "unavailable",
                          "nobody answers " + std::string(target.method));
    }
    const auto& instances = found->second;
    HttpRequest message("POST", std::string(rpc_path) + std::string(target.method),
                        std::move(request));
    message.fields.emplace_back("content-type", message_type);
    if (!context.idempotency_key.empty()) {
        message.fields.emplace_back("idempotency-key", percent_encoded(context.idempotency_key));
    }
    if (!context.principal.empty()) {
        message.fields.emplace_back("x-owner", percent_encoded(context.principal));
    }
    if (!context.position.empty()) {
        message.fields.emplace_back("rushproof-position", percent_encoded(context.position));
    }
    const std::uint64_t first = hash64(target.shard);
    for (std::size_t attempt = 0;; ++attempt) {
        Instance& instance = *instances[(first + attempt) % instances.size()];
        auto sent = co_await send(instance, context, message);
        Result<std::string> result = failure(ErrorKind::unknown_outcome, "", "");
        if (!sent) {
            result = failure(std::move(sent).error());
        } else if (sent->status == 200) {
            result = decode_answer(std::move(sent->body));
        } else {
            result = failure(error_of(*sent));
        }
        const bool ask_next = !result && result.error().kind() == ErrorKind::retryable &&
                              result.error().code() == "unavailable" &&
                              attempt + 1 < instances.size();
        if (!ask_next) { co_return result; }
    }
}

}  // namespace rushproof
