// Seeds in parallel processes: no shared state, and a crash takes one run with it, not the batch.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace rushproof::simulator {

struct WorkerOptions {
    std::size_t tasks = 0;
    unsigned jobs = 1;
    // Runs in a child process; what it returns comes back as bytes.
    std::function<std::string(std::size_t task)> run;
    // In this process, in order of completion.  Returns false to start no further task.
    std::function<bool(std::size_t task, std::string result)> done;
    // A child died in this task: "killed by signal 11".
    std::function<bool(std::size_t task, std::string how)> died;
};

// Returns when all started tasks are done.  Call before this process has threads.  Returns false
// when it was interrupted (SIGINT, SIGTERM): the children are gone then.
bool run_in_workers(const WorkerOptions& options);

}  // namespace rushproof::simulator
