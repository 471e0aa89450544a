#include "simulator/models/database/tests/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <sstream>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof::simulator::example {

namespace {

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) { result.push_back(word); }
    return result;
}

// Digits are numbers.
Call call_of(const std::vector<std::string>& command) {
    const Statement* statement = nullptr;
    for (const Statement* candidate : statements()) {
        if (candidate->name == command[0]) { statement = candidate; }
    }
    RP_ASSERT(statement != nullptr);
    Row arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
        const std::string& word = command[i];
        const bool number = word.find_first_not_of("-0123456789") == std::string::npos;
        if (number) {
            arguments.emplace_back(std::int64_t{std::stoll(word)});
        } else {
            arguments.emplace_back(word);
        }
    }
    return Call(*statement, std::move(arguments));
}

TransactionOptions options_of(const std::vector<std::string>& command) {
    TransactionOptions options;
    for (const std::string& word : command) {
        if (word == "repeatable_read") { options.isolation = Isolation::repeatable_read; }
        if (word == "serializable") { options.isolation = Isolation::serializable; }
        if (word == "read_only") { options.access = Access::read_only; }
    }
    return options;
}

std::string to_text(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) { return std::to_string(*number); }
    return std::get<std::string>(value);
}

std::string to_text(const Result<std::vector<Rows>>& result) {
    if (!result) { return "error " + result.error().code(); }
    if (result->empty()) { return "ok"; }
    std::string text;
    for (const Row& row : result->back().rows) {
        if (!text.empty()) { text += ", "; }
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += (i == 0 ? "" : " ") + to_text(row[i]);
        }
    }
    return text.empty() ? "none" : text;
}

std::string to_text(const Result<void>& result) {
    return result ? "ok" : "error " + result.error().code();
}

}  // namespace

void Client::submit(std::string command) {
    RP_ASSERT(!waiting_);
    waiting_ = true;
    asio::co_spawn(context_, perform(std::move(command)), asio::detached);
}

Task<void> Client::perform(std::string command) {
    outcome_ = co_await answer(std::move(command));
    waiting_ = false;
}

Task<std::string> Client::answer(std::string command) {
    const std::vector<std::string> parts = words(command);
    if (parts[0] == "close") {
        session_ = database_.open_session();
        in_transaction_ = false;
        co_return "ok";
    }
    if (parts[0] == "begin") {
        in_transaction_ = true;
        co_return to_text(session_->begin(options_of(parts)));
    }
    if (parts[0] == "rollback") {
        in_transaction_ = false;
        session_->rollback();
        co_return "ok";
    }
    std::vector<Call> calls;
    if (parts[0] != "commit") { calls.push_back(call_of(parts)); }
    if (in_transaction_ && parts[0] != "commit") {
        const auto result = co_await session_->execute(std::move(calls));
        co_return to_text(result);
    }
    if (!in_transaction_) {
        const auto begun = session_->begin();
        if (!begun) { co_return to_text(begun); }
    }
    in_transaction_ = false;
    const auto result = co_await session_->commit(std::move(calls), fate);
    co_return to_text(result);
}

Bench::Bench(ModelOptions options)
    : database(std::make_unique<ModelDatabase>(model_schema(), std::move(options))) {
    for (const char* row : {"put A 10", "put B 10", "put C 10"}) {
        const std::string outcome = step('z', row);
        RP_ASSERT(outcome != "waits");
    }
}

std::string Bench::step(char name, std::string command) {
    Client& stepped = client(name);
    if (!command.empty()) { stepped.submit(std::move(command)); }
    settle();
    return stepped.waiting() ? "waits" : stepped.outcome();
}

Client& Bench::client(char name) {
    return clients.try_emplace(name, context, *database).first->second;
}

void Bench::settle() {
    context.restart();
    context.poll();
}

}  // namespace rushproof::simulator::example
