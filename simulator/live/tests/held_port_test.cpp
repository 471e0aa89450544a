// Goal: a port stays with its process over restarts.  Method: listen on it again and again, while
// others ask for ports.
#include "simulator/live/held_port.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "core/ports/task.hpp"

namespace rushproof::simulator {
namespace {

using asio::ip::tcp;

tcp::endpoint endpoint_of(const HeldPort& held) {
    const std::string address = held.address();
    const auto colon = address.find(':');
    EXPECT_EQ(address.substr(0, colon), "127.0.0.1");
    return {asio::ip::address_v4::loopback(),
            static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)))};
}

TEST(HeldPort, CanBeListenedOnAgainAndAgain) {
    const HeldPort held = HeldPort::any().value();
    asio::io_context context;
    for (int start = 0; start < 3; ++start) {
        tcp::acceptor acceptor(context, endpoint_of(held));
        tcp::socket client(context);
        client.connect(endpoint_of(held));
        EXPECT_TRUE(client.is_open());
    }
    tcp::socket client(context);
    boost::system::error_code error;
    client.connect(endpoint_of(held), error);
    EXPECT_EQ(error, asio::error::connection_refused);
}

TEST(HeldPort, IsGivenToNobodyElse) {
    const HeldPort held = HeldPort::any().value();
    asio::io_context context;
    tcp::acceptor server(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 500; ++i) {
        clients.emplace_back(context).connect(server.local_endpoint());
        EXPECT_NE(clients.back().local_endpoint(), endpoint_of(held));
        server.accept();
    }
    for (int i = 0; i < 500; ++i) { EXPECT_NE(HeldPort::any().value().address(), held.address()); }
}

}  // namespace
}  // namespace rushproof::simulator
