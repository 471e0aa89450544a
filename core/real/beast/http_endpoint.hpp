// Where an HTTP server is, and the way there.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// "http://host:port"; the port is 80 when absent.  Error: "bad-url".
struct HttpEndpoint {
    std::string host;
    std::uint16_t port = 80;
    static Result<HttpEndpoint> parse(std::string_view url);
    std::string host_field() const;  // with the port
};

// Tries all addresses of the host.  True: `socket` is connected, and does not block.  Closing it
// and cancelling `resolver` ends the attempt.
Task<bool> connect(asio::ip::tcp::socket& socket, asio::ip::tcp::resolver& resolver,
                   HttpEndpoint endpoint);

}  // namespace rushproof
