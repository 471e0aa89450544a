#include "services/ingest/ingest.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/scope.hpp"
#include "services/ingest/api/http.hpp"
#include "services/ingest/api/rpc.hpp"
#include "services/ingest/app/application.hpp"

namespace rushproof::ingest {

namespace {

class Ingest final : public Service {
public:
    Ingest(Environment& environment, const Options& options)
        : calls_scope_(environment.spawner),
          scope_(environment.spawner),
          route_(environment, options.queue),
          application_(environment, route_),
          api_(environment, calls_scope_, application_, route_, options.instances),
          http_api_(calls_scope_, application_, api_) {}

    std::vector<HttpRoute> http_routes() override { return http_api_.routes(); }
    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override { scope_.start("ingest.route", route_.run()); }

    Task<void> stop() override {
        http_api_.close();
        api_.close();
        co_await calls_scope_.join();
        scope_.cancel();
        co_await scope_.join();
    }

    Task<bool> ready(Context context) override { return route_.healthy(std::move(context)); }

private:
    Scope calls_scope_;
    Scope scope_;
    Route route_;
    Application application_;
    Api api_;
    HttpApi http_api_;
};

}  // namespace

std::unique_ptr<Service> make_ingest(Environment& environment, Options options) {
    if (options.instances < 1) { throw std::invalid_argument("ingest: one instance at least"); }
    if (!is_provider(options.queue.provider)) {
        throw std::invalid_argument("ingest: there is no queue called " + options.queue.provider);
    }
    return std::make_unique<Ingest>(environment, options);
}

}  // namespace rushproof::ingest
