// Goal: SKUs over two databases are sold once each whatever gateways believe, and the judge would
// see it if they were not.  Method: one of two gateways takes reservations to the wrong shard, on
// inventories that know which shard they are, and on ones that do not.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "services/gateway/gateway.hpp"
#include "services/inventory/inventory.hpp"
#include "simulator/checkers/checker.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/world/sim_world.hpp"

namespace rushproof::simulator {
namespace {

constexpr const char* sale = R"(
rushproof: 1
title: a sale over two databases
duration: 5s
system: {services: {gateway: 2, inventory: 2}, shards: 2}
stock: {skus: 6, units: 20}
load:
  shoppers: {executor: constant-arrival-rate, rate: 80/s, journey: buy}
journeys:
  buy:
    - reserve: {sku: $popular, quantity: 1}
checks: [no-oversell, conservation, linearizable]
)";

// Knows both shards, puts stock into both, and confuses them when it reserves.
class ConfusedRpc final : public Rpc {
public:
    ConfusedRpc(Rpc& rpc, bool swaps) : rpc_(rpc), swaps_(swaps) {}
    Task<Result<std::string>> call(Context context, RpcTarget target,
                                   std::string request) override {
        const RpcTarget other{target.method, target.shard, 3 - target.group};
        if (target.method.ends_with("/SetStock")) {
            const auto extra = co_await rpc_.call(context, other, request);
            if (!extra && extra.error().kind() != ErrorKind::permanent) { co_return extra; }
        }
        const bool misses = swaps_ && target.method.ends_with("/Reserve");
        const RpcTarget to = misses ? other : target;
        co_return co_await rpc_.call(std::move(context), to, std::move(request));
    }

private:
    Rpc& rpc_;
    bool swaps_;
};

class ConfusedGateway final : public Service {
public:
    ConfusedGateway(Environment& world, std::int64_t instance)
        : rpc_(world.rpc, instance == 1),
          world_{world.clock,    world.random,    world.spawner, rpc_,
                 world.database, world.telemetry, world.queues} {
        gateway::Options options;
        options.shards = 2;
        gateway_ = gateway::make_gateway(world_, options);
    }
    std::vector<HttpRoute> http_routes() override { return gateway_->http_routes(); }
    Task<void> stop() override { return gateway_->stop(); }
    Task<bool> ready(Context context) override { return gateway_->ready(std::move(context)); }

private:
    ConfusedRpc rpc_;
    Environment world_;
    std::unique_ptr<Service> gateway_;
};

using Make = std::function<std::unique_ptr<Service>(Environment&, std::int64_t)>;

std::map<std::string, Verdict> verdicts(const Make& make_inventory) {
    const auto parsed = parse_scenario(sale, ParseOptions());
    EXPECT_TRUE(parsed);
    const Scenario& scenario = parsed->scenarios.at(0);
    SimulatedSystem system = system_of(scenario);
    for (SimulatedRole& role : system.roles) {
        if (role.name == "gateway") {
            role.make = [](Environment& world, std::int64_t instance) {
                return std::make_unique<ConfusedGateway>(world, instance);
            };
        } else if (make_inventory) {
            role.make = make_inventory;
        }
    }
    const SimOutcome outcome = run_simulation(scenario, system, SimOptions());
    EXPECT_EQ(outcome.troubles, std::vector<std::string>());
    EXPECT_GT(outcome.history.ledger.size(), 100U);
    std::map<std::string, Verdict> found;
    const auto judged = judge(outcome.history, {}, CheckOptions());
    EXPECT_TRUE(judged);
    for (const CheckResult& result : judged->results) { found[result.name] = result.verdict; }
    return found;
}

}  // namespace

TEST(Shards, AWrongMapSellsNothingTwice) {
    const auto found = verdicts({});
    EXPECT_EQ(found.at("no-oversell"), Verdict::pass);
    EXPECT_EQ(found.at("conservation"), Verdict::pass);
    EXPECT_EQ(found.at("linearizable"), Verdict::pass);
}

TEST(Shards, OwnersThatTakeAnySkuAreCaught) {
    const auto found = verdicts([](Environment& world, std::int64_t) {
        return inventory::make_inventory(world, inventory::Options());
    });
    EXPECT_EQ(found.at("no-oversell"), Verdict::fail);
}

}  // namespace rushproof::simulator
