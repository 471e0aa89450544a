// A service on the fake clock, seen by its public interface only.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/ports/service.hpp"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {

class RunningService {
public:
    // `prefix` of its methods: "inventory.v1.Inventory/".
    RunningService(FakeWorld& world, std::unique_ptr<Service> service, std::string prefix)
        : world_(world), service_(std::move(service)), prefix_(std::move(prefix)) {
        router_.add(service_->rpc_methods());
    }

    Service* operator->() { return service_.get(); }

    // By alice under the key "k"; empty until it is answered.
    using Answer = std::optional<Result<std::string>>;
    std::shared_ptr<Answer> start_call(const std::string& method, std::string bytes) {
        Context context(world_.monotonic() + std::chrono::seconds(5));
        context.principal = "alice";
        context.idempotency_key = "k";
        auto answer = std::make_shared<Answer>();
        asio::co_spawn(world_.executor("call"),
                       router_.answer(std::move(context), prefix_ + method, std::move(bytes)),
                       [answer](const std::exception_ptr& exception, Result<std::string> result) {
                           if (exception) { std::rethrow_exception(exception); }
                           *answer = std::move(result);
                       });
        return answer;
    }
    // Sweeps and relays never end, so time is limited here.
    Result<std::string> call(const std::string& method, std::string bytes) {
        const auto answer = start_call(method, std::move(bytes));
        world_.run_for(std::chrono::milliseconds(100));
        return answer->value();
    }

    // Did it stop?
    bool stop() { return world_.finish(stop_service()).has_value(); }

    bool ready() {
        return world_.finish(service_->ready(Context(world_.monotonic() + std::chrono::seconds(1))))
            .value();
    }

private:
    Task<bool> stop_service() {
        co_await service_->stop();
        co_return true;
    }

    FakeWorld& world_;
    std::unique_ptr<Service> service_;
    std::string prefix_;
    RpcRouter router_{world_};
};

}  // namespace rushproof
