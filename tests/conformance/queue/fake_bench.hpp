// A bench in the fake world, where no real time passes: for queues that need none.
#pragma once
#include <memory>
#include <stdexcept>
#include <utility>

#include "core/runtime/tests/fake_environment.hpp"
#include "tests/conformance/queue/bench.hpp"

namespace rushproof::conformance {

class FakeQueueBench : public QueueBench {
public:
    explicit FakeQueueBench(QueueTraits traits) : traits_(traits) {}
    FakeQueueBench(QueueTraits traits, Database& database) : traits_(traits), fake_(database) {}

    Environment& environment() { return fake_.environment; }
    FakeWorld& world() { return fake_.world; }

    QueueTraits traits() const override { return traits_; }
    Clock& clock() override { return fake_.world; }
    Spawner& spawner() override { return fake_.world; }
    void run(Task<void> task) override {
        auto to_its_end = [](Task<void> whole) -> Task<bool> {
            co_await std::move(whole);
            co_return true;
        };
        if (!fake_.world.finish(to_its_end(std::move(task)))) {
            throw std::runtime_error("it did not end");
        }
    }

private:
    QueueTraits traits_;
    FakeEnvironment fake_;
};

}  // namespace rushproof::conformance
