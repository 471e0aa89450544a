// What the suite needs of a provider of jobs: a fresh queue, and the world that it stands in.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "core/ports/clock.hpp"
#include "core/ports/job_queue.hpp"
#include "core/ports/spawner.hpp"

namespace rushproof::conformance {

// How the bench has set up its queue, what the port leaves open, and how long things may take.
struct JobTraits {
    std::int64_t tries = 3;
    Duration retry_delay = std::chrono::milliseconds(200);
    // A job whose body alone has more bytes is "too-large"; 0: the suite does not try.
    std::size_t job_bytes = 0;
    // Jobs; 0: there is no bound that can be reached.
    std::size_t capacity = 0;
    // open() gives each worker a process of its own, which may die alone.
    bool workers_die = false;
    bool survives_kill = false;
    // Until something comes that must come, a dead worker's jobs included.
    Duration patience = std::chrono::seconds(20);
    // How long the suite looks for something that must not come.
    Duration quiet = std::chrono::milliseconds(300);
};

class JobBench {
public:
    virtual ~JobBench() = default;

    virtual JobTraits traits() const = 0;
    virtual Clock& clock() = 0;
    virtual Spawner& spawner() = 0;
    // To its end; what it throws, it throws.
    virtual void run(Task<void> task) = 0;

    // The queue, as one more process sees it; or the same again where there can be only one.
    virtual Task<Result<std::shared_ptr<JobQueue>>> open() = 0;

    // Outside of run(), when nothing of open() is left: kills what holds the queue, and brings it
    // back.  False: it cannot.
    virtual bool restart() { return false; }
};

struct JobProvider {
    std::string name;  // letters and digits
    // A queue of its own for every case; null: skipped, and it has printed why.
    std::function<std::unique_ptr<JobBench>()> make;

    friend void PrintTo(const JobProvider& provider, std::ostream* out) { *out << provider.name; }
};

}  // namespace rushproof::conformance
