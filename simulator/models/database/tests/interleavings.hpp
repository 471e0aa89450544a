// Interleavings of two to four sessions, as data: what each step answers on PostgreSQL.  Written
// for any engine that has the statements of example.hpp.
//
// A line is `session: command -> outcome`.  Commands: begin [repeatable_read] [read_only], commit,
// rollback, close (the client goes away), or a statement with its arguments; a statement outside of
// begin and commit is a transaction of its own.  A line without a command says how a call stands
// that was under way: it has the outcome now, or it still `waits`.
// Outcomes: ok, the rows (columns by blank, rows by comma), none, waits, or error and its code.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rushproof::simulator::example {

struct Interleaving {
    std::string_view name;
    std::string_view script;
};

struct ScriptLine {
    char session;
    std::string command;
    std::string outcome;
};

std::span<const Interleaving> interleavings();
std::vector<ScriptLine> parse_script(std::string_view script);

}  // namespace rushproof::simulator::example
