#include "services/catalog/catalog.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/deadline.hpp"
#include "core/runtime/events.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/sweeper.hpp"
#include "services/catalog/api/rpc.hpp"
#include "services/catalog/app/feed.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

namespace {

class Catalog final : public Service {
public:
    Catalog(Environment& environment, const Options& options)
        : environment_(environment),
          options_(options),
          scope_(environment.spawner),
          application_(environment, options.shards),
          api_(application_, environment, scope_),
          events_(environment, statements::outbox().for_relay(), "catalog", options.events,
                  {"catalog-feed",
                   [this](Context context, std::vector<OutboxEvent> events) {
                       return add_to_feed(environment_.database, std::move(context),
                                          std::move(events));
                   }}),
          sweeper_(environment, "catalog") {}

    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override {
        scope_.start("catalog.sweep",
                     sweeper_.run(options_.sweep_interval, limits::sweep_timeout, sweeps()));
        events_.start(scope_, options_.relay_interval, limits::relay_timeout,
                      [this](Context context) { return events_.deliver_some(std::move(context)); });
    }

    Task<void> stop() override {
        api_.close();
        scope_.cancel();
        co_await scope_.join();
        co_await events_.stop();
    }

    // Without inventory products can be looked at and changed, so it is not asked.
    Task<bool> ready(Context context) override {
        const MonotonicTime deadline = context.deadline;
        auto ping = application_.ping(std::move(context));
        co_return co_await answers_in_time(environment_, deadline, std::move(ping));
    }

private:
    std::vector<SweepJob> sweeps() {
        SweepJob settling;
        settling.some = [this](Context context) {
            return application_.settle_deletions(std::move(context));
        };
        SweepJob forgetting;
        forgetting.some = [this](Context context) {
            return application_.forget(std::move(context));
        };
        forgetting.every = limits::forget_interval;
        return {std::move(settling), std::move(forgetting)};
    }

    Environment& environment_;
    Options options_;
    Scope scope_;
    Application application_;
    Api api_;
    EventFlow events_;
    Sweeper sweeper_;
};

}  // namespace

std::unique_ptr<Service> make_catalog(Environment& environment, Options options) {
    if (options.sweep_interval <= Duration::zero()) {
        throw std::invalid_argument("catalog: sweep_interval must be positive");
    }
    if (options.relay_interval <= Duration::zero()) {
        throw std::invalid_argument("catalog: relay_interval must be positive");
    }
    return std::make_unique<Catalog>(environment, options);
}

}  // namespace rushproof::catalog
