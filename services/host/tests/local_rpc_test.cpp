// Goal: a call runs on the core of the instance that the shard picks, and its answer comes back to
// the caller's core. Method: two cores on two threads; handlers and callers note where they run.
#include "services/host/local_rpc.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "core/real/os/cores.hpp"
#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof {
namespace {

std::string this_thread() {
    return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id()));
}

Task<Result<std::string>> where(Context, std::string) { co_return this_thread(); }

TEST(LocalRpc, RunsCallsWhereTheInstanceLives) {
    RealTelemetry telemetry(LogLevel::error);
    Cores cores(2);
    std::vector<std::unique_ptr<RpcRouter>> routers;
    std::vector<LocalInstance> instances;
    for (std::size_t i = 0; i < cores.size(); ++i) {
        auto& router = routers.emplace_back(std::make_unique<RpcRouter>(telemetry));
        router->add({{"inventory.v1.Inventory/Where", where}});
        instances.push_back({cores[i].get_executor(), router.get()});
    }
    LocalRpc rpc(cores[0].get_executor(), instances);
    std::map<std::string, std::set<std::string>> threads_by_shard;
    bool stayed = true;
    auto caller = [&]() -> Task<void> {
        const std::string home = this_thread();
        for (int i = 0; i < 200; ++i) {
            const std::string shard = "SKU-" + std::to_string(i % 20);
            const RpcTarget target{"inventory.v1.Inventory/Where", shard};
            const auto answer = co_await rpc.call(Context(MonotonicTime::max()), target, "");
            threads_by_shard[shard].insert(answer.value());
            stayed = stayed && this_thread() == home;
        }
        const RpcTarget target{"inventory.v1.Inventory/Nothing", "a"};
        const auto answer = co_await rpc.call(Context(MonotonicTime::max()), target, "");
        EXPECT_EQ(answer.error().kind(), ErrorKind::permanent);
    };
    asio::co_spawn(cores[0], caller(), [&](std::exception_ptr failed) {
        cores.stop();
        if (failed) { std::rethrow_exception(failed); }
    });
    cores.run();
    EXPECT_TRUE(stayed);
    std::set<std::string> all;
    for (const auto& [shard, threads] : threads_by_shard) {
        EXPECT_EQ(threads.size(), 1u) << shard;
        all.insert(threads.begin(), threads.end());
    }
    EXPECT_EQ(all.size(), 2u);
}

class NoRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context, RpcTarget target, std::string) override {
        co_return std::string(target.method) + " is elsewhere";
    }
};

TEST(RoleRpc, AsksOtherProcessesForRolesThatAreNotHere) {
    RealTelemetry telemetry(LogLevel::error);
    Cores cores(1);
    RpcRouter router(telemetry);
    router.add({{"inventory.v1.Inventory/Where", where}});
    const std::vector<LocalInstance> instances{{cores[0].get_executor(), &router}};
    RoleRpc rpc(LocalRpc(cores[0].get_executor(), instances), std::make_unique<NoRpc>(),
                {"inventory"});
    std::vector<std::string> answers;
    auto caller = [&]() -> Task<void> {
        for (const char* method : {"inventory.v1.Inventory/Where", "catalog.v1.Catalog/Get"}) {
            const RpcTarget target{method, "a"};
            const auto answer = co_await rpc.call(Context(MonotonicTime::max()), target, "");
            answers.push_back(answer.value());
        }
    };
    asio::co_spawn(cores[0], caller(), [&](std::exception_ptr failed) {
        cores.stop();
        if (failed) { std::rethrow_exception(failed); }
    });
    cores.run();
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_NE(answers[0], "inventory.v1.Inventory/Where is elsewhere");
    EXPECT_EQ(answers[1], "catalog.v1.Catalog/Get is elsewhere");
}

}  // namespace
}  // namespace rushproof
