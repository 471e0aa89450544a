#include "services/ingest/api/rpc.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/shard.hpp"
#include "core/runtime/uuid.hpp"

namespace rushproof::ingest {

namespace {

template <class Wire>
Request request_in(Wire& wire) {
    Request request;
    request.source = std::move(*wire.mutable_source());
    request.data = std::move(*wire.mutable_data());
    // Protobuf's maps have no order; a message's body shall be the same for the same request.
    for (const auto& [name, value] : wire.metadata()) {
        request.metadata.emplace_back(name, value);
    }
    std::sort(request.metadata.begin(), request.metadata.end());
    return request;
}

}  // namespace

Api::Api(Environment& environment, Scope& scope, Application& application, Route& route,
         std::uint32_t instances)
    : environment_(environment),
      application_(application),
      route_(route),
      calls_(environment, scope, "ingest.v1.Ingest"),
      public_calls_(environment, scope, "diplom.v1.IngestService"),
      instances_(instances),
      instance_(uuid_v4(environment.random)) {}

std::vector<RpcMethod> Api::methods() {
    std::vector<RpcMethod> methods;
    methods.push_back(calls_.method<::ingest::v1::IngestRequest>(
        "Ingest", [this](Context context, ::ingest::v1::IngestRequest request) {
            return ingest(std::move(context), std::move(request));
        }));
    methods.push_back(calls_.method<::ingest::v1::StatsRequest>(
        "GetStats", [this](Context context, ::ingest::v1::StatsRequest request) {
            return get_stats(std::move(context), std::move(request));
        }));
    methods.push_back(public_calls_.method<::diplom::v1::IngestRequest>(
        "Ingest", [this](Context context, ::diplom::v1::IngestRequest request) {
            return ingest_public(std::move(context), std::move(request));
        }));
    // The same for each message of a stream.
    methods.push_back(public_calls_.method<::diplom::v1::IngestRequest>(
        "IngestStream", [this](Context context, ::diplom::v1::IngestRequest request) {
            return ingest_public(std::move(context), std::move(request));
        }));
    return methods;
}

void Api::close() {
    calls_.close();
    public_calls_.close();
}

Api::Answer Api::ingest(Context context, ::ingest::v1::IngestRequest wire) {
    Request request = request_in(wire);
    request.kind = std::move(*wire.mutable_kind());
    request.key = std::move(*wire.mutable_key());
    RP_CO_TRY(std::string id, co_await application_.accept(std::move(context), std::move(request)));
    ::ingest::v1::IngestResponse response;
    response.set_message_id(std::move(id));
    co_return response.SerializeAsString();
}

Api::Answer Api::ingest_public(Context context, ::diplom::v1::IngestRequest wire) {
    RP_CO_TRY(std::string id, co_await application_.accept(std::move(context), request_in(wire)));
    ::diplom::v1::IngestResponse response;
    response.set_message_id(std::move(id));
    response.set_status("accepted");
    co_return response.SerializeAsString();
}

Api::Answer Api::get_stats(Context context, ::ingest::v1::StatsRequest request) {
    if (request.alone()) {
        const auto own = co_await own_stats(std::move(context));
        co_return own.SerializeAsString();
    }
    RP_CO_TRY(const auto all, co_await stats(std::move(context)));
    co_return all.SerializeAsString();
}

Task<Result<::ingest::v1::Stats>> Api::stats(Context context) {
    if (instances_ == 1) { co_return co_await own_stats(std::move(context)); }
    ::ingest::v1::StatsRequest request;
    request.set_alone(true);
    ::ingest::v1::Stats sum;
    sum.set_healthy(true);
    for (std::uint32_t i = 0; i < instances_; ++i) {
        const std::string probe = instance_probe(i, instances_);
        const RpcTarget target{"ingest.v1.Ingest/GetStats", probe};
        RP_CO_TRY(const std::string answer,
                  co_await environment_.rpc.call(context, target, request.SerializeAsString()));
        ::ingest::v1::Stats stats;
        stats.ParseFromString(answer);
        sum.set_total_received(sum.total_received() + stats.total_received());
        sum.set_total_sent(sum.total_sent() + stats.total_sent());
        sum.set_total_failed(sum.total_failed() + stats.total_failed());
        sum.set_healthy(sum.healthy() && stats.healthy());
    }
    sum.set_instance(instance_);
    co_return sum;
}

Task<::ingest::v1::Stats> Api::own_stats(Context context) {
    ::ingest::v1::Stats stats;
    stats.set_instance(instance_);
    stats.set_healthy(co_await route_.healthy(std::move(context)));
    stats.set_total_received(application_.totals().received);
    stats.set_total_sent(application_.totals().sent);
    stats.set_total_failed(application_.totals().failed);
    co_return stats;
}

}  // namespace rushproof::ingest
