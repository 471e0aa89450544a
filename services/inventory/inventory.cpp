#include "services/inventory/inventory.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/deadline.hpp"
#include "core/runtime/scope.hpp"
#include "services/inventory/api/rpc.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/app/feed.hpp"
#include "services/inventory/app/outbox_mutant.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

namespace {

class Inventory final : public Service {
public:
    Inventory(Environment& environment, const Options& options)
        : environment_(environment),
          options_(options),
          scope_(environment.spawner),
          application_(environment, options),
          api_(application_, environment, scope_, options.shard),
          relay_(environment, statements::outbox::for_relay(), "inventory",
                 [this](Context context, std::vector<OutboxEvent> events) {
                     return add_to_feed(environment_.database, std::move(context),
                                        std::move(events));
                 }),
          expired_(environment.telemetry.counter("inventory_expired_total",
                                                 "Reservations expired by the sweeper")),
          failed_sweeps_(environment.telemetry.counter("inventory_failed_sweeps_total",
                                                       "Sweeps that ended with an error")) {}

    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override {
        scope_.start("inventory.sweep", sweep_for_ever());
        scope_.start("inventory.relay", relay_.run(options_.relay_interval, limits::relay_timeout,
                                                   [this](Context context) {
                                                       return deliver_some(std::move(context));
                                                   }));
    }

    Task<void> stop() override {
        api_.close();
        scope_.cancel();
        co_await scope_.join();
        co_await application_.join();
    }

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
        MonotonicTime forget_at = environment_.clock.monotonic() + limits::forget_keys_interval;
        while (true) {
            const auto expired = co_await expire_all_due();
            note(expired);
            if (environment_.clock.monotonic() >= forget_at) {
                note(co_await application_.forget_keys(sweep_context()));
                forget_at = environment_.clock.monotonic() + limits::forget_keys_interval;
            }
            co_await sleep_for(environment_.clock, options_.sweep_interval);
        }
    }

    Task<Result<std::size_t>> expire_all_due() {
        while (true) {
            RP_CO_TRY(const std::size_t expired, co_await application_.expire_due(sweep_context()));
            expired_.add(expired);
            if (expired < limits::expire_batch) { co_return expired; }
        }
    }

    Task<Result<std::size_t>> deliver_some(Context context) {
        if constexpr (mutants_compiled) {
            if (options_.mutant == Mutant::m16_reads_from_the_last_on ||
                options_.mutant == Mutant::m17_removed_before_delivery) {
                return deliver_carelessly(environment_, std::move(context), options_.mutant);
            }
        }
        return relay_.deliver_some(std::move(context));
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
    Counter& expired_;
    Counter& failed_sweeps_;
};

}  // namespace

std::unique_ptr<Service> make_inventory(Environment& environment, Options options) {
    if (options.reservation_ttl <= Duration::zero() ||
        options.reservation_ttl > limits::reservation_ttl) {
        throw std::invalid_argument("inventory: reservation_ttl is out of range");
    }
    if (options.sweep_interval <= Duration::zero()) {
        throw std::invalid_argument("inventory: sweep_interval must be positive");
    }
    if (options.relay_interval <= Duration::zero()) {
        throw std::invalid_argument("inventory: relay_interval must be positive");
    }
    return std::make_unique<Inventory>(environment, options);
}

}  // namespace rushproof::inventory
