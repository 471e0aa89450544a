// TCP relays of our own between processes and what they talk to, so that live links can be cut and
// slowed.  User space: no privilege is needed, and no byte is lost, only late, as with TCP.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof::simulator {

// One link: clients connect to address(), and what they send comes to the target, and back.
// Any thread may call its methods.
class Relay {
public:
    virtual ~Relay() = default;
    virtual const std::string& address() const = 0;  // "127.0.0.1:4711"

    // Where connections go from now on, "127.0.0.1:4222"; before, none is accepted.  Error:
    // permanent "cannot-start".
    virtual Result<void> aim_at(const std::string& target) = 0;

    // Nothing passes that way until release().  Also new connections stall.
    virtual void hold(bool towards_target, bool towards_client) = 0;
    // What passes that way is this late, and up to `jitter` more.
    virtual void slow(bool towards_target, bool towards_client, Duration delay,
                      Duration jitter) = 0;
    // Everything passes again, what was held up first, in its order.
    virtual void release() = 0;
    // Bytes that were held up or slowed since the last call.
    virtual std::uint64_t take_touched() = 0;
};

// Relays on one thread of their own, which ends with this.
class Relays {
public:
    Relays();
    Relays(const Relays&) = delete;
    Relays& operator=(const Relays&) = delete;
    ~Relays();

    // An empty target is given later.  The relay lives as long as this.  Error: permanent
    // "cannot-start".
    Result<Relay*> add(const std::string& target);

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace rushproof::simulator
