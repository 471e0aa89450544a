// From our thread back to a coroutine on its own executor.
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "core/base/result.hpp"
#include "core/ports/task.hpp"

namespace rushproof::rabbitmq {

// Resumes a caller, once; copies are the same one.  Keeps the caller's executor from running out of
// work meanwhile.
template <class T>
class Reply {
public:
    template <class Handler>
    explicit Reply(Handler handler)
        : state_(std::make_shared<State>(asio::prefer(asio::get_associated_executor(handler),
                                                      asio::execution::outstanding_work.tracked),
                                         std::move(handler))) {}

    void operator()(Result<T> result) const {
        const asio::any_io_executor executor = std::move(state_->executor);
        asio::post(executor,
                   [handler = std::move(state_->handler), answer = std::move(result)]() mutable {
                       std::move(handler)(std::move(answer));
                   });
    }

private:
    struct State {
        template <class Executor, class Handler>
        State(Executor given, Handler resumed)
            : executor(std::move(given)), handler(std::move(resumed)) {}
        asio::any_io_executor executor;
        asio::any_completion_handler<void(Result<T>)> handler;
    };
    std::shared_ptr<State> state_;
};

// Suspends the caller and hands its Reply to start.
template <class T, class Start>
Task<Result<T>> await_reply(Start start) {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<T>)>(
        [start = std::move(start)](auto handler) mutable { start(Reply<T>(std::move(handler))); },
        asio::use_awaitable);
}

}  // namespace rushproof::rabbitmq
