// One coroutine waits for what another one will tell it.
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/ports/task.hpp"

namespace rushproof {

// The right to resume a suspended coroutine, once, with its answer.  Destroyed without that, it
// destroys the coroutine: for crashes only.
template <class T>
class Resumption {
public:
    using Handler = asio::any_completion_handler<void(T)>;

    Resumption(asio::any_io_executor executor, Handler handler)
        : executor_(std::move(executor)), handler_(std::move(handler)) {}

    // Never inline: the coroutine goes on later, on its own executor.
    void operator()(T answer) {
        asio::post(executor_, [handler = std::move(handler_), value = std::move(answer)]() mutable {
            std::move(handler)(std::move(value));
        });
    }

private:
    asio::any_io_executor executor_;
    Handler handler_;
};

// co_await suspend<T>(start): suspends the caller, hands its Resumption<T> to start, and returns
// what it is resumed with.  Cancelling the caller does not wake it.
template <class T, class Start>
auto suspend(Start start) {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
        [start = std::move(start)](auto handler) mutable {
            asio::any_io_executor executor = asio::get_associated_executor(handler);
            start(Resumption<T>(std::move(executor), std::move(handler)));
        },
        asio::use_awaitable);
}

}  // namespace rushproof
