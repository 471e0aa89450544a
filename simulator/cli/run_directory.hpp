// The directory of a run: run.json, history, events, tape.  Reports and replay read nothing else.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

// Errors name the path.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);
Result<std::string> read_file(const std::filesystem::path& path);

struct RunFiles {
    RunRecord record;
    const History* history = nullptr;     // null: it is there already (write_history)
    const TraceSummary* trace = nullptr;  // virtual time only
    std::string_view tape;                // virtual time only
};
// Creates the directory if need be, as write_run does.
Result<void> write_history(const std::filesystem::path& directory, const History& history);
Result<void> write_run(const std::filesystem::path& directory, const RunFiles& files);

// "events": the trace's hash, event count and checkpoints, and the events of its window, as text.
std::string trace_text(const TraceSummary& trace);
Result<TraceSummary> parse_trace(std::string_view text);

}  // namespace rushproof::simulator
