// What clients ask of the pipeline: to take messages and reservations, and how it is.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "core/protocol/ingest.pb.h"
#include "core/protocol/processor.pb.h"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {

class Pipeline {
public:
    // Both outlive it.
    Pipeline(Environment& environment, const Options& options)
        : environment_(environment), options_(options) {}

    // The handlers refer to this object.
    std::vector<HttpRoute> routes();

    // Does the client want a reservation that is made later?
    static bool prefers_later(const HttpRequest& request);
    // A request for a reservation, as a message.
    Task<HttpResponse> reserve_later(Context context, HttpRequest request);

    // Does every instance say that it is well?
    Task<bool> healthy(Context context);

private:
    Task<HttpResponse> ingest(Context context, HttpRequest request);
    Task<HttpResponse> status(Context context, HttpRequest request);
    Task<Result<std::string>> accept(Context context, ::ingest::v1::IngestRequest request);
    Task<::ingest::v1::Stats> ingest_stats(Context context);
    Task<::processor::v1::Stats> processor_stats(Context context);

    Environment& environment_;
    const Options& options_;
};

}  // namespace rushproof::gateway
