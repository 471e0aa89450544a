// What administrators ask and change.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {

class Admin {
public:
    // Both outlive it.
    Admin(Environment& environment, const Options& options)
        : environment_(environment), options_(options) {}

    // The handlers refer to this object.  Whoever may not is answered 401 or 403.
    std::vector<HttpRoute> routes();

private:
    using Answer = Task<HttpResponse>;
    using Use = Answer (Admin::*)(Context, HttpRequest);

    HttpRoute route(std::string method, std::string path, Use use);
    Answer guard(Use use, Context context, HttpRequest request);
    Answer queue(Context context, HttpRequest request);
    Answer switch_queue(Context context, HttpRequest request);
    Answer ask_queue(Context context, int status, std::string_view method, std::string request);
    Answer workers(Context context, HttpRequest request);
    Answer change_workers(Context context, HttpRequest request);
    Answer ask_workers(Context context, std::int64_t workers);
    Answer processed(Context context, HttpRequest request);
    Answer dead_letters(Context context, HttpRequest request);
    Answer divergences(Context context, HttpRequest request);
    Answer repair(Context context, HttpRequest request);
    Answer replay(Context context, HttpRequest request);

    // Of the processor that the query names, by its number from 0.
    Task<Result<std::string>> ask(Context context, const HttpRequest& request,
                                  std::string_view method, std::string bytes);

    Environment& environment_;
    const Options& options_;
};

// Takes as long for every text that is as long as the secret.
bool same_secret(std::string_view given, std::string_view secret);

}  // namespace rushproof::gateway
