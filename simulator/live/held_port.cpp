#include "simulator/live/held_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace rushproof::simulator {

// Bound with SO_REUSEADDR and never listening: Linux then lets another such socket listen there.
Result<HeldPort> HeldPort::any() {
    HeldPort held(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    const int yes = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (held.socket_ < 0 ||
        ::setsockopt(held.socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(held.socket_, generic, size) != 0 ||
        ::getsockname(held.socket_, generic, &size) != 0) {
        return failure(ErrorKind::permanent, "no-port", "no free loopback port can be had");
    }
    held.port_ = ntohs(address.sin_port);
    return held;
}

HeldPort::HeldPort(HeldPort&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}

HeldPort& HeldPort::operator=(HeldPort&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(port_, other.port_);
    return *this;
}

HeldPort::~HeldPort() {
    if (socket_ >= 0) { ::close(socket_); }
}

std::string HeldPort::address() const { return "127.0.0.1:" + std::to_string(port_); }

}  // namespace rushproof::simulator
