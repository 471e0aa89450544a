// HTTP as values: what a route handler sees and answers, and what a client sends.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// Field names are lower case.  The server passes on only the fields that handlers ask about
// (http_fields_passed_on); everything else stays in the connection's buffer.
using HttpFields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view http_fields_passed_on[] = {
    "idempotency-key", "content-type", "accept",   "authorization",      "prefer",
    "traceparent",     "x-owner",      "if-match", "rushproof-position",
};

class HttpRequest {
public:
    HttpRequest() = default;
    HttpRequest(std::string request_method, std::string request_target,
                std::string request_body = {})
        : method(std::move(request_method)),
          target(std::move(request_target)),
          body(std::move(request_body)) {}

    // Empty when absent.
    std::string_view field(std::string_view name) const;
    std::string_view parameter(std::string_view name) const;  // "{sku}" of the route, decoded
    std::string_view query(std::string_view name) const;      // "?limit=20", decoded

    std::string method;  // upper case
    std::string target;  // path without query
    std::string body;
    HttpFields fields;
    HttpFields parameters;
    HttpFields queries;
};

class HttpResponse {
public:
    HttpResponse() = default;
    explicit HttpResponse(int response_status, std::string response_body = {},
                          std::string response_type = "application/json")
        : status(response_status),
          body(std::move(response_body)),
          content_type(std::move(response_type)) {}

    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    HttpFields fields;
    // What follows the body, piece by piece, until an empty one.  Asked for one at a time, for as
    // long as the client listens and the server does not stop: a piece comes within a second or so.
    std::function<Task<std::string>()> stream;
};

using HttpHandler = std::function<Task<HttpResponse>(Context, HttpRequest)>;

struct HttpRoute {
    std::string method;   // "POST"
    std::string pattern;  // "/api/v1/reservations/{id}/confirm"
    HttpHandler handler;
};

class HttpClient {
public:
    virtual ~HttpClient() = default;
    // Any HTTP status is a value.  Errors: "unavailable" (retryable: nothing was sent),
    // "connection-lost" and "deadline-exceeded" (unknown outcome).
    virtual Task<Result<HttpResponse>> send(Context context, HttpRequest request) = 0;
};

}  // namespace rushproof
