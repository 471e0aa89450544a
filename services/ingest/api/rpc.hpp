// ingest.v1 and diplom.v1.IngestService on the wire.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/protocol/diplom.pb.h"
#include "core/protocol/ingest.pb.h"
#include "core/runtime/rpc_calls.hpp"
#include "services/ingest/app/application.hpp"

namespace rushproof::ingest {

class Api {
public:
    // Calls under way count as visits to `scope`.
    // `instances` of this role are in the process.
    Api(Environment& environment, Scope& scope, Application& application, Route& route,
        std::uint32_t instances);

    // The handlers refer to this object.
    std::vector<RpcMethod> methods();

    // From now on every new call is refused, retryably.
    void close();

    // Of all instances of the process.
    Task<Result<::ingest::v1::Stats>> stats(Context context);

private:
    using Answer = RpcCalls::Answer;

    Answer ingest(Context context, ::ingest::v1::IngestRequest request);
    Answer ingest_public(Context context, ::diplom::v1::IngestRequest request);
    Answer get_stats(Context context, ::ingest::v1::StatsRequest request);

    Task<::ingest::v1::Stats> own_stats(Context context);

    Environment& environment_;
    Application& application_;
    Route& route_;
    RpcCalls calls_;
    RpcCalls public_calls_;
    std::uint32_t instances_;
    std::string instance_;
};

}  // namespace rushproof::ingest
