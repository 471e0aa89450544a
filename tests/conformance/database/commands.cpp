#include "tests/conformance/database/commands.hpp"

#include <stdexcept>

#include "simulator/models/database/tests/example.hpp"

namespace rushproof::conformance {

namespace {

std::string to_text(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) { return std::to_string(*number); }
    return std::get<std::string>(value);
}

bool is_number(const std::string& word) {
    return word.find_first_not_of("0123456789", word[0] == '-' ? 1 : 0) == std::string::npos;
}

}  // namespace

std::optional<Begin> begin_of(const std::vector<std::string>& command) {
    if (command[0] != "begin") { return std::nullopt; }
    Begin begin;
    for (const std::string& word : command) {
        if (word == "repeatable_read") { begin.isolation = Isolation::repeatable_read; }
        if (word == "serializable") { begin.isolation = Isolation::serializable; }
        if (word == "read_only") { begin.access = Access::read_only; }
    }
    return begin;
}

Call call_of(const std::vector<std::string>& command) {
    const Statement* statement = nullptr;
    for (const Statement* candidate : simulator::example::statements()) {
        if (candidate->name == command[0]) { statement = candidate; }
    }
    if (statement == nullptr) { throw std::runtime_error("no statement " + command[0]); }
    Row arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
        if (is_number(command[i])) {
            arguments.emplace_back(std::int64_t{std::stoll(command[i])});
        } else {
            arguments.emplace_back(command[i]);
        }
    }
    return Call(*statement, std::move(arguments));
}

std::string to_text(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) {
        if (!text.empty()) { text += ", "; }
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += (i == 0 ? "" : " ") + to_text(row[i]);
        }
    }
    return text.empty() ? "none" : text;
}

}  // namespace rushproof::conformance
