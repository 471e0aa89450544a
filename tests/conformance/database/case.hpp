// A conformance case: a script for several sessions, and what each step was seen to do.  README.md
// says what a script may contain.
#pragma once
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rushproof::conformance {

struct Step {
    char session;  // '-': the world
    std::string command;
    std::vector<std::string> seen;  // "a: A 9", "b: waits for a"
};

struct Case {
    std::string comment;  // whole lines
    std::string name;
    std::vector<Step> steps;
};

std::vector<Case> parse_cases(std::string_view text);
// Of every *.txt in the folder, by name of file.
std::map<std::string, std::vector<Case>> read_cases(const std::filesystem::path& folder);
std::string to_text(const Case& written);
std::vector<std::string> words(const std::string& text);

struct SessionState {
    bool waiting = false;
    std::string outcome;      // of the last command that has one
    std::set<char> blockers;  // while it waits: whom for
    friend bool operator==(const SessionState&, const SessionState&) = default;
};

// Something that has sessions and runs commands.
class Engine {
public:
    virtual ~Engine() = default;
    // Three rows in table stock, no session.
    virtual void reset() = 0;
    // A session exists from its first command on.  It must not be waiting.
    virtual void submit(char session, const std::string& command) = 0;
    // Runs until every session has its answer or waits for another one.
    virtual std::map<char, SessionState> settle() = 0;
};

// Runs the script on an engine that was just reset.  An answer of the stepped session comes first,
// then whatever changed for others.
Case observe(Engine& engine, const Case& written);
std::vector<std::string> take_step(Engine& engine, const Step& step,
                                   std::map<char, SessionState>& known);

}  // namespace rushproof::conformance
