// Starts coroutines on the executor of the process.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <string_view>

#include "core/ports/task.hpp"

namespace rushproof {

class Spawner {
public:
    virtual ~Spawner() = default;
    // An executor of this process with a task identity of its own, for asio::co_spawn and channels.
    // Services use core/runtime/scope.hpp, which owns what it starts.
    virtual asio::any_io_executor executor(std::string_view task_name) = 0;
};

}  // namespace rushproof
