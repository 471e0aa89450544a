// Finds the handler of a request by method and path.  Hosts mount the routes of every role here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/http.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

class HttpRouter {
public:
    // Logs what handlers throw; `telemetry` must outlive the router.
    explicit HttpRouter(Telemetry& telemetry) : telemetry_(telemetry) {}

    // A pattern is literal segments and {parameters}.  When several match, the first added wins.
    void add(std::vector<HttpRoute> routes);

    // `request.target` is as it came, with its query: it is split and percent-decoded here.  Always
    // answers: 400 for a malformed target, 404, 405 with Allow, 500 when the handler throws.
    Task<HttpResponse> answer(Context context, HttpRequest request) const;

private:
    struct Segment {
        std::string text;
        bool is_parameter;
    };
    struct Route {
        std::string method;
        std::vector<Segment> segments;
        HttpHandler handler;
    };
    using Path = std::vector<std::string_view>;

    static bool matches(const Route& route, const Path& path);
    HttpResponse refuse(const HttpRequest& request, const Path& path) const;

    Telemetry& telemetry_;
    std::vector<Route> routes_;
};

// The same answer with what it would stream in its body, for whoever takes an answer as a whole.
Task<HttpResponse> whole(HttpResponse response);

}  // namespace rushproof
