// A bench in the fake world, where no real time passes: for queues that need none.
#pragma once
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "core/runtime/tests/fake_environment.hpp"
#include "tests/conformance/queue/bench.hpp"

namespace rushproof::conformance {

class FakeQueueBench final : public QueueBench {
public:
    using Make = std::function<std::shared_ptr<MessageQueue>(Environment&)>;

    // `make` makes what one process holds.
    FakeQueueBench(QueueTraits traits, Make make)
        : traits_(traits), make_(std::move(make)), queue_(make_(fake_.environment)) {}

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
    Task<Result<std::shared_ptr<MessageQueue>>> open() override { co_return queue_; }
    bool restart() override {
        queue_ = make_(fake_.environment);
        return true;
    }

private:
    QueueTraits traits_;
    FakeEnvironment fake_;
    Make make_;
    std::shared_ptr<MessageQueue> queue_;
};

}  // namespace rushproof::conformance
