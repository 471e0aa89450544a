// What became of messages.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "core/protocol/processor.pb.h"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {

class Messages {
public:
    // Both outlive it.
    Messages(Environment& environment, const Options& options)
        : environment_(environment), options_(options) {}

    // The handlers, and the streams that they answer with, refer to this object.
    std::vector<HttpRoute> routes();

private:
    using Outcome = ::processor::v1::Outcome;

    Task<HttpResponse> get(Context context, HttpRequest request);
    Task<HttpResponse> events(Context context, HttpRequest request);
    // Of any processor, which waits for it up to `wait`.
    Task<Result<Outcome>> outcome_of(Context context, std::string id, Duration wait);
    // The next piece of a stream of events.
    Task<std::string> next_event(std::string id, MonotonicTime until);

    Environment& environment_;
    const Options& options_;
};

}  // namespace rushproof::gateway
