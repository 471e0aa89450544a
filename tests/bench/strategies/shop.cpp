#include "tests/bench/strategies/shop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"

namespace rushproof::bench {

namespace {

constexpr Duration patience = std::chrono::seconds(10);
const Sku hot("HOT");

class NoRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context, RpcTarget, std::string) override {
        co_return failure(ErrorKind::permanent, "unavailable", "nobody is there to call");
    }
};

class Shop {
public:
    Shop(const OpenDatabase& open, inventory::Strategy strategy)
        : clock_(context_.get_executor()),
          spawner_(context_.get_executor()),
          database_(open(context_.get_executor(), measured_.tally)),
          environment_{clock_, random_, spawner_, rpc_, *database_, measured_.tally, queues_},
          application_(environment_, {.strategy = strategy}) {}

    Measured sell(std::int64_t clients, Duration warm_up, Duration measured) {
        asio::co_spawn(context_, stock(), asio::detached);
        run();
        from_ = clock_.monotonic() + warm_up;
        until_ = from_ + measured;
        for (std::int64_t client = 0; client < clients; ++client) {
            asio::co_spawn(context_, buy(client), asio::detached);
        }
        asio::co_spawn(context_, forget_warm_up(), asio::detached);
        run();
        measured_.taken = measured;
        return std::move(measured_);
    }

private:
    void run() {
        context_.restart();
        context_.run();
    }

    Context context() const { return Context(clock_.monotonic() + patience); }

    Task<void> stock() {
        const auto stocked =
            co_await application_.set_stock(context(), hot, Quantity(1'000'000'000));
        if (!stocked) {
            std::cerr << "the database takes no stock: " << stocked.error().message() << "\n";
            std::exit(1);
        }
    }

    Task<void> buy(std::int64_t client) {
        const std::string name = "client-" + std::to_string(client);
        for (std::int64_t number = 0; clock_.monotonic() < until_; ++number) {
            inventory::ReserveRequest request;
            request.owner = Owner(name);
            request.key = IdempotencyKey(name + "-" + std::to_string(number));
            request.lines.push_back({hot, Quantity(1)});
            const MonotonicTime asked = clock_.monotonic();
            const auto reserved = co_await application_.reserve(context(), std::move(request));
            const MonotonicTime answered = clock_.monotonic();
            if (answered < from_ || answered >= until_) { continue; }
            if (reserved) {
                measured_.latency.record((answered - asked).count());
            } else {
                ++measured_.failed;
            }
        }
    }

    Task<void> forget_warm_up() {
        co_await sleep_until(clock_, from_);
        measured_.tally.reset();
    }

    asio::io_context context_{1};
    Measured measured_;
    RealClock clock_;
    RealRandom random_;
    RealSpawner spawner_;
    NoRpc rpc_;
    NoQueues queues_;
    std::unique_ptr<Database> database_;
    Environment environment_;
    inventory::Application application_;
    MonotonicTime from_;
    MonotonicTime until_;
};

}  // namespace

Measured sell(const OpenDatabase& open, inventory::Strategy strategy, std::int64_t clients,
              Duration warm_up, Duration measured) {
    Shop shop(open, strategy);
    return shop.sell(clients, warm_up, measured);
}

}  // namespace rushproof::bench
