// One suite that every provider of JobQueue passes.  README.md says how to put it on one.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/job_queue/bench.hpp"

namespace rushproof::conformance {

class JobConformance : public testing::TestWithParam<JobProvider> {
public:
    void SetUp() override;

    // Runs a case, which is a coroutine without parameters.
    template <class Case>
    void run(Case test) {
        bench_->run(test());
    }

    const JobTraits& traits() const { return traits_; }
    Clock& clock() const { return bench_->clock(); }
    Spawner& spawner() const { return bench_->spawner(); }
    JobBench& bench() const { return *bench_; }
    Context within(Duration time) const { return Context(clock().monotonic() + time); }
    Context patient() const { return within(traits_.patience); }

    // These throw when they fail: the case cannot go on.
    Task<std::shared_ptr<JobQueue>> open();
    Task<void> put(JobQueue& queue, std::string id);
    // The next one, which must come.
    Task<JobDelivery> take(JobQueue& queue);
    Task<void> done(JobQueue& queue, JobDelivery delivery);
    Task<void> failed(JobQueue& queue, JobDelivery delivery, std::string reason);
    Task<std::vector<DeadJob>> dead(JobQueue& queue);
    Task<JobStats> stats(JobQueue& queue);

    // The id of a job that comes although none should; empty: none did.
    Task<std::string> surplus(JobQueue& queue);
    // Takes it and fails, until it is set aside.
    Task<void> wear_out(JobQueue& queue, std::string reason);
    // Waits until so many are set aside; returns how many are.
    Task<std::int64_t> dead_becomes(JobQueue& queue, std::int64_t count);

private:
    std::unique_ptr<JobBench> bench_;
    JobTraits traits_;
};

}  // namespace rushproof::conformance
