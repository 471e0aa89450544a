#include "core/runtime/http_router.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "core/runtime/problem.hpp"

namespace rushproof {

namespace {

enum class Plus : std::uint8_t { literal, space };

std::optional<unsigned char> hex_digit(char c) {
    if (c >= '0' && c <= '9') { return static_cast<unsigned char>(c - '0'); }
    if (c >= 'a' && c <= 'f') { return static_cast<unsigned char>(c - 'a' + 10); }
    if (c >= 'A' && c <= 'F') { return static_cast<unsigned char>(c - 'A' + 10); }
    return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size()) { return std::nullopt; }
            const auto high = hex_digit(text[i + 1]);
            const auto low = hex_digit(text[i + 2]);
            if (!high || !low) { return std::nullopt; }
            decoded += static_cast<char>(*high * 16 + *low);
            i += 2;
        } else {
            decoded += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
        }
    }
    return decoded;
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
        auto name = percent_decode(part.substr(0, equals), Plus::space);
        auto value = equals == std::string_view::npos
                         ? std::string()
                         : percent_decode(part.substr(equals + 1), Plus::space);
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
        auto value = percent_decode(path[i], Plus::literal);
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

}  // namespace rushproof
