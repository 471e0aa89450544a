// A place where coroutines wait until the test lets them pass.
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <utility>

#include "core/ports/task.hpp"

namespace rushproof::simulator::example {

class Gate {
public:
    Task<void> wait() {
        co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
            [this](auto handler) { waiting_.emplace_back(std::move(handler)); },
            asio::use_awaitable);
    }
    std::size_t waiting() const { return waiting_.size(); }
    // Resumes one of them at once.
    void let_pass(std::size_t index = 0) {
        auto handler = std::move(waiting_[index]);
        // Boost 1.81 cannot move-assign these handlers, which rules erase() out.
        std::deque<Handler> rest;
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            if (i != index) { rest.push_back(std::move(waiting_[i])); }
        }
        waiting_.swap(rest);
        std::move(handler)();
    }

private:
    using Handler = asio::any_completion_handler<void()>;
    std::deque<Handler> waiting_;
};

}  // namespace rushproof::simulator::example
