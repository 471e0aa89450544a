#include "services/gateway/gateway.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/problem.hpp"
#include "core/runtime/scope.hpp"
#include "services/gateway/api/openapi.hpp"
#include "services/gateway/api/routes.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {

namespace {

class Gateway final : public Service {
public:
    Gateway(Environment& environment, const Options& options)
        : environment_(environment), options_(options), scope_(environment.spawner) {}

    std::vector<HttpRoute> http_routes() override {
        std::vector<HttpRoute> routes;
        for (const Forward& route : forwards()) {
            routes.push_back({std::string(route.http_method), std::string(route.pattern),
                              [this, &route](Context context, HttpRequest request) {
                                  return forward(route, std::move(context), std::move(request));
                              }});
        }
        routes.push_back({"GET", "/openapi.json", [](Context, HttpRequest) -> Task<HttpResponse> {
                              co_return HttpResponse(200, std::string(openapi_json));
                          }});
        return routes;
    }

    Task<void> stop() override {
        open_ = false;
        co_await scope_.join();
    }

    // Reads the stock of a SKU that hardly exists: to know that, inventory must ask its database.
    Task<bool> ready(Context context) override {
        ::inventory::v1::StockRequest message;
        message.set_sku("ready");
        const RpcTarget target{"inventory.v1.Inventory/GetStock", message.sku()};
        const auto answer =
            co_await environment_.rpc.call(std::move(context), target, message.SerializeAsString());
        co_return answer || answer.error().kind() == ErrorKind::permanent;
    }

private:
    Task<HttpResponse> forward(const Forward& route, Context context, HttpRequest request) {
        if (!open_) {
            co_return problem(Error(ErrorKind::retryable, "stopping", "gateway is stopping"));
        }
        const Scope::Visit visit = scope_.visit();
        context.idempotency_key = request.field("idempotency-key");
        if (route.needs_key && context.idempotency_key.empty()) {
            co_return problem(Error(ErrorKind::permanent, "missing-header",
                                    "the header Idempotency-Key is required"));
        }
        const std::string_view owner = request.field("x-owner");
        context.principal = owner.empty() ? "anonymous" : owner;
        auto outgoing = route.read(request);
        if (!outgoing) { co_return problem(outgoing.error()); }
        const RpcTarget target{route.rpc_method, outgoing->shard};
        const auto answer = co_await environment_.rpc.call(callee_context(std::move(context)),
                                                           target, std::move(outgoing->message));
        co_return answer ? route.write(*answer) : problem(answer.error());
    }

    Context callee_context(Context context) const {
        const MonotonicTime now = environment_.clock.monotonic();
        context.deadline = std::min(context.deadline, now + options_.request_timeout);
        context.deadline -= (context.deadline - now) / limits::deadline_parts;
        return context;
    }

    Environment& environment_;
    Options options_;
    Scope scope_;
    bool open_ = true;
};

}  // namespace

std::unique_ptr<Service> make_gateway(Environment& environment, Options options) {
    return std::make_unique<Gateway>(environment, options);
}

}  // namespace rushproof::gateway
