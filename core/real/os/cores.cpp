#include "core/real/os/cores.hpp"

#include <iterator>

#include "core/base/assert.hpp"

namespace rushproof {

Cores::Cores(std::size_t count) : cores_(count) { RP_ASSERT(count > 0); }

Cores::~Cores() {
    stop();
    for (Core& core : cores_) {
        if (core.thread.joinable()) { core.thread.join(); }
    }
}

asio::io_context& Cores::operator[](std::size_t index) {
    RP_ASSERT(index < cores_.size());
    return std::next(cores_.begin(), static_cast<std::ptrdiff_t>(index))->context;
}

void Cores::run() {
    for (auto core = std::next(cores_.begin()); core != cores_.end(); ++core) {
        core->thread = std::thread([&context = core->context] { context.run(); });
    }
    cores_.front().context.run();
    for (auto core = std::next(cores_.begin()); core != cores_.end(); ++core) {
        core->thread.join();
    }
}

void Cores::stop() {
    for (Core& core : cores_) { core.context.stop(); }
}

}  // namespace rushproof
