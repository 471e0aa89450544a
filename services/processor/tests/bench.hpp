// What the tests of processor share: one processor over either engine, an inventory that the test
// writes, and a broker that delivers again what was not acknowledged.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/inventory.pb.h"
#include "core/protocol/processor.pb.h"
#include "core/runtime/data_message.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "core/runtime/tests/failing_database.hpp"
#include "core/runtime/tests/fake_world.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "services/processor/limits.hpp"
#include "services/processor/processor.hpp"
#include "services/processor/processor_model.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::processor {

namespace wire = ::processor::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A durable queue of one group: what its consumer holds comes again when told so, or when a
// consumer leaves.
class TestBroker final : public MessageQueue {
public:
    struct Entry {
        Message message;
        std::int64_t attempts = 0;
        bool held = false;
    };

    explicit TestBroker(Clock& clock) : clock_(clock) {}

    QueueFeatures features() const override {
        QueueFeatures features;
        features.survives_kill = true;
        features.counts_attempts = true;
        features.drops_repeats_for = drops_repeats_for;
        return features;
    }
    Result<void> check(const Message& message) const override {
        if (!never_takes.contains(message.id)) { return {}; }
        return failure(ErrorKind::permanent, "too-large", "never");
    }
    Task<Result<void>> publish(Context, Message message) override {
        RP_CO_CHECK(check(message));
        if (refuses) { co_return failure(ErrorKind::retryable, "unavailable", "away"); }
        entries.emplace(++last_, Entry{std::move(message), 0, false});
        co_return Result<void>();
    }
    Task<Result<std::unique_ptr<Consumer>>> join(Context, std::string) override {
        std::unique_ptr<Consumer> consumer = std::make_unique<Place>(*this);
        co_return consumer;
    }
    Task<Result<QueueStats>> stats(Context, std::string) override {
        QueueStats stats;
        stats.published = last_;
        stats.unfinished = static_cast<std::int64_t>(entries.size());
        co_return stats;
    }
    // Everything that is not acknowledged comes again.
    void redeliver() {
        for (auto& [number, entry] : entries) { entry.held = false; }
    }

    std::map<std::uint64_t, Entry> entries;
    bool loses_acknowledgements = false;
    bool refuses = false;
    std::set<std::string> never_takes;
    Duration drops_repeats_for{};

private:
    class Place final : public Consumer {
    public:
        explicit Place(TestBroker& broker) : broker_(broker) {}
        Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
            std::vector<Delivery> taken;
            while (true) {
                for (auto& [number, entry] : broker_.entries) {
                    if (entry.held || taken.size() == limit) { continue; }
                    entry.held = true;
                    taken.push_back({entry.message, number, ++entry.attempts, "nats"});
                }
                if (!taken.empty() || broker_.clock_.monotonic() >= context.deadline) { break; }
                co_await sleep_for(broker_.clock_, milliseconds(1));
            }
            co_return taken;
        }
        Task<Result<void>> acknowledge(Context, std::vector<std::uint64_t> numbers) override {
            if (broker_.loses_acknowledgements) {
                co_return failure(ErrorKind::unknown_outcome, "connection-lost", "");
            }
            for (const std::uint64_t number : numbers) { broker_.entries.erase(number); }
            co_return Result<void>();
        }
        Task<void> close() override {
            broker_.redeliver();
            co_return;
        }

    private:
        TestBroker& broker_;
    };

    Clock& clock_;
    std::uint64_t last_ = 0;
};

class TestQueues final : public Queues {
public:
    explicit TestQueues(Clock& clock) : broker(std::make_shared<TestBroker>(clock)) {}
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context, std::string_view provider,
                                                     std::string_view) override {
        if (provider != "nats" || away) {
            co_return failure(ErrorKind::retryable, "unavailable", "the broker is away");
        }
        std::shared_ptr<MessageQueue> queue = broker;
        co_return queue;
    }
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context, std::string_view) override {
        co_return failure(ErrorKind::permanent, "not-configured", "");
    }

    std::shared_ptr<TestBroker> broker;
    bool away = false;
};

// An inventory that never runs out, and everything that it was asked, unless the test says else.
class TestRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context context, RpcTarget target,
                                   std::string request) override {
        if (on_enqueue && target.method.ends_with("/Enqueue")) {
            return pass_on(std::move(request));
        }
        if (target.method.starts_with("processor.")) {
            return own->answer(std::move(context), target.method, std::move(request));
        }
        return reserve(std::move(context), std::string(target.method), std::move(request));
    }

    struct Asked {
        std::string method;
        std::string sku;
        std::string owner;
        std::string key;
        TraceId trace;
    };
    std::vector<Asked> asked;
    RpcRouter* own = nullptr;  // the processor's
    // Stands for another instance, if set.
    std::function<void(const std::string& id)> on_enqueue;
    // The answer to a reserve of this SKU, instead of a reservation.
    std::function<std::optional<Error>(const std::string& sku)> refuse;

private:
    Task<Result<std::string>> pass_on(std::string request) {
        wire::Message message;
        EXPECT_TRUE(message.ParseFromString(request));
        on_enqueue(message.id());
        co_return std::string();
    }
    Task<Result<std::string>> reserve(Context context, std::string method, std::string request) {
        ::inventory::v1::ReserveRequest wish;
        if (method.ends_with("/Reserve")) { wish.ParseFromString(request); }
        asked.push_back(
            {method, wish.sku(), context.principal, context.idempotency_key, context.trace});
        if (refuse) {
            if (const auto error = refuse(wish.sku())) { co_return failure(*error); }
        }
        ::inventory::v1::Reservation reservation;
        reservation.set_id("r-" + context.idempotency_key);
        reservation.set_sku(wish.sku());
        reservation.set_quantity(wish.quantity());
        reservation.set_owner(context.principal);
        co_return reservation.SerializeAsString();
    }
};

enum class Engine : std::uint8_t { model, sqlite };

class Bench {
public:
    explicit Bench(Engine engine = Engine::model)
        : model_(model_schema(), model_options(world)),
          direct_(model_),
          sqlite_([this] { return world.wall(); }),
          database(world, engine == Engine::model ? static_cast<Database&>(direct_) : sqlite_),
          environment{world, world, world, rpc, database, world, queues} {
        sqlite_.migrate(migrations());
    }

    void start(Options options = {}) {
        service = make_processor(environment, std::move(options));
        router_.emplace(world);
        router_->add(service->rpc_methods());
        http_.emplace(world);
        http_->add(service->http_routes());
        rpc.own = &*router_;
        service->start();
        world.run_for(milliseconds(1));
    }
    static Options over_broker() {
        Options options;
        options.queue.provider = "nats";
        return options;
    }

    // A composite is of memory and NATS.
    static Options over_both(const std::string& provider,
                             const std::string& strategy = "fail-fast") {
        Options options;
        options.queue.provider = provider;
        options.queue.parts = {"memory", "nats"};
        options.queue.strategy = strategy;
        return options;
    }

    template <class T>
    T finish(Task<T> task, Duration patience = seconds(30)) {
        std::optional<T> result;
        asio::co_spawn(world.executor("test"), std::move(task),
                       [&](const std::exception_ptr& thrown, T value) {
                           if (thrown) { std::rethrow_exception(thrown); }
                           result.emplace(std::move(value));
                       });
        const MonotonicTime end = world.monotonic() + patience;
        while (!result && world.monotonic() < end) { world.run_for(milliseconds(1)); }
        if (!result) { throw std::runtime_error("it did not end in time"); }
        return *std::move(result);
    }
    bool stop(Duration patience = seconds(30)) { return finish(stopping(), patience); }

    Result<std::string> call(const std::string& method, const std::string& bytes) {
        return finish(router_->answer(context(), "processor.v1.Processor/" + method, bytes));
    }
    HttpResponse http(const std::string& method, const std::string& path,
                      const std::string& body = "") {
        HttpRequest request(method, path, body);
        return finish(http_->answer(context(), std::move(request)));
    }
    Context context() const { return Context(world.monotonic() + seconds(20)); }

    // --- messages ---

    static wire::Message plain(const std::string& id, const std::string& key = "k") {
        DataMessage data;
        data.id = id;
        data.source = "till";
        data.payload = "hello";
        wire::Message message;
        message.set_id(id);
        message.set_key(key);
        message.set_body(to_json(data));
        return message;
    }
    static wire::Message reserve(const std::string& id, const std::string& sku) {
        DataMessage data;
        data.id = id;
        data.payload = R"({"sku":")" + sku + R"(","quantity":2})";
        wire::Message message;
        message.set_id(id);
        message.set_key(sku);
        message.set_body(to_json(data));
        add_header(message, kind_header, reserve_kind);
        add_header(message, owner_header, "alice");
        add_header(message, trace_header,
                   "00-0000000000000001000000000000002a-0000000000000003-01");
        return message;
    }
    static void add_header(wire::Message& message, std::string_view name, std::string_view value) {
        message.add_headers()->set_name(std::string(name));
        message.mutable_headers()->rbegin()->set_value(std::string(value));
    }

    Result<std::string> put(const wire::Message& message) {
        return call("Enqueue", message.SerializeAsString());
    }
    std::optional<wire::Outcome> outcome(const std::string& id, Duration wait = {}) {
        wire::ResultRequest request;
        request.set_message_id(id);
        request.set_wait_us(std::chrono::duration_cast<std::chrono::microseconds>(wait).count());
        const auto answer = call("GetResult", request.SerializeAsString());
        if (!answer) {
            EXPECT_EQ(answer.error().code(), "not-processed");
            return std::nullopt;
        }
        wire::Outcome outcome;
        EXPECT_TRUE(outcome.ParseFromString(*answer));
        return outcome;
    }
    std::string reason(const std::string& id) {
        const auto found = outcome(id);
        return found && found->has_dead() ? found->dead().reason() : "";
    }
    // Ids in the order of their effects.
    std::vector<std::string> processed() {
        wire::ProcessedRequest request;
        request.set_limit(limits::page);
        wire::Processed page;
        EXPECT_TRUE(
            page.ParseFromString(call("ListProcessed", request.SerializeAsString()).value()));
        std::vector<std::string> ids;
        for (const auto& item : page.items()) { ids.push_back(item.message_id()); }
        return ids;
    }
    wire::Stats stats() {
        wire::Stats stats;
        EXPECT_TRUE(stats.ParseFromString(call("GetStats", "").value()));
        return stats;
    }

    FakeWorld world;

private:
    static simulator::ModelOptions model_options(FakeWorld& world) {
        simulator::ModelOptions options;
        options.wall = [&world] { return world.wall(); };
        options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
        return options;
    }
    Task<bool> stopping() {
        co_await service->stop();
        co_return true;
    }

    simulator::ModelDatabase model_;
    simulator::DirectDatabase direct_;
    MemorySqlite sqlite_;

public:
    FailingDatabase database;
    TestQueues queues{world};
    TestRpc rpc;
    Environment environment;
    std::unique_ptr<Service> service;

private:
    std::optional<RpcRouter> router_;
    std::optional<HttpRouter> http_;
};

}  // namespace rushproof::processor
