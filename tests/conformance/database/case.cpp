#include "tests/conformance/database/case.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace rushproof::conformance {

namespace {

std::string describe(char session, const SessionState& state) {
    std::string line{session, ':', ' '};
    if (!state.waiting) { return line + state.outcome; }
    line += "waits for";
    for (const char blocker : state.blockers) { line += std::string(" ") + blocker; }
    return line;
}

}  // namespace

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) { result.push_back(word); }
    return result;
}

std::vector<Case> parse_cases(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<Case> result;
    std::string comment;
    for (std::string line; std::getline(stream, line);) {
        if (line.empty()) { continue; }
        if (line.starts_with("#")) {
            comment += line + "\n";
        } else if (line.starts_with("== ")) {
            result.push_back({std::move(comment), line.substr(3), {}});
            comment.clear();
        } else if (line.starts_with("  ")) {
            result.back().steps.back().seen.push_back(line.substr(2));
        } else if (line.size() > 3 && line[1] == ':') {
            result.back().steps.push_back({line[0], line.substr(3), {}});
        } else {
            throw std::runtime_error("not a line of a case: " + line);
        }
    }
    return result;
}

std::map<std::string, std::vector<Case>> read_cases(const std::filesystem::path& folder) {
    std::map<std::string, std::vector<Case>> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".txt") { continue; }
        std::ifstream file(entry.path());
        std::stringstream text;
        text << file.rdbuf();
        result[entry.path().stem().string()] = parse_cases(text.str());
    }
    return result;
}

std::string to_text(const Case& written) {
    std::string text = written.comment + "== " + written.name + "\n";
    for (const Step& step : written.steps) {
        text += std::string{step.session, ':', ' '} + step.command + "\n";
        for (const std::string& line : step.seen) { text += "  " + line + "\n"; }
    }
    return text;
}

std::vector<std::string> take_step(Engine& engine, const Step& step,
                                   std::map<char, SessionState>& known) {
    const auto before = known.find(step.session);
    if (before != known.end() && before->second.waiting) {
        return {std::string(1, step.session) + ": is still busy"};
    }
    engine.submit(step.session, step.command);
    const std::map<char, SessionState> states = engine.settle();
    std::vector<std::string> seen;
    if (const auto stepped = states.find(step.session); stepped != states.end()) {
        seen.push_back(describe(step.session, stepped->second));
    }
    for (const auto& [session, state] : states) {
        if (session != step.session && known.contains(session) && known[session] != state) {
            seen.push_back(describe(session, state));
        }
    }
    known = states;
    return seen;
}

Case observe(Engine& engine, const Case& written) {
    Case observed = written;
    engine.reset();
    std::map<char, SessionState> known;
    for (Step& step : observed.steps) { step.seen = take_step(engine, step, known); }
    return observed;
}

}  // namespace rushproof::conformance
