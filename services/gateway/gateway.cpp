#include "services/gateway/gateway.hpp"

#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/problem.hpp"
#include "core/runtime/scope.hpp"
#include "services/gateway/api/forwards.hpp"
#include "services/gateway/api/openapi.hpp"
#include "services/gateway/app/forward.hpp"

namespace rushproof::gateway {

namespace {

class Gateway final : public Service {
public:
    Gateway(Environment& environment, const Options& options)
        : environment_(environment), options_(options), scope_(environment.spawner) {}

    std::vector<HttpRoute> http_routes() override {
        std::vector<HttpRoute> routes;
        for (const Forward& forward : forwards()) {
            routes.push_back({std::string(forward.http_method), std::string(forward.pattern),
                              [this, &forward](Context context, HttpRequest request) {
                                  return serve(forward, std::move(context), std::move(request));
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
    Task<HttpResponse> serve(const Forward& forward, Context context, HttpRequest request) {
        if (!open_) {
            co_return problem(Error(ErrorKind::retryable, "stopping", "gateway is stopping"));
        }
        const Scope::Visit visit = scope_.visit();
        auto call = call_for(forward, options_, environment_.clock.monotonic(), std::move(context),
                             request);
        if (!call) { co_return problem(call.error()); }
        const auto answer = co_await environment_.rpc.call(std::move(call->context), call->target(),
                                                           std::move(call->outgoing.message));
        co_return answer_with(forward, answer);
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
