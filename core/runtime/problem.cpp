#include "core/runtime/problem.hpp"

#include <array>
#include <utility>

#include "core/runtime/json.hpp"

namespace rushproof {

namespace {

struct CodeStatus {
    std::string_view code;
    int status;
};

constexpr std::array caller_mistakes{
    CodeStatus{"malformed", 400},
    CodeStatus{"missing-header", 400},
    CodeStatus{"not-found", 404},
    CodeStatus{"not-processed", 404},
    CodeStatus{"too-large", 413},
    CodeStatus{"insufficient-stock", 409},
    CodeStatus{"conflict", 409},
    CodeStatus{"not-held", 409},
    CodeStatus{"switch-under-way", 409},
    CodeStatus{"already-there", 409},
    CodeStatus{"invalid", 422},
    CodeStatus{"key-reused", 422},
    CodeStatus{"precondition-failed", 412},
    CodeStatus{"precondition-required", 428},
    CodeStatus{"wrong-shard", 421},
    CodeStatus{"spans-shards", 422},
};

std::string_view title(int status) {
    switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Error";
    }
}

// `kind` is left out when empty.
HttpResponse answer(int status, std::string_view kind, std::string_view code,
                    std::string_view detail) {
    JsonWriter json;
    json.begin_object();
    json.member("title", title(status));
    json.member("status", status);
    json.member("code", code);
    if (!kind.empty()) { json.member("kind", kind); }
    if (!detail.empty()) { json.member("detail", detail); }
    json.end_object();
    return HttpResponse(status, std::move(json).text(), "application/problem+json");
}

}  // namespace

HttpResponse problem(int status, std::string_view code, std::string_view detail) {
    return answer(status, {}, code, detail);
}

HttpResponse problem(const Error& error) {
    const std::string_view kind = to_string(error.kind());
    switch (error.kind()) {
        case ErrorKind::retryable: {
            HttpResponse response = answer(503, kind, error.code(), error.message());
            response.fields.emplace_back("retry-after", "1");
            return response;
        }
        case ErrorKind::unknown_outcome: return answer(504, kind, error.code(), error.message());
        case ErrorKind::permanent: break;
    }
    for (const CodeStatus& known : caller_mistakes) {
        if (known.code == error.code()) {
            return answer(known.status, kind, error.code(), error.message());
        }
    }
    return answer(500, kind, "internal", {});
}

}  // namespace rushproof
