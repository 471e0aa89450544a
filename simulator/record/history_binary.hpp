// The compact form that run directories keep: about 40 bytes an event, checked by checksums,
// readable by every later version.
#pragma once
#include <iosfwd>
#include <string_view>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

void write_history_binary(const History& history, std::ostream& output);

// `bytes` is the whole file.  Anything but an undamaged file is a permanent error "bad-history"
// that says where and why; what it asks for is never more memory than a small multiple of the file.
Result<History> read_history_binary(std::string_view bytes);

// Tells the binary form from JSON lines by its first bytes.
bool is_history_binary(std::string_view bytes);

// Either form; JSON lines are read piece by piece.
Result<History> read_history(std::istream& input);

}  // namespace rushproof::simulator
