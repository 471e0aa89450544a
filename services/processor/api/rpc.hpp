// processor.v1 on the wire: checks what comes in, calls the use cases, writes what goes out.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/protocol/processor.pb.h"
#include "core/runtime/rpc_calls.hpp"
#include "services/processor/app/messages.hpp"
#include "services/processor/app/pool.hpp"
#include "services/processor/app/routing.hpp"

namespace rushproof::processor {

namespace wire = ::processor::v1;

class Api {
public:
    struct Parts {
        Routing& routing;
        Pool& pool;
        Effects& effects;
        Messages& messages;
        Divergences& divergences;
    };

    // Calls under way count as visits to `scope`.
    // `instances` of this role are in the process.
    Api(Environment& environment, Scope& scope, Parts parts, std::uint32_t instances);

    // The handlers refer to this object.
    std::vector<RpcMethod> methods();

    // From now on every new call is refused, retryably.
    void close() { calls_.close(); }

    // Of all instances of the process.
    Task<Result<wire::Stats>> stats(Context context);

private:
    using Answer = RpcCalls::Answer;
    template <class Request>
    using Handler = Answer (Api::*)(Context, Request);

    Answer enqueue(Context context, wire::Message request);
    Answer lease(Context context, wire::LeaseRequest request);
    Answer switch_queue(Context context, wire::SwitchRequest request);
    Answer get_queue(Context context, wire::QueueRequest request);
    Answer queue_state(Context context);
    Answer get_result(Context context, wire::ResultRequest request);
    Answer list_processed(Context context, wire::ProcessedRequest request);
    Answer list_dead_letters(Context context, wire::DeadLettersRequest request);
    Answer replay_dead_letter(Context context, wire::ReplayRequest request);
    Answer record_divergence(Context context, wire::Divergence request);
    Answer list_divergences(Context context, wire::DivergencesRequest request);
    Answer repair_divergences(Context context, wire::RepairRequest request);
    Answer workers(Context context, wire::WorkersRequest request);
    Answer get_stats(Context context, wire::StatsRequest request);

    Task<wire::Stats> own_stats(Context context);
    Task<Result<wire::WorkersState>> workers_of_all(Context context, wire::WorkersRequest request);

    template <class Request>
    RpcMethod method(std::string_view name, Handler<Request> handler);

    Environment& environment_;
    Parts parts_;
    RpcCalls calls_;
    std::uint32_t instances_;
    std::string instance_;
};

}  // namespace rushproof::processor
