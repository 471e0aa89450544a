// A JobQueue in the memory of one process, gone with it.
//
// Jobs come in the order in which they were put, a failed one when its delay is over.  A job that
// is put again while it is kept, set aside or not, is accepted and dropped.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/job_queue.hpp"

namespace rushproof {

struct MemoryJobQueueOptions {
    // Jobs that are kept, those set aside included; more are refused with "queue-full".
    std::size_t capacity = 1000;
    // Of a job's texts together; a larger one is refused with "too-large".
    std::size_t job_bytes = 1 << 20;
    std::int64_t tries = 5;
    Duration retry_delay = std::chrono::seconds(1);
};

// Everybody calls it on one executor.  Any number of workers may take at once.
class MemoryJobQueue final : public JobQueue {
public:
    // `environment` outlives the queue.
    MemoryJobQueue(Environment& environment, MemoryJobQueueOptions options);
    ~MemoryJobQueue() override;

    Task<Result<void>> put(Context context, Job job) override;
    Task<Result<std::optional<JobDelivery>>> take(Context context) override;
    Task<Result<void>> done(Context context, std::uint64_t number) override;
    Task<Result<void>> failed(Context context, std::uint64_t number, std::string reason) override;
    Task<Result<std::vector<DeadJob>>> dead(Context context, std::size_t limit) override;
    Task<Result<bool>> revive(Context context) override;
    Task<Result<JobStats>> stats(Context context) override;

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
