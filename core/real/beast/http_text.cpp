#include "core/real/beast/http_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "core/runtime/context_text.hpp"
#include "core/runtime/problem.hpp"

namespace rushproof {

std::string_view status_reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Status";
    }
}

std::string http_date(WallTime at) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += "\r\n";
    out += name;
    out += ": ";
    const auto begin = out.insert(out.end(), value.begin(), value.end());
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    };
    std::replace_if(begin, out.end(), is_control, ' ');
}

std::string target_of(const HttpRequest& request) {
    std::string target;
    for (const char c : request.target) {
        if (c > ' ' && c < 0x7F) {
            target += c;
        } else {
            target += percent_encoded(std::string_view(&c, 1));
        }
    }
    char separator = '?';
    for (const auto& [name, value] : request.queries) {
        target += separator;
        target += percent_encoded(name);
        target += '=';
        target += percent_encoded(value);
        separator = '&';
    }
    return target;
}

HttpResponse later(HttpResponse response, Duration wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    response.fields.emplace_back("retry-after", std::to_string(std::max<std::int64_t>(seconds, 1)));
    return response;
}

HttpResponse refusal_for(int status) {
    switch (status) {
        case 408: return problem(408, "too-slow", "the request did not arrive in time");
        case 413: return problem(413, "body-too-large", "");
        case 417: return problem(417, "unknown-expectation", "only 100-continue is understood");
        case 431: return problem(431, "header-too-large", "");
        case 501: return problem(501, "unknown-coding", "only chunked is understood");
        case 503: return later(problem(503, "overloaded", "too many connections"), Duration(1));
        default: return problem(400, "malformed", "this is not a valid HTTP request");
    }
}

}  // namespace rushproof
