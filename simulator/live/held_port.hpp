// A loopback port that stays ours while the process that serves it is down.
#pragma once
#include <string>

#include "core/base/result.hpp"

namespace rushproof::simulator {

// Nobody is given the port meanwhile, neither as a server nor as the near end of a connection; a
// process that is told the address can listen on it as often as it likes.
class HeldPort {
public:
    static Result<HeldPort> any();
    HeldPort(const HeldPort&) = delete;
    HeldPort& operator=(const HeldPort&) = delete;
    HeldPort(HeldPort&& other) noexcept;
    HeldPort& operator=(HeldPort&& other) noexcept;
    ~HeldPort();

    std::string address() const;  // "127.0.0.1:4711"

private:
    HeldPort(int socket, int port) : socket_(socket), port_(port) {}

    int socket_ = -1;
    int port_ = 0;
};

}  // namespace rushproof::simulator
