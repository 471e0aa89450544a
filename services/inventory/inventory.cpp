#include "services/inventory/inventory.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/deadline.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/sweeper.hpp"
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
          events_(environment, statements::outbox::for_relay(), "inventory", options.events,
                  {feed_group(options.shard),
                   [this](Context context, std::vector<OutboxEvent> events) {
                       return add_to_feed(std::move(context), std::move(events));
                   }}),
          sweeper_(environment, "inventory"),
          expired_(environment.telemetry.counter("inventory_expired_total",
                                                 "Reservations expired by the sweeper")) {}

    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override {
        scope_.start("inventory.sweep",
                     sweeper_.run(options_.sweep_interval, limits::sweep_timeout, sweeps()));
        events_.start(scope_, options_.relay_interval, limits::relay_timeout,
                      [this](Context context) { return deliver_some(std::move(context)); });
    }

    Task<void> stop() override {
        api_.close();
        scope_.cancel();
        co_await scope_.join();
        co_await events_.stop();
        co_await application_.join();
    }

    Task<bool> ready(Context context) override {
        const MonotonicTime deadline = context.deadline;
        auto ping = application_.ping(std::move(context));
        co_return co_await answers_in_time(environment_, deadline, std::move(ping));
    }

private:
    std::vector<SweepJob> sweeps() {
        SweepJob expiry;
        expiry.some = [this](Context context) { return expire_some(std::move(context)); };
        expiry.full = limits::expire_batch;
        SweepJob forgetting;
        forgetting.some = [this](Context context) {
            return application_.forget_keys(std::move(context));
        };
        forgetting.every = limits::forget_keys_interval;
        return {std::move(expiry), std::move(forgetting)};
    }

    Task<Result<std::size_t>> expire_some(Context context) {
        auto expired = co_await application_.expire_due(std::move(context));
        if (expired) { expired_.add(*expired); }
        co_return expired;
    }

    Task<Result<std::size_t>> deliver_some(Context context) {
        if constexpr (mutants_compiled) {
            if (options_.mutant == Mutant::m16_reads_from_the_last_on ||
                options_.mutant == Mutant::m17_removed_before_delivery) {
                return deliver_carelessly(environment_, std::move(context), options_.mutant);
            }
        }
        return events_.deliver_some(std::move(context));
    }

    // Each shard has a feed of its own, and all of them read one topic.
    static std::string feed_group(Shard shard) {
        if (shard.count == 1) { return "inventory-feed"; }
        return "inventory-feed-" + std::to_string(shard.number) + "-" + std::to_string(shard.count);
    }
    Task<Result<void>> add_to_feed(Context context, std::vector<OutboxEvent> events) {
        const Shard mine = options_.shard;
        std::erase_if(events, [mine](const OutboxEvent& event) {
            return shard_of_key(event.aggregate, mine.count) != mine.number;
        });
        return inventory::add_to_feed(environment_.database, std::move(context), std::move(events));
    }

    Environment& environment_;
    Options options_;
    Scope scope_;
    Application application_;
    Api api_;
    EventFlow events_;
    Sweeper sweeper_;
    Counter& expired_;
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
