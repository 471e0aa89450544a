// Collects what is wrong while a tree is read, and knows where in the scenario the reading is.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/scenario/yaml_tree.hpp"

namespace rushproof::simulator {

// The candidate that `word` was probably meant to be; empty when none is near.
std::string_view nearest_word(std::string_view word, std::span<const std::string> candidates);

// 'did you mean "stages"?', else 'one of: rate, stages'.
std::string suggest(std::string_view word, std::span<const std::string> candidates);

class Reader {
public:
    // `origins[0]` is the file's name; `origins[n]` is the n-th override as it was given.
    explicit Reader(std::vector<std::string> origins) : origins_(std::move(origins)) {}

    void error(const Place& at, std::string message, std::string hint = {});
    void warning(const Place& at, std::string message, std::string hint = {});
    void error(const Place& at, const Problem& problem) {
        error(at, problem.message, problem.hint);
    }
    // At the place that `path` names in `root`, or as near to it as the tree goes.
    void error_at(const Node& root, std::string_view path, std::string message,
                  std::string hint = {});
    void warning_at(const Node& root, std::string_view path, std::string message,
                    std::string hint = {});

    bool failed() const { return !errors_.empty(); }
    // Enough is wrong: further errors are dropped, so looking for them is a waste.
    bool full() const { return errors_.size() >= findings_max; }
    // In file order, each once; at most limits::diagnostics_max of them.
    std::vector<Diagnostic> errors() const { return in_order(errors_); }
    std::vector<Diagnostic> warnings() const { return in_order(warnings_); }

    // What Scenario keeps of a place: line 0 for an override.
    static Location location(const Place& at) { return at.origin == 0 ? at.at : Location{}; }

    // "load.flash.rate"; messages of error() and warning() begin with it.
    const std::string& path() const { return path_; }

    // While it lives, the path is one segment longer.
    class Scope {
    public:
        Scope(Reader& reader, std::string_view segment);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        Reader& reader_;
        std::size_t length_;
    };

private:
    // Cells of a matrix find the same again, so more are kept than are reported.
    static constexpr std::size_t findings_max = 10 * limits::diagnostics_max;

    struct Finding {
        Place at;
        std::string message;
        std::string hint;
    };
    static void add(std::vector<Finding>& findings, const Place& at, std::string_view path,
                    std::string message, std::string hint);
    std::vector<Diagnostic> in_order(std::vector<Finding> findings) const;

    std::vector<std::string> origins_;
    std::string path_;
    std::vector<Finding> errors_;
    std::vector<Finding> warnings_;
};

}  // namespace rushproof::simulator
