#include "services/catalog/catalog.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/deadline.hpp"
#include "core/runtime/outbox.hpp"
#include "core/runtime/scope.hpp"
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
          relay_(environment, statements::outbox().for_relay(), "catalog",
                 [this](Context context, std::vector<OutboxEvent> events) {
                     return add_to_feed(environment_.database, std::move(context),
                                        std::move(events));
                 }),
          failed_sweeps_(environment.telemetry.counter("catalog_failed_sweeps_total",
                                                       "Sweeps that ended with an error")) {}

    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override {
        scope_.start("catalog.sweep", sweep_for_ever());
        scope_.start("catalog.relay", relay_.run(options_.relay_interval, limits::relay_timeout,
                                                 [this](Context context) {
                                                     return relay_.deliver_some(std::move(context));
                                                 }));
    }

    Task<void> stop() override {
        api_.close();
        scope_.cancel();
        co_await scope_.join();
    }

    // Without inventory products can be looked at and changed, so it is not asked.
    Task<bool> ready(Context context) override {
        const MonotonicTime deadline = context.deadline;
        auto ping = application_.ping(std::move(context));
        const auto answer =
            co_await with_deadline(environment_, deadline, ErrorKind::retryable, std::move(ping));
        co_return answer.has_value();
    }

private:
    // Instances that start together should not sweep together.
    Task<void> sweep_for_ever() {
        const Duration first = jitter(environment_.random, options_.sweep_interval);
        co_await sleep_for(environment_.clock, first);
        MonotonicTime forget_at = environment_.clock.monotonic() + limits::forget_interval;
        while (true) {
            note(co_await application_.settle_deletions(sweep_context()));
            if (environment_.clock.monotonic() >= forget_at) {
                note(co_await application_.forget(sweep_context()));
                forget_at = environment_.clock.monotonic() + limits::forget_interval;
            }
            co_await sleep_for(environment_.clock, options_.sweep_interval);
        }
    }

    Context sweep_context() const {
        return Context(environment_.clock.monotonic() + limits::sweep_timeout);
    }

    // Whatever failed is tried again with the next sweep.
    void note(const Result<std::size_t>& result) {
        if (result) { return; }
        failed_sweeps_.add();
        environment_.telemetry.log(LogLevel::warning, "a sweep failed",
                                   {{"code", result.error().code()}});
    }

    Environment& environment_;
    Options options_;
    Scope scope_;
    Application application_;
    Api api_;
    OutboxRelay relay_;
    Counter& failed_sweeps_;
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
