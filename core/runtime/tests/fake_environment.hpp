// An Environment around a FakeWorld.  Rpc goes to handlers given by the test; the database is the
// test's own, or one that is never there.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/ports/environment.hpp"
#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {

class FakeRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context context, RpcTarget target,
                                   std::string request) override {
        return handler(std::move(context), std::string(target.method), std::move(request));
    }

    std::function<Task<Result<std::string>>(Context, std::string, std::string)> handler;
};

class AbsentDatabase final : public Database {
public:
    Task<Result<std::unique_ptr<Transaction>>> begin(Context, TransactionOptions) override {
        co_return failure(ErrorKind::retryable, "unavailable", "there is no database");
    }
};

class FakeEnvironment {
public:
    FakeEnvironment()
        : environment{world, world, world, rpc, absent_database, world, world.queues} {}
    explicit FakeEnvironment(Database& database)
        : environment{world, world, world, rpc, database, world, world.queues} {}

    FakeRpc rpc;
    AbsentDatabase absent_database;
    FakeWorld world;
    Environment environment;
};

}  // namespace rushproof
