// What stands in the ready set of a host: a function to call once, on behalf of a task.
#pragma once
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

// Who runs: one per coroutine that was spawned, shared by its executors and its jobs.  A coroutine
// that serves one request after the other takes a new identity for each.
class TaskIdentity final
    : public boost::intrusive_ref_counter<TaskIdentity, boost::thread_unsafe_counter> {
public:
    TaskIdentity(std::uint64_t task_id, TraceText task_name, std::uint64_t task_priority)
        : id(task_id), name(task_name), priority(task_priority) {}

    std::uint64_t id;        // counts up per host
    TraceText name;          // lives as long as the scheduler
    std::uint64_t priority;  // of schedule `pct` only
};
using TaskPointer = boost::intrusive_ptr<TaskIdentity>;

class Job {
public:
    explicit Job(TaskPointer task) : task_(std::move(task)) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual ~Job() = default;

    virtual void run() = 0;
    TaskIdentity& task() const { return *task_; }

private:
    TaskPointer task_;
};

template <class Function>
class FunctionJob final : public Job {
public:
    FunctionJob(TaskPointer task, Function function)
        : Job(std::move(task)), function_(std::move(function)) {}
    void run() override { std::move(function_)(); }

private:
    Function function_;
};

// Jobs in order of arrival, from which any one can be taken without disturbing that order.
class ReadyQueue {
public:
    bool empty() const { return first_ == jobs_.size(); }
    std::size_t size() const { return jobs_.size() - first_; }
    const Job& operator[](std::size_t index) const { return *jobs_[first_ + index]; }
    void add(std::unique_ptr<Job> job) { jobs_.push_back(std::move(job)); }
    std::unique_ptr<Job> take(std::size_t index);

private:
    std::vector<std::unique_ptr<Job>> jobs_;
    std::size_t first_ = 0;  // those before it are taken
};

}  // namespace rushproof::simulator
