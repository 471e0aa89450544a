// Commands to do once, in any order: unlike a message a job goes to one worker, is tried again a
// limited number of times, and is set aside after that.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

struct Job {
    std::string id;  // the same when it is put again
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

struct JobDelivery {
    Job job;
    std::uint64_t number = 0;
    std::int64_t attempt = 1;  // 1 at first
};

struct DeadJob {
    Job job;
    std::string reason;  // of its last failure
    std::int64_t attempts = 0;
};

struct JobStats {
    std::int64_t waiting = 0;  // not delivered, or waiting for their next try
    std::int64_t dead = 0;
    std::uint64_t retried = 0;  // by this process
};

class JobQueue {
public:
    virtual ~JobQueue() = default;

    // ok: it will be done, or set aside.  Errors: retryable "queue-full", "unavailable"; permanent
    // "too-large"; unknown outcome "connection-lost", "deadline-exceeded".
    virtual Task<Result<void>> put(Context context, Job job) = 0;

    // The next job for this worker; none when the deadline comes first.  What a worker took and did
    // not settle is delivered again after it has died.  Error: retryable "unavailable".
    virtual Task<Result<std::optional<JobDelivery>>> take(Context context) = 0;

    // After the effect.  Any error: it may be delivered again.
    virtual Task<Result<void>> done(Context context, std::uint64_t number) = 0;

    // It is delivered again after the queue's retry delay, or set aside with `reason` when that was
    // its last try.  Any error: it is delivered again.
    virtual Task<Result<void>> failed(Context context, std::uint64_t number,
                                      std::string reason) = 0;

    // Of those set aside, the oldest first; they stay.
    virtual Task<Result<std::vector<DeadJob>>> dead(Context context, std::size_t limit) = 0;
    // Puts the oldest that was set aside back to work, as new; false: there is none.
    virtual Task<Result<bool>> revive(Context context) = 0;

    virtual Task<Result<JobStats>> stats(Context context) = 0;
};

}  // namespace rushproof
