// How a simulated process reaches one broker.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/ports/message_queue.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

// Of one process; `Server` is the kind of broker.
template <class Server>
class BrokerAccess {
public:
    // Both outlive the process.
    BrokerAccess(Host& host, Network& network, Server& server)
        : host_(&host), network_(&network), server_(&server) {}

    Host& host() const { return *host_; }
    Clock& clock() const { return host_->clock(); }
    MonotonicTime now() const { return host_->clock().monotonic(); }
    Server& server() const { return *server_; }
    auto client() const { return Server::client_of(*host_); }

    // A request; `serve()` makes the server's coroutine and holds nothing of this process.
    template <class T, class Serve>
    Task<Result<T>> ask(TraceText what, std::uint64_t payload, MonotonicTime deadline,
                        Serve serve) const {
        auto handler = [serve = std::move(serve)](Host&, Context) mutable { return serve(); };
        return network_->call<T>(*host_, server_->machine(), what, payload, Context(deadline),
                                 std::move(handler));
    }
    // Without an answer; false: nobody is there.
    template <class Deliver>
    bool tell(TraceText what, std::uint64_t payload, Deliver deliver) const {
        if (!host_->alive()) { return false; }
        return network_->send(*host_, server_->machine(), what, payload,
                              [deliver = std::move(deliver)](Host&) mutable { deliver(); });
    }

private:
    Host* host_;
    Network* network_;
    Server* server_;
};

// Coroutines of one process that wait until something may have changed.
class HostSignal {
public:
    explicit HostSignal(Host& host) : host_(host) {}
    HostSignal(const HostSignal&) = delete;
    HostSignal& operator=(const HostSignal&) = delete;

    void notify() {
        const auto waiting = std::exchange(waiting_, {});
        if (!host_.alive()) { return; }
        for (const ReplyTo<bool>& to : waiting) { host_.answer(to, Result<bool>(true)); }
    }
    // Returns at the deadline at the latest.
    static Task<void> wait(HostSignal& signal, MonotonicTime deadline) {
        auto start = [&signal](ReplyTo<bool> to) { signal.waiting_.push_back(to); };
        const auto woken = co_await signal.host_.reply<bool>("signal", deadline, std::move(start));
        static_cast<void>(woken);
    }

private:
    Host& host_;
    std::vector<ReplyTo<bool>> waiting_;
};

// What the trace sees of a message, or of numbers.
inline std::uint64_t hash_message(const Message& message) {
    std::uint64_t hash = combine64(hash64(message.id), hash64(message.key));
    return combine64(hash, hash64(message.body));
}
inline std::uint64_t hash_numbers(const std::vector<std::uint64_t>& numbers) {
    std::uint64_t hash = numbers.size();
    for (const std::uint64_t number : numbers) { hash = combine64(hash, number); }
    return hash;
}

}  // namespace rushproof::simulator
