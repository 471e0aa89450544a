// What travels with a request along its whole call chain.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/time.hpp"

namespace rushproof {

// W3C trace context: 128 bits of trace and 64 of the calling span.  All zero means "not traced".
struct TraceId {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::uint64_t span = 0;
    friend bool operator==(const TraceId&, const TraceId&) = default;
};

// First argument, by value, of every use case and port call.  The deadline is on the callee's own
// monotonic clock; adapters carry it over the wire as time left, so it only ever shrinks.
class Context {
public:
    explicit Context(MonotonicTime deadline_at) : deadline(deadline_at) {}

    // The same context with an earlier deadline; a later one is ignored.
    Context until(MonotonicTime earlier) const {
        Context result = *this;
        if (earlier < result.deadline) { result.deadline = earlier; }
        return result;
    }

    MonotonicTime deadline;
    TraceId trace;
    std::string idempotency_key;
    std::string principal;
    // Reads see at least what was done up to here: the opaque text that the answer to a write
    // carried, or latest_position.  Empty asks for nothing.
    std::string position;
};

// Everything that was done up to now.
inline constexpr std::string_view latest_position = "latest";

}  // namespace rushproof
