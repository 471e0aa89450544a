// One simulated broker, and one machine on which the processes of a case live, in virtual time.
#pragma once
#include <stdexcept>
#include <string>
#include <utility>

#include "simulator/world/sim_queues.hpp"

namespace rushproof::conformance {

class TwinWorld {
public:
    TwinWorld(std::string broker, const simulator::BrokerOptions& options = {})
        : broker_(std::move(broker)),
          scheduler_(simulator::SchedulerOptions(), trace_, tape_),
          network_(scheduler_),
          brokers_(network_, options),
          host_(scheduler_.add_machine("worker")),
          queues_(host_, network_, brokers_) {
        brokers_.add(scheduler_.add_machine(broker_));
    }
    TwinWorld(const TwinWorld&) = delete;
    TwinWorld& operator=(const TwinWorld&) = delete;
    ~TwinWorld() {
        host_.crash();
        brokers_.destroy_processes();
    }

    Clock& clock() { return host_.clock(); }
    Spawner& spawner() { return host_.spawner(); }
    Queues& queues() { return queues_; }

    // To its end.
    void run(Task<void> task) {
        bool ended = false;
        host_.spawn("case", to_its_end(std::move(task), ended));
        const Duration give_up = scheduler_.now() + std::chrono::hours(1);
        while (!ended && scheduler_.now() < give_up) {
            scheduler_.run_until(scheduler_.now() + std::chrono::milliseconds(100));
        }
        if (!ended) { throw std::runtime_error("the case did not end"); }
    }

    // Kills the broker and brings it back.
    void restart() {
        simulator::BrokerServer& server = *brokers_.find(broker_);
        server.kill();
        server.start();
    }

private:
    static Task<void> to_its_end(Task<void> task, bool& ended) {
        co_await std::move(task);
        ended = true;
    }

    std::string broker_;
    simulator::Trace trace_{0, 0};
    simulator::Tape tape_;
    simulator::Scheduler scheduler_;
    simulator::Network network_;
    simulator::Brokers brokers_;
    simulator::Host host_;
    simulator::SimQueues queues_;
};

}  // namespace rushproof::conformance
