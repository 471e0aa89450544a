#include "core/runtime/scope.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof {

class Scope::State {
public:
    using Child = std::list<asio::cancellation_signal>::iterator;

    bool empty() const { return children_.empty() && visits_ == 0; }
    Child add() { return children_.emplace(children_.end()); }

    void cancel() {
        for (auto next = children_.begin(); next != children_.end();) {
            const auto child = next++;
            child->emit(asio::cancellation_type::terminal);
        }
    }

    void ended(Child child) {
        children_.erase(child);
        wake_joiner();
    }
    void visit_began() { ++visits_; }
    void visit_ended() {
        --visits_;
        wake_joiner();
    }

    // The child's frame was destroyed before its end: the executor is gone, and with it the joiner,
    // whose frame may own the scope.
    void destroyed(Child child) {
        children_.erase(child);
        if (empty()) { forget_joiner(); }
    }

    void wait(asio::any_io_executor executor, asio::any_completion_handler<void()> handler) {
        RP_ASSERT(!joiner_);
        joiner_.emplace(Joiner{std::move(executor), std::move(handler)});
    }
    void forget_joiner() { const auto joiner = std::exchange(joiner_, std::nullopt); }

private:
    struct Joiner {
        asio::any_io_executor executor;
        asio::any_completion_handler<void()> handler;
    };

    void wake_joiner() {
        if (!empty() || !joiner_) { return; }
        asio::post(joiner_->executor,
                   [handler = std::move(joiner_->handler)]() mutable { std::move(handler)(); });
        joiner_.reset();
    }

    std::list<asio::cancellation_signal> children_;
    std::size_t visits_ = 0;
    std::optional<Joiner> joiner_;
};

// A child's completion handler.  Destroyed without being called when the child's frame is.
class Scope::Ended {
public:
    Ended(std::shared_ptr<State> state, State::Child child)
        : state_(std::move(state)), child_(child) {}
    Ended(Ended&& other) noexcept = default;
    ~Ended() {
        if (state_) { state_->destroyed(child_); }
    }

    void operator()(const std::exception_ptr& exception) {
        std::exchange(state_, nullptr)->ended(child_);
        if (!exception) { return; }
        try {
            std::rethrow_exception(exception);
        } catch (const boost::system::system_error& error) {
            if (error.code() != asio::error::operation_aborted) { throw; }
        }
    }

private:
    std::shared_ptr<State> state_;
    State::Child child_;
};

Scope::Scope(Spawner& spawner) : spawner_(spawner), state_(std::make_shared<State>()) {}

Scope::~Scope() { state_->forget_joiner(); }

namespace {

// Asio cannot end a coroutine that was cancelled before it ever left the stack that started it: the
// cancellation surfaces outside of it.  So every child begins with a round through the executor.
Task<void> start_later(Task<void> child) {
    co_await asio::post(asio::deferred);
    co_await std::move(child);
}

}  // namespace

void Scope::start(std::string_view name, Task<void> child) {
    const auto entry = state_->add();
    asio::co_spawn(spawner_.executor(name), start_later(std::move(child)),
                   asio::bind_cancellation_slot(entry->slot(), Ended(state_, entry)));
}

Scope::Visit Scope::visit() { return Visit(state_); }

void Scope::cancel() { state_->cancel(); }

Scope::Visit::Visit(std::shared_ptr<State> state) : state_(std::move(state)) {
    state_->visit_began();
}

Scope::Visit::~Visit() { state_->visit_ended(); }

Task<void> Scope::join() {
    const std::shared_ptr<State> state = state_;
    const auto executor = co_await asio::this_coro::executor;
    if (state->empty()) { co_return; }
    const auto wait = [&](auto joiner) {
        asio::any_completion_handler<void()> handler(std::move(joiner));
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<State>(state)](asio::cancellation_type) {
                if (const auto alive = weak.lock()) { alive->cancel(); }
            });
        }
        state->wait(executor, std::move(handler));
    };
    co_await asio::async_initiate<const asio::deferred_t&, void()>(wait, asio::deferred);
}

}  // namespace rushproof
