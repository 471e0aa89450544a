// The same work by NATS's own C library, with nothing of ours around it.
#pragma once
#include <chrono>
#include <string>

namespace rushproof::bench {

using Seconds = std::chrono::duration<double>;

// `count` messages with up to `at_once` unconfirmed ones.
Seconds raw_publish(const std::string& url, int count, int at_once, const std::string& body);
// The same, consumed and acknowledged meanwhile.
Seconds raw_pass(const std::string& url, int count, int at_once, const std::string& body);

}  // namespace rushproof::bench
