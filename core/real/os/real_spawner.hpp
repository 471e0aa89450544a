// Every task of a process runs on the one executor of its core.
#pragma once
#include <utility>

#include "core/ports/spawner.hpp"

namespace rushproof {

class RealSpawner final : public Spawner {
public:
    explicit RealSpawner(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    asio::any_io_executor executor(std::string_view) override { return executor_; }

private:
    asio::any_io_executor executor_;
};

}  // namespace rushproof
