// One io_context and one thread per core; nothing is shared between them but posted functions.
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <list>
#include <thread>

#include "core/ports/task.hpp"

namespace rushproof {

class Cores {
public:
    explicit Cores(std::size_t count);
    ~Cores();  // stop() and join()
    Cores(const Cores&) = delete;
    Cores& operator=(const Cores&) = delete;

    std::size_t size() const { return cores_.size(); }
    asio::io_context& operator[](std::size_t index);

    // Runs core 0 on the calling thread and the others on their own, until stop().
    void run();
    // From any thread: every core ends after the handler that it is in.
    void stop();

private:
    struct Core {
        asio::io_context context{1};
        asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
        std::thread thread;
    };
    std::list<Core> cores_;
};

}  // namespace rushproof
