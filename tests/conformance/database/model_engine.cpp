#include "tests/conformance/database/model_engine.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>

#include "core/base/assert.hpp"
#include "simulator/models/database/tests/example.hpp"
#include "tests/conformance/database/commands.hpp"

namespace rushproof::conformance {

namespace {

// As on the server that the cases were recorded on; whatever a session does takes longer.
constexpr Duration deadlock_timeout = std::chrono::milliseconds(1);
constexpr Duration step_time = std::chrono::milliseconds(4);

std::string error_text(const Error& error) {
    return "error " + std::string(simulator::sqlstate(error));
}

std::string text_of(const Result<std::vector<Rows>>& result) {
    if (!result) { return error_text(result.error()); }
    return result->empty() ? "ok" : to_text(result->back().rows);
}

}  // namespace

ModelEngine::~ModelEngine() { database_.reset(); }

void ModelEngine::reset() {
    sessions_.clear();
    database_.reset();
    timers_.clear();
    run_ready();
    simulator::ModelOptions options;
    options.elapsed = [this] { return now_; };
    options.after = [this](Duration after, std::function<void()> call) {
        timers_.emplace(now_ + after, std::move(call));
    };
    options.deadlock_timeout = deadlock_timeout;
    options.indexes_are_one_page = true;
    options.mistake = mistake_;
    database_ = std::make_unique<simulator::ModelDatabase>(simulator::example::model_schema(),
                                                           std::move(options));
    for (const char* row : {"put A 10", "put B 10", "put C 10"}) {
        submit('z', row);
        run_ready();
    }
    sessions_.clear();
}

void ModelEngine::submit(char name, const std::string& command) {
    const std::vector<std::string> parts = words(command);
    if (name == '-') {
        act(parts);
        return;
    }
    Session& session = sessions_[name];
    if (!session.session) { session.session = database_->open_session(); }
    session.state.waiting = true;
    asio::co_spawn(context_, perform(session, command), asio::detached);
}

void ModelEngine::act(const std::vector<std::string>& command) {
    if (command[0] == "pass") {
        pass(std::chrono::milliseconds(std::stoi(command.at(1))));
        return;
    }
    simulator::ModelSession& session = *sessions_.at(command.at(1)[0]).session;
    command[0] == "terminate" ? session.terminate() : session.cancel();
}

Task<void> ModelEngine::perform(Session& session, std::string command) {
    session.state.outcome = co_await answer(session, std::move(command));
    session.state.waiting = false;
}

Task<std::string> ModelEngine::answer(Session& session, std::string command) {
    const std::vector<std::string> parts = words(command);
    if (parts[0] == "close") {
        session.session = database_->open_session();
        session.in_transaction = false;
        co_return "ok";
    }
    if (const auto begin = begin_of(parts)) {
        session.in_transaction = true;
        TransactionOptions options;
        options.isolation = begin->isolation;
        options.access = begin->access;
        const auto begun = session.session->begin(options);
        co_return begun ? "ok" : error_text(begun.error());
    }
    if (command == "rollback") {
        session.in_transaction = false;
        session.session->rollback();
        co_return "ok";
    }
    std::vector<Call> calls;
    if (command != "commit") { calls.push_back(call_of(parts)); }
    if (session.in_transaction && command != "commit") {
        const auto result = co_await session.session->execute(std::move(calls));
        co_return text_of(result);
    }
    if (!session.in_transaction) {
        const auto begun = session.session->begin();
        if (!begun) { co_return error_text(begun.error()); }
    }
    session.in_transaction = false;
    const auto result = co_await session.session->commit(std::move(calls));
    co_return text_of(result);
}

// One at a time: whoever waits has looked for a deadlock before the next one goes on.
void ModelEngine::run_ready() {
    context_.restart();
    while (context_.poll_one() > 0) { fire_timers(now_ + step_time); }
}

void ModelEngine::fire_timers(Duration until) {
    while (!timers_.empty() && timers_.begin()->first <= until) {
        now_ = std::max(now_, timers_.begin()->first);
        const std::function<void()> call = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        call();
    }
    now_ = std::max(now_, until);
}

void ModelEngine::pass(Duration time) {
    const Duration until = now_ + time;
    run_ready();
    while (!timers_.empty() && timers_.begin()->first <= until) {
        fire_timers(timers_.begin()->first);
        run_ready();
    }
    now_ = std::max(now_, until);
}

std::map<char, SessionState> ModelEngine::settle() {
    pass(step_time);
    std::map<std::uint64_t, char> names;
    for (const auto& [name, session] : sessions_) { names[session.session->number()] = name; }
    std::map<char, SessionState> states;
    for (auto& [name, session] : sessions_) {
        session.state.blockers.clear();
        if (session.state.waiting) {
            for (const std::uint64_t number : session.session->blockers()) {
                session.state.blockers.insert(names.at(number));
            }
            if (session.state.blockers.empty()) { throw std::runtime_error("nobody blocks it"); }
        }
        states[name] = session.state;
    }
    return states;
}

}  // namespace rushproof::conformance
