#include "services/gateway/gateway.hpp"

#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/problem.hpp"
#include "core/runtime/scope.hpp"
#include "services/gateway/api/admin.hpp"
#include "services/gateway/api/forwards.hpp"
#include "services/gateway/api/messages.hpp"
#include "services/gateway/api/openapi.hpp"
#include "services/gateway/api/pipeline.hpp"
#include "services/gateway/app/forward.hpp"
#include "services/gateway/app/sharding.hpp"

namespace rushproof::gateway {

namespace {

class Gateway final : public Service {
public:
    Gateway(Environment& environment, const Options& options)
        : environment_(environment),
          options_(options),
          scope_(environment.spawner),
          pipeline_(environment, options_),
          messages_(environment, options_),
          admin_(environment, options_) {
        for (std::uint32_t shard = 1; shard <= options_.shards; ++shard) {
            calls_.push_back(&environment.telemetry.counter("gateway_calls_total",
                                                            "Calls to the shards of inventory",
                                                            {{"shard", std::to_string(shard)}}));
        }
    }

    std::vector<HttpRoute> http_routes() override {
        std::vector<HttpRoute> routes;
        add(routes, inventory_forwards());
        add(routes, catalog_forwards());
        add_guarded(routes, pipeline_.routes());
        add_guarded(routes, messages_.routes());
        add_guarded(routes, admin_.routes());
        routes.push_back({"GET", "/health", [this](Context context, HttpRequest) {
                              return health(std::move(context));
                          }});
        routes.push_back({"GET", "/openapi.json", [](Context, HttpRequest) -> Task<HttpResponse> {
                              co_return HttpResponse(200, std::string(openapi_json));
                          }});
        return routes;
    }

    Task<void> stop() override {
        open_ = false;
        co_await scope_.join();
    }

    // Reads of each shard the stock of a SKU that hardly exists: to know that, inventory must ask
    // its database, and the primary, which takes the writes.
    Task<bool> ready(Context context) override {
        context.position = latest_position;
        if (!co_await pipeline_.healthy(context)) { co_return false; }
        if (!options_.inventory) { co_return true; }
        for (std::uint32_t shard = 1; shard <= options_.shards; ++shard) {
            ::inventory::v1::StockRequest message;
            message.set_sku(probe_of(shard, options_.shards));
            const RpcTarget target{"inventory.v1.Inventory/GetStock", message.sku(), shard};
            const auto answer =
                co_await environment_.rpc.call(context, target, message.SerializeAsString());
            const bool answers = answer || (answer.error().kind() == ErrorKind::permanent &&
                                            answer.error().code() != "wrong-shard");
            if (!answers) { co_return false; }
        }
        co_return true;
    }

private:
    void add(std::vector<HttpRoute>& routes, const std::vector<Forward>& forwards) {
        for (const Forward& forward : forwards) {
            routes.push_back({std::string(forward.http_method), std::string(forward.pattern),
                              [this, &forward](Context context, HttpRequest request) {
                                  return serve(forward, std::move(context), std::move(request));
                              }});
        }
    }

    void add_guarded(std::vector<HttpRoute>& routes, std::vector<HttpRoute> own) {
        for (HttpRoute& route : own) {
            HttpHandler guarded = [this, handler = std::move(route.handler)](Context context,
                                                                             HttpRequest request) {
                return guard(handler, std::move(context), std::move(request));
            };
            routes.push_back(
                {std::move(route.method), std::move(route.pattern), std::move(guarded)});
        }
    }

    Task<HttpResponse> guard(const HttpHandler& handler, Context context, HttpRequest request) {
        if (!open_) { co_return stopping(); }
        const Scope::Visit visit = scope_.visit();
        co_return co_await handler(std::move(context), std::move(request));
    }

    static HttpResponse stopping() {
        return problem(Error(ErrorKind::retryable, "stopping", "gateway is stopping"));
    }

    Task<HttpResponse> health(Context context) {
        bool healthy = open_;
        if (healthy) { healthy = co_await ready(std::move(context)); }
        co_return HttpResponse(healthy ? 200 : 503,
                               healthy ? R"({"healthy":true})" : R"({"healthy":false})");
    }

    Task<HttpResponse> serve(const Forward& forward, Context context, HttpRequest request) {
        if (!open_) { co_return stopping(); }
        const Scope::Visit visit = scope_.visit();
        if (forward.may_come_later && Pipeline::prefers_later(request)) {
            co_return co_await pipeline_.reserve_later(std::move(context), std::move(request));
        }
        auto call = call_for(forward, options_, environment_.clock.monotonic(), std::move(context),
                             request);
        if (!call) { co_return problem(call.error()); }
        const auto shards = shards_for(forward, call->outgoing, options_.shards);
        if (!shards) { co_return problem(shards.error()); }
        if (shards->size() > 1) {
            const auto merged = co_await ask_all(forward, *call, *shards);
            co_return answer_with(forward, merged);
        }
        if (forward.reach != Reach::products) { calls_[shards->front() - 1]->add(); }
        const RpcTarget target = call->target(shards->front());
        const std::string seen = call->context.position;
        const auto answer = co_await environment_.rpc.call(std::move(call->context), target,
                                                           std::move(call->outgoing.message));
        HttpResponse response = answer_with(forward, answer);
        keep_positions(seen, response);
        co_return response;
    }

    // One after the other: a list is no hot path.
    Task<Result<std::string>> ask_all(const Forward& forward, const Call& call,
                                      const std::vector<std::uint32_t>& shards) {
        std::vector<std::string> pages;
        for (const std::uint32_t shard : shards) {
            calls_[shard - 1]->add();
            RP_CO_TRY(std::string page,
                      co_await environment_.rpc.call(call.context, call.target(shard),
                                                     call.outgoing.message));
            pages.push_back(std::move(page));
        }
        co_return merge_pages(forward.reach, call.outgoing.message, pages);
    }

    Environment& environment_;
    Options options_;
    Scope scope_;
    Pipeline pipeline_;
    Messages messages_;
    Admin admin_;
    std::vector<Counter*> calls_;  // by shard
    bool open_ = true;
};

}  // namespace

std::unique_ptr<Service> make_gateway(Environment& environment, Options options) {
    return std::make_unique<Gateway>(environment, options);
}

}  // namespace rushproof::gateway
