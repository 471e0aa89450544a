// Links between machines: ordered like TCP, with a latency that has a heavy tail, and with faults.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "core/ports/context.hpp"
#include "core/ports/task.hpp"
#include "simulator/world/host.hpp"

namespace rushproof::simulator {

// The latency of a message is base + exponential(tail), and one in a while exponential(slow) more.
struct LinkOptions {
    Duration base = std::chrono::microseconds(100);
    Duration tail = std::chrono::microseconds(40);
    std::uint32_t slow_millionths = 1'000;
    Duration slow = std::chrono::milliseconds(5);
    std::size_t buffer = 4'096;  // requests under way; further ones are refused
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

// What a trace sees of an answer.  Specialise it for what is carried over call().
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

class Network {
public:
    explicit Network(Scheduler& scheduler, LinkOptions options = {});
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // Runs `deliver` as a step of the process that lives on `to` now; dropped when that one is dead
    // at arrival.  False, and nothing sent, when the link's buffer is full.
    bool send(Host& from, Machine& to, std::string_view what, std::uint64_t payload,
              std::function<void(Host&)> deliver);

    // A request and its answer.  `handler(Host& target, Context)` -> Task<Result<T>> runs as a new
    // coroutine of the target; it must hold nothing that belongs to the caller.  The deadline
    // crosses as time left on the target's own clock.  The handler is not cancelled when the caller
    // has gone.  Errors beside the handler's own:
    //   "unavailable" (retryable): refused, since nobody listened or the link's buffer was full, or
    //       the deadline had passed before anything was sent.  Nothing was processed.
    //   "connection-lost" (unknown outcome): the process that it was sent to died.
    //   "deadline-exceeded" (unknown outcome).
    template <class T, class Handler>
    Task<Result<T>> call(Host& caller, Machine& target, std::string_view what,
                         std::uint64_t payload, Context context, Handler handler);

    // Faults, from now until lifted.  Both answer how many messages the fault held up or delayed.
    void inject(LinkFault fault);
    std::uint64_t lift(std::string_view id);
    std::uint64_t touched(std::string_view id) const;

    std::uint64_t messages() const { return messages_; }

private:
    struct Link;
    struct ActiveFault;
    // Where the answer to a call goes; texts and machines live as long as the scheduler.
    struct Route {
        Machine* caller;
        std::uint32_t incarnation;
        WaitId wait;
    };
    enum class Loss : std::uint8_t { refused, reset };
    class Message;
    class Datagram;
    class Reset;
    template <class T, class Handler>
    class Request;
    template <class T>
    class Reply;

    template <class T, class Handler>
    static Task<void> serve(Network& network, Host& target, std::uint64_t call, Route route,
                            std::string_view what, Context context, Handler handler);

    Link& link(Machine& from, Machine& to);
    bool accepts_request(Machine& from, Machine& to);
    void enqueue(Machine& from, Machine& to, std::unique_ptr<Message> message);
    Duration latency(Link& link);
    void pump(Link& link);
    void arrive(Link& link);
    void deliver_first(Link& link);
    void refresh_faults(Link& link);
    void host_crashed(Host& host);
    static std::uint64_t held_by(const Link& link, const ActiveFault& fault, Duration now);

    std::uint32_t connected_incarnation(const Host& caller, const Machine& target) const;
    void connected(const Host& caller, const Machine& target, std::uint32_t incarnation);
    std::uint64_t begin_serving(Machine& target, Route route);
    void end_serving(Machine& target, std::uint64_t call);
    void lost(Machine& from, Route route, Loss loss);

    Scheduler& scheduler_;
    LinkOptions options_;
    std::uint64_t messages_ = 0;
    std::uint64_t calls_ = 0;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Link>> links_;
    std::vector<std::unique_ptr<ActiveFault>> faults_;
};

}  // namespace rushproof::simulator
