#include "core/real/beast/http_endpoint.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <vector>

namespace rushproof {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

Task<std::vector<tcp::endpoint>> resolve(tcp::resolver& resolver, const HttpEndpoint& endpoint) {
    std::vector<tcp::endpoint> endpoints;
    error_code not_numeric;
    const auto address = asio::ip::make_address(endpoint.host, not_numeric);
    if (!not_numeric) {
        endpoints.emplace_back(address, endpoint.port);
        co_return endpoints;
    }
    const auto [error, results] =
        co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), await_tuple);
    for (const auto& entry : results) { endpoints.push_back(entry.endpoint()); }
    co_return endpoints;
}

}  // namespace

Result<HttpEndpoint> HttpEndpoint::parse(std::string_view url) {
    const auto bad = [&] {
        return failure(ErrorKind::permanent, "bad-url",
                       "'" + std::string(url) + "' is not of the form http://host:port");
    };
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) { return bad(); }
    std::string_view rest = url.substr(scheme.size());
    if (rest.ends_with('/')) { rest.remove_suffix(1); }
    HttpEndpoint endpoint;
    const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
    const auto colon = bracket == rest.npos ? rest.npos : rest.find(':', bracket);
    auto host = rest.substr(0, colon);
    if (colon != rest.npos) {
        const auto port = rest.substr(colon + 1);
        const auto parsed = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) { return bad(); }
    }
    if (host.starts_with('[') && host.ends_with(']')) { host = host.substr(1, host.size() - 2); }
    if (host.empty() || host.find_first_of("/[]?#@ ") != host.npos) { return bad(); }
    endpoint.host = host;
    return endpoint;
}

std::string HttpEndpoint::host_field() const {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Task<bool> connect(tcp::socket& socket, tcp::resolver& resolver, HttpEndpoint endpoint) {
    const auto endpoints = co_await resolve(resolver, endpoint);
    for (const tcp::endpoint& candidate : endpoints) {
        error_code error;
        socket.close(error);
        const auto [failed] = co_await socket.async_connect(candidate, await_tuple);
        if (failed == asio::error::operation_aborted) { break; }
        if (failed) { continue; }
        socket.set_option(tcp::no_delay(true), error);
        socket.non_blocking(true, error);
        co_return true;
    }
    co_return false;
}

}  // namespace rushproof
