// The coroutine type of every service and of both worlds.
#pragma once
#include <boost/asio/awaitable.hpp>

namespace rushproof {

namespace asio = boost::asio;

// Runs on the executor it was spawned on and never moves to another one.  A Task that is destroyed
// while suspended destroys its frame: destructors of locals run, and must not do I/O.
template <class T>
using Task = asio::awaitable<T>;

}  // namespace rushproof
