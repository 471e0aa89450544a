// Reads a scenario file: YAML text in, one Scenario for each cell of its matrix out.
#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// One thing that is wrong with a file, or worth a warning.
struct Diagnostic {
    std::string file;       // of an override: "--set load.flash.rate=abc", with location.line 0
    Location location;      // of the value or key that is wrong
    std::string message;    // what is wrong: 'unknown key "stagse" in load.flash'
    std::string hint = {};  // what to write instead: 'did you mean "stages"?'; may be empty
};
// "scenarios/x.yaml:12:5: message", then the hint on an indented line of its own.
std::string to_string(const Diagnostic& diagnostic);

struct ParseOptions {
    std::string file;                    // as diagnostics and Scenario::file name it
    std::vector<std::string> overrides;  // "load.flash.stages.0.target=8000/s", later ones win
};

struct ParsedFile {
    std::vector<Scenario> scenarios;  // one per cell, in the matrix's order; never empty
    bool fail_fast = true;            // strategy.fail-fast: the first failing cell ends the others
    std::vector<Diagnostic> warnings;
};

// Reports everything that it can find wrong at once, in file order.  Never throws; any input up to
// the limits of limits.hpp is read in bounded time, anything beyond them is an error.
tl::expected<ParsedFile, std::vector<Diagnostic>> parse_scenario(std::string_view text,
                                                                 const ParseOptions& options);

// The checks that a file may name.  The checkers are the truth; a test of the CLI compares.
const std::vector<std::string_view>& known_checks();

enum class MetricUnit : std::uint8_t { time, ratio, per_second };
// A metric that thresholds may name: "reserve.latency".
struct MetricName {
    std::string name;
    MetricUnit unit = MetricUnit::time;
    std::string sentence;  // what it measures
};
const std::vector<MetricName>& known_metrics();

}  // namespace rushproof::simulator
