// The JobQueue port on RabbitMQ (README.md).
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "core/ports/job_queue.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

struct RabbitOptions {
    std::string url = "amqp://guest:guest@localhost:5672/";  // never logged
    std::int64_t tries_max = 5;
    std::chrono::milliseconds retry_after = std::chrono::seconds(2);
    std::size_t body_max = 8 << 20;
    // More that wait are refused ("queue-full").  Looked at once a second: a soft limit.
    std::int64_t waiting_max = 1'000'000;
};

// Queues "rushproof.jobs.<name>", ".retry" and ".dead", made when they are not there.  Has a thread
// and a connection of its own, which comes back by itself; callers are resumed on their own
// executors.  Error: permanent "malformed" when the URL is not understood.
Result<std::shared_ptr<JobQueue>> make_rabbit_job_queue(const std::string& name,
                                                        const RabbitOptions& options,
                                                        Telemetry& telemetry);

// Error: permanent "malformed"; the message does not repeat the URL, which may hold a password.
Result<void> check_rabbit_url(const std::string& url);

}  // namespace rushproof
