// JSON lines: the form of a history that other programs write and read (docs/history.md).
#pragma once
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Errors are permanent "bad-history"; the message names the line, the reason and the remedy:
// "line 7: the quantity is 0: give a `quantity` from 1 to 1000000000".
Result<History> read_history_json(std::istream& input);
Result<History> parse_history_json(std::string_view text);

// Feeds the reader piece by piece; a piece may end anywhere.
class HistoryJsonReader {
public:
    HistoryJsonReader();
    HistoryJsonReader(HistoryJsonReader&&) noexcept;
    ~HistoryJsonReader();

    // After an error, feed and finish only repeat it.
    Result<void> feed(std::string_view piece);
    Result<History> finish();

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// The header, events and faults by time, then the audit.  What it writes, the reader reads back.
void write_history_json(const History& history, std::ostream& output);

}  // namespace rushproof::simulator
