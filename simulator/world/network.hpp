// Links between machines: ordered like TCP, with a latency that has a heavy tail, and with faults.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"
#include "simulator/world/host.hpp"

namespace rushproof::simulator {

// The latency of a message is base + exponential(tail), and once in a while exponential(slow) more.
struct LinkOptions {
    Duration base = std::chrono::microseconds(100);
    Duration tail = std::chrono::microseconds(40);
    std::uint32_t slow_millionths = 1'000;
    Duration slow = std::chrono::milliseconds(5);
    std::size_t buffer = 4'096;  // messages under way; further requests are refused
};

// From one machine to another; an empty name means every machine.
struct LinkPattern {
    std::string from;
    std::string to;
};

struct LinkFault {
    std::string id;  // unique among those under way; keys its draws
    std::vector<LinkPattern> links;
    bool hold = false;  // nothing gets through; what waits is delivered in order once it is lifted
    Duration delay{};   // added to each message
    Duration jitter{};  // and up to this more, uniform
};

// What the trace sees of an answer.  Specialise it for what else is carried by call().
template <class T>
struct PayloadHash;
template <>
struct PayloadHash<std::string> {
    static std::uint64_t of(const std::string& text) { return hash64(text); }
};
template <>
struct PayloadHash<std::int64_t> {
    static std::uint64_t of(std::int64_t number) {
        return mix64(static_cast<std::uint64_t>(number));
    }
};

// Lives longer than every Host, and less long than the Scheduler.
class Network {
public:
    explicit Network(Scheduler& scheduler, LinkOptions options = {});
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // Runs `deliver` as a step of the process that lives on `to` now; dropped when that one is dead
    // at arrival.  False, and nothing sent, when the link's buffer is full or nobody lives there.
    // `what`, here and below, is for traces, and lives as long as the scheduler.
    bool send(Host& from, Machine& to, TraceText what, std::uint64_t payload,
              std::function<void(Host&)> deliver);

    template <class T>
    using Handler = std::function<Task<Result<T>>(Host& target, Context)>;

    // A request and its answer.  `handler` runs as a new coroutine of the target, and must hold
    // nothing that belongs to the caller; it is not cancelled when the caller has gone.  The
    // deadline crosses as time left on the target's own clock.  Errors beside the handler's own:
    //   "unavailable" (retryable): refused, since nobody listened or the link's buffer was full, or
    //       the deadline had passed before anything was sent.  Nothing was processed.
    //   "connection-lost" (unknown outcome): the process that it was sent to died.
    //   "deadline-exceeded" (unknown outcome).
    template <class T>
    Task<Result<T>> call(Host& caller, Machine& target, TraceText what, std::uint64_t payload,
                         Context context, Handler<T> handler);

    // Faults, from now until lifted.  lift() and touched() answer how many messages the fault held
    // up or delayed so far.
    void inject(LinkFault fault);
    std::uint64_t lift(std::string_view id);
    std::uint64_t touched(std::string_view id) const;

private:
    struct ActiveFault;
    class Link;
    class Datagram;
    class Failure;
    template <class T>
    class Request;
    template <class T>
    class Reply;

    // refused: nobody listened; reset: the process that it was for is dead.
    enum class Loss : std::uint8_t { refused, reset };

    class Message {
    public:
        struct Head {
            TraceText what;
            std::uint64_t payload;
            std::uint32_t incarnation;  // of the process it is for; 0: whoever lives there
            bool needs_listener = false;
        };
        explicit Message(Head its_head) : head(its_head) {}
        Message(const Message&) = delete;
        Message& operator=(const Message&) = delete;
        virtual ~Message() = default;

        // Runs on the host that it was sent to.
        virtual void deliver(Host& target) = 0;
        // Arrived at `machine` in vain.
        virtual void bounce(Machine& /*machine*/, Loss /*loss*/) {}

        const Head head;
        Duration arrival{};
    };

    // Where the answer to a call goes.
    struct Route {
        Machine* caller;
        std::uint32_t incarnation;
        WaitId wait;
    };

    template <class T>
    static Task<void> serve(Network& network, Host& target, std::uint64_t call, TraceText what,
                            Context context, Handler<T> handler);
    template <class T>
    static std::uint64_t payload_of(const Result<T>& result);

    using Faults = std::vector<std::unique_ptr<ActiveFault>>;

    Link& link(Machine& from, Machine& to);
    bool is_full(const Link& link) const;
    void push(Link& link, std::unique_ptr<Message> message);
    Faults::const_iterator find_fault(std::string_view id) const;
    void host_crashed(Host& host);

    // The process of the target that `caller` last heard from over this link; 0: none.
    static std::uint32_t connected_to(const Host& caller, const Link& link);
    std::uint64_t begin_serving(const Host& target, Route route);
    Route end_serving(const Host& target, std::uint64_t call);
    void answered(const Host& caller, Machine& target, std::uint32_t incarnation);
    void disconnect(const Host& caller, Machine& target);
    void fail(Machine& from, const Route& route, Loss loss);

    // A request that is being answered.
    struct Served {
        std::uint64_t call;
        Route route;
    };
    template <class Function>
    void for_each_link(Function function) const;

    Scheduler& scheduler_;
    LinkOptions options_;
    std::uint64_t calls_ = 0;
    std::vector<std::vector<std::unique_ptr<Link>>>
        links_;                                 // by machine, from and to; null: unused
    std::vector<std::vector<Served>> serving_;  // by machine; in order of the calls
    Faults faults_;
};

template <class T>
std::uint64_t Network::payload_of(const Result<T>& result) {
    if (!result) { return hash64(result.error().code()); }
    if constexpr (std::is_void_v<T>) {
        return 0;
    } else {
        return PayloadHash<T>::of(*result);
    }
}

template <class T>
class Network::Reply final : public Message {
public:
    Reply(Network& network, Host& target, Route route, TraceText what, Result<T> result)
        : Message({what, payload_of(result), route.incarnation}),
          network_(network),
          sender_(target.machine()),
          sender_incarnation_(target.incarnation()),
          wait_(route.wait),
          result_(std::move(result)) {}

    void deliver(Host& caller) override {
        network_.answered(caller, sender_, sender_incarnation_);
        caller.answer(ReplyTo<T>{wait_}, std::move(result_));
    }

private:
    Network& network_;
    Machine& sender_;
    std::uint32_t sender_incarnation_;
    WaitId wait_;
    Result<T> result_;
};

template <class T>
class Network::Request final : public Message {
public:
    Request(Network& network, Route route, Head its_head, Duration time_left, Context context,
            Handler<T> handler)
        : Message(its_head),
          network_(network),
          route_(route),
          time_left_(time_left),
          context_(std::move(context)),
          handler_(std::move(handler)) {}

    void deliver(Host& target) override {
        context_.deadline = target.clock().monotonic() + time_left_;
        const std::uint64_t call = network_.begin_serving(target, route_);
        const TraceText what = head.what;
        target.serve(
            what, serve<T>(network_, target, call, what, std::move(context_), std::move(handler_)));
    }
    void bounce(Machine& machine, Loss loss) override { network_.fail(machine, route_, loss); }

private:
    Network& network_;
    Route route_;
    Duration time_left_;
    Context context_;
    Handler<T> handler_;
};

template <class T>
Task<void> Network::serve(Network& network, Host& target, std::uint64_t call, TraceText what,
                          Context context, Handler<T> handler) {
    Result<T> result = co_await handler(target, std::move(context));
    const Route route = network.end_serving(target, call);
    network.push(network.link(target.machine(), *route.caller),
                 std::make_unique<Reply<T>>(network, target, route, what, std::move(result)));
}

template <class T>
Task<Result<T>> Network::call(Host& caller, Machine& target, TraceText what, std::uint64_t payload,
                              Context context, Handler<T> handler) {
    // A bound that keeps "no deadline" from overflowing the target's clock.
    constexpr Duration longest = std::chrono::hours(24 * 365);
    const MonotonicTime deadline = context.deadline;
    const Duration left = std::min(deadline - caller.clock().monotonic(), longest);
    if (left <= Duration::zero()) {
        co_return failure(ErrorKind::retryable, "unavailable",
                          "the deadline had passed before anything was sent");
    }
    Link& there = link(caller.machine(), target);
    if (is_full(there)) {
        co_return failure(ErrorKind::retryable, "unavailable",
                          "too many messages are under way to " + target.name());
    }
    auto start = [&](ReplyTo<T> to) {
        const Route route{&caller.machine(), caller.incarnation(), to.id};
        const Message::Head head{what, payload, connected_to(caller, there), true};
        push(there, std::make_unique<Request<T>>(*this, route, head, left, std::move(context),
                                                 std::move(handler)));
    };
    co_return co_await caller.reply<T>(what.text(), deadline, std::move(start));
}

}  // namespace rushproof::simulator
