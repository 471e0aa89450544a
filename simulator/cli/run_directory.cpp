#include "simulator/cli/run_directory.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

#include "reports/report.hpp"
#include "simulator/record/history_binary.hpp"

namespace rushproof::simulator {

namespace {

Error file_error(const std::filesystem::path& path, const std::string& what) {
    return {ErrorKind::permanent, "file", path.string() + ": " + what};
}

Result<void> create(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) { return failure(file_error(directory, "cannot be created: " + error.message())); }
    return {};
}

}  // namespace

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
        return failure(
            file_error(path, "cannot be written; is the folder there, and is there room?"));
    }
    return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        return failure(file_error(path, "is a folder, not a file"));
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) { return failure(file_error(path, "cannot be read; does it exist?")); }
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
}

Result<void> write_history(const std::filesystem::path& directory, const History& history) {
    RP_CHECK(create(directory));
    std::ostringstream bytes;
    write_history_binary(history, bytes);
    return write_file(directory / "history", std::move(bytes).str());
}

Result<void> write_run(const std::filesystem::path& directory, const RunFiles& files) {
    RP_CHECK(create(directory));
    if (files.history != nullptr) { RP_CHECK(write_history(directory, *files.history)); }
    RP_CHECK(write_file(directory / "run.json", reports::run_json(files.record) + "\n"));
    if (files.trace != nullptr) {
        RP_CHECK(write_file(directory / "events", trace_text(*files.trace)));
    }
    if (!files.tape.empty()) { RP_CHECK(write_file(directory / "tape", files.tape)); }
    return {};
}

std::string trace_text(const TraceSummary& trace) {
    std::string text =
        "rushproof-events 1\n" + trace.hash + " " + std::to_string(trace.events) + "\n";
    for (const std::uint64_t checkpoint : trace.checkpoints) {
        text += std::to_string(checkpoint) + "\n";
    }
    for (const TraceEvent& event : trace.window) {
        text += "event " + std::to_string(event.index) + " " + std::to_string(event.time) + " " +
                event.host + " " + std::to_string(event.task) + " " +
                std::to_string(event.payload) + " " + event.what + "\n";
    }
    return text;
}

Result<TraceSummary> parse_trace(std::string_view text) {
    const auto refuse = [](std::size_t line) {
        return failure(ErrorKind::permanent, "bad-events",
                       "line " + std::to_string(line) + " is not what `rushproof run` writes");
    };
    std::istringstream lines{std::string(text)};
    std::string line;
    if (!std::getline(lines, line) || line != "rushproof-events 1") { return refuse(1); }
    TraceSummary trace;
    if (!std::getline(lines, line)) { return refuse(2); }
    std::istringstream header(line);
    if (!(header >> trace.hash >> trace.events) || trace.hash.size() != 32) { return refuse(2); }
    for (std::size_t number = 3; std::getline(lines, line); ++number) {
        if (line.starts_with("event ")) {
            std::istringstream words(line.substr(6));
            TraceEvent event;
            if (!(words >> event.index >> event.time >> event.host >> event.task >>
                  event.payload)) {
                return refuse(number);
            }
            std::getline(words >> std::ws, event.what);
            trace.window.push_back(std::move(event));
            continue;
        }
        std::uint64_t checkpoint = 0;
        const auto [end, error] =
            std::from_chars(line.data(), line.data() + line.size(), checkpoint);
        if (error != std::errc() || end != line.data() + line.size()) { return refuse(number); }
        trace.checkpoints.push_back(checkpoint);
    }
    return trace;
}

}  // namespace rushproof::simulator
