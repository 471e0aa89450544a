#include "core/runtime/http_router.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "core/runtime/context_text.hpp"
#include "core/runtime/problem.hpp"

namespace rushproof {

namespace {

// In a query a plus stands for a blank.
std::optional<std::string> query_decoded(std::string_view text) {
    std::string blanks(text);
    std::ranges::replace(blanks, '+', ' ');
    return percent_decoded(blanks);
}

// The parts between separators: one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    parts.reserve(8);
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) { return parts; }
        text.remove_prefix(end + 1);
    }
}

std::optional<HttpFields> parse_queries(std::string_view query) {
    HttpFields queries;
    if (query.empty()) { return queries; }
    for (const std::string_view part : split(query, '&')) {
        const std::size_t equals = part.find('=');
        auto name = query_decoded(part.substr(0, equals));
        auto value = equals == std::string_view::npos ? std::string()
                                                      : query_decoded(part.substr(equals + 1));
        if (!name || !value) { return std::nullopt; }
        queries.emplace_back(*std::move(name), *std::move(value));
    }
    return queries;
}

std::string_view without_slash(std::string_view path) {
    return path.substr(path.starts_with('/') ? 1 : 0);
}

}  // namespace

void HttpRouter::add(std::vector<HttpRoute> routes) {
    for (HttpRoute& added : routes) {
        Route route{std::move(added.method), {}, std::move(added.handler)};
        for (const std::string_view segment : split(without_slash(added.pattern), '/')) {
            const bool is_parameter = segment.starts_with('{') && segment.ends_with('}');
            const std::string_view text =
                is_parameter ? segment.substr(1, segment.size() - 2) : segment;
            route.segments.push_back({std::string(text), is_parameter});
        }
        routes_.push_back(std::move(route));
    }
}

Task<HttpResponse> HttpRouter::answer(Context context, HttpRequest request) const {
    const std::string target = std::move(request.target);
    const std::size_t question = target.find('?');
    request.target = target.substr(0, question);

    const Path path = split(without_slash(std::string_view(target).substr(0, question)), '/');
    const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
        return route.method == request.method && matches(route, path);
    });
    if (found == routes_.end()) { co_return refuse(request, path); }

    for (std::size_t i = 0; i < path.size(); ++i) {
        if (!found->segments[i].is_parameter) { continue; }
        auto value = percent_decoded(path[i]);
        if (!value) { co_return problem(400, "malformed", "the path has a bad percent-encoding"); }
        request.parameters.emplace_back(found->segments[i].text, *std::move(value));
    }
    if (question != std::string::npos) {
        auto queries = parse_queries(std::string_view(target).substr(question + 1));
        if (!queries) {
            co_return problem(400, "malformed", "the query has a bad percent-encoding");
        }
        request.queries = *std::move(queries);
    }
    try {
        co_return co_await found->handler(std::move(context), std::move(request));
    } catch (const std::exception& error) {
        telemetry_.log(LogLevel::error, "a route's handler threw",
                       {{"target", target}, {"what", error.what()}});
    }
    co_return problem(500, "internal", "");
}

bool HttpRouter::matches(const Route& route, const Path& path) {
    return route.segments.size() == path.size() &&
           std::equal(path.begin(), path.end(), route.segments.begin(),
                      [](std::string_view part, const Segment& segment) {
                          return segment.is_parameter ? !part.empty() : part == segment.text;
                      });
}

HttpResponse HttpRouter::refuse(const HttpRequest& request, const Path& path) const {
    std::string allowed;
    for (const Route& route : routes_) {
        if (!matches(route, path)) { continue; }
        if (!allowed.empty()) { allowed += ", "; }
        allowed += route.method;
    }
    if (allowed.empty()) { return problem(404, "no-such-route", "nothing at " + request.target); }
    HttpResponse response =
        problem(405, "method-not-allowed", request.target + " allows " + allowed);
    response.fields.emplace_back("allow", std::move(allowed));
    return response;
}

Task<HttpResponse> whole(HttpResponse response) {
    while (response.stream) {
        const std::string piece = co_await response.stream();
        if (piece.empty()) { response.stream = nullptr; }
        response.body += piece;
    }
    co_return response;
}

}  // namespace rushproof
