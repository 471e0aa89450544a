// The rolling hash of a run: equal hashes mean equal runs.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"

namespace rushproof::simulator {

// A scheduler step, a message, a fault or a client operation, as the hash sees it.
struct TraceEvent {
    std::uint64_t index = 0;
    std::int64_t time = 0;  // virtual ns
    std::string host;
    std::string what;  // "step", "send", "reserve ok" ...
    std::uint64_t task = 0;
    std::uint64_t payload = 0;  // hash of the bytes
};

// A text with its hash, so that a name that comes again and again is hashed once.
class TraceText {
public:
    TraceText(std::string_view text) : text_(text), hash_(hash64(text)) {}
    TraceText(const char* text) : TraceText(std::string_view(text)) {}
    TraceText(const std::string& text) : TraceText(std::string_view(text)) {}
    // `hash` is hash64(text).
    TraceText(std::string_view text, std::uint64_t hash) : text_(text), hash_(hash) {}

    std::string_view text() const { return text_; }
    std::uint64_t hash() const { return hash_; }

private:
    std::string_view text_;
    std::uint64_t hash_;
};

inline constexpr std::uint64_t checkpoint_interval = 1024;

struct TraceSummary {
    std::string hash;  // 32 hex digits
    std::uint64_t events = 0;
    std::vector<std::uint64_t> checkpoints;  // the hash's low half every 1,024 events
    std::vector<TraceEvent> window;          // only what SimOptions asked for
};

class Trace {
public:
    Trace(std::uint64_t window_first, std::uint64_t window_last)
        : window_first_(window_first), window_last_(window_last) {}

    void add(std::int64_t time, const TraceText& host, const TraceText& what, std::uint64_t task,
             std::uint64_t payload);
    TraceSummary summary() const;

private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t window_first_;
    std::uint64_t window_last_;
    std::vector<std::uint64_t> checkpoints_;
    std::vector<TraceEvent> window_;
};

}  // namespace rushproof::simulator
