#include "tests/conformance/database/postgres_engine.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "simulator/models/database/tests/example.hpp"
#include "tests/conformance/database/commands.hpp"

namespace rushproof::conformance {

namespace {

constexpr auto gives_up = std::chrono::seconds(20);

// Index scans only: rows come and are locked in order of their keys, as the model does it.  Whoever
// waits tells its client once it has looked for a deadlock, and again when the wait is over.
constexpr const char* session_settings =
    "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c deadlock_timeout=1ms "
    "-c log_lock_waits=on -c client_min_messages=log -c lc_messages=C "
    "-c max_parallel_workers_per_gather=0";
// Predicate locks as fine as PostgreSQL can have them, and nobody else on the tables.
constexpr const char* server_settings[] = {
    "ALTER SYSTEM SET max_pred_locks_per_page = 10000",
    "ALTER SYSTEM SET max_pred_locks_per_relation = 10000",
    "ALTER SYSTEM SET autovacuum = off",
    "SELECT pg_reload_conf()",
};

std::string begin_sql(const Begin& begin) {
    std::string sql = "BEGIN ISOLATION LEVEL ";
    switch (begin.isolation) {
        case Isolation::read_committed: sql += "READ COMMITTED"; break;
        case Isolation::repeatable_read: sql += "REPEATABLE READ"; break;
        case Isolation::serializable: sql += "SERIALIZABLE"; break;
    }
    return sql + (begin.access == Access::read_only ? " READ ONLY" : " READ WRITE");
}

std::string outcome_of(PGresult* result, const std::string& command) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK) {
        if (command == "commit" && std::string(PQcmdStatus(result)) == "ROLLBACK") {
            return "error 25P02";
        }
        const bool statement = std::string(PQcmdStatus(result)).starts_with("LOCK");
        return statement ? "none" : "ok";
    }
    if (status != PGRES_TUPLES_OK) {
        const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        return std::string("error ") + (code == nullptr ? "08006" : code);
    }
    std::string text;
    for (int row = 0; row < PQntuples(result); ++row) {
        if (row > 0) { text += ", "; }
        for (int column = 0; column < PQnfields(result); ++column) {
            text += (column == 0 ? "" : " ") + std::string(PQgetvalue(result, row, column));
        }
    }
    return text.empty() ? "none" : text;
}

// The server's own words about a wait, which it sends as they happen (proc.c, ProcSleep).
void note_wait(void* looked, const PGresult* notice) {
    const char* message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (message == nullptr) { return; }
    *static_cast<bool*>(looked) =
        std::string_view(message).find(" still waiting for ") != std::string_view::npos;
}

void expect_server_process(int pid) {
    std::string name;
    std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
    if (name != "postgres") {
        throw std::runtime_error("the server's processes are not on this machine");
    }
}

}  // namespace

PostgresEngine::PostgresEngine(std::string connection) : connection_(std::move(connection)) {
    controller_ = connect();
    for (const char* sql : server_settings) { query(sql); }
    query("DROP TABLE IF EXISTS stock, ledger, reservation");
    query(std::string(simulator::example::create_sql));
}

PostgresEngine::~PostgresEngine() { release_all(); }

PostgresEngine::Connection PostgresEngine::connect() const {
    const char* names[] = {"dbname", "options", nullptr};
    const char* values[] = {connection_.c_str(), session_settings, nullptr};
    Connection connection(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    return connection;
}

void PostgresEngine::open(Session& session) const {
    session.connection = connect();
    expect_server_process(PQbackendPID(session.connection.get()));
    PQsetNoticeReceiver(session.connection.get(), note_wait, &session.looked_for_deadlock);
}

PostgresEngine::Session& PostgresEngine::session(char name) {
    Session& session = sessions_[name];
    if (!session.connection) { open(session); }
    session.used = true;
    return session;
}

PostgresEngine::Answer PostgresEngine::query(const std::string& sql) {
    Answer result(PQexec(controller_.get(), sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        throw std::runtime_error(PQerrorMessage(controller_.get()));
    }
    return result;
}

void PostgresEngine::reset() {
    release_all();
    // Rolling back the idle ones answers those that wait.
    for (bool all_idle = false; !all_idle;) {
        all_idle = true;
        for (auto& [name, session] : sessions_) {
            if (session.state.waiting) {
                all_idle = false;
                wait_for_input(1);
                read(session);
            } else if (session.connection && session.used) {
                PQclear(PQexec(session.connection.get(), "ROLLBACK"));
                PQclear(PQexec(session.connection.get(), "DISCARD ALL"));
                session.used = false;
                if (PQstatus(session.connection.get()) != CONNECTION_OK) {
                    session.connection.reset();
                }
            }
        }
    }
    for (auto& [name, session] : sessions_) { session.state = {}; }
    query(
        "TRUNCATE stock, ledger, reservation RESTART IDENTITY;"
        "INSERT INTO stock VALUES ('A', 10), ('B', 10), ('C', 10)");
}

void PostgresEngine::submit(char name, const std::string& command) {
    const std::vector<std::string> parts = words(command);
    if (name == '-') {
        act(parts);
        return;
    }
    Session& to = session(name);
    if (parts[0] == "close") {
        const int gone = PQbackendPID(to.connection.get());
        to.connection.reset();
        wait_until_gone(gone);
        open(to);
        to.state.outcome = "ok";
        return;
    }
    to.command = command;
    to.answered = false;
    to.looked_for_deadlock = false;
    to.state.waiting = true;
    int sent = 0;
    if (const auto begin = begin_of(parts)) {
        sent = PQsendQuery(to.connection.get(), begin_sql(*begin).c_str());
    } else if (command == "commit" || command == "rollback") {
        sent = PQsendQuery(to.connection.get(), command.c_str());
    } else {
        const Call call = call_of(parts);
        std::vector<const char*> arguments;
        for (std::size_t i = 1; i < parts.size(); ++i) { arguments.push_back(parts[i].c_str()); }
        sent = PQsendQueryParams(to.connection.get(), std::string(call.statement->sql).c_str(),
                                 static_cast<int>(arguments.size()), nullptr, arguments.data(),
                                 nullptr, nullptr, 0);
    }
    if (sent == 0) {
        to.state.waiting = false;
        to.state.outcome = "error 08006";
    }
}

// What the world does to the sessions.
void PostgresEngine::act(const std::vector<std::string>& parts) {
    if (parts[0] == "pass") {
        release_all();
        std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(parts.at(1))));
        return;
    }
    Session& target = session(parts.at(1)[0]);
    const int pid = PQbackendPID(target.connection.get());
    release(target);
    target.looked_for_deadlock = false;
    query("SELECT pg_" + parts[0] + "_backend(" + std::to_string(pid) + ")");
    if (parts[0] == "terminate") { wait_until_gone(pid); }
}

// It lets go of its locks when it notices.
void PostgresEngine::wait_until_gone(int pid) {
    const std::string sql = "SELECT FROM pg_stat_get_activity(" + std::to_string(pid) + ")";
    while (PQntuples(query(sql).get()) > 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
}

void PostgresEngine::read(Session& session) {
    PGconn* connection = session.connection.get();
    PQconsumeInput(connection);
    while (PQisBusy(connection) == 0) {
        const Answer result(PQgetResult(connection));
        if (!result) {
            session.state.waiting = false;
            session.state.blockers.clear();
            return;
        }
        // After the error that ended the connection comes another one that says so.
        if (!session.answered) {
            session.state.outcome = outcome_of(result.get(), session.command);
        }
        session.answered = true;
    }
}

std::vector<char> PostgresEngine::waiting() const {
    std::vector<char> names;
    for (const auto& [name, session] : sessions_) {
        if (session.state.waiting) { names.push_back(name); }
    }
    return names;
}

void PostgresEngine::wait_for_input(int milliseconds) const {
    std::vector<pollfd> descriptors;
    for (const auto& [name, session] : sessions_) {
        if (session.state.waiting && !session.held) {
            descriptors.push_back({PQsocket(session.connection.get()), POLLIN, 0});
        }
    }
    poll(descriptors.data(), descriptors.size(), milliseconds);
}

// pg_locks looks at all locks at one instant; blockers are right if nobody runs.
std::map<char, std::set<char>> PostgresEngine::look() {
    std::map<std::string, char> names;
    for (const auto& [name, session] : sessions_) {
        if (session.connection) {
            names[std::to_string(PQbackendPID(session.connection.get()))] = name;
        }
    }
    const Answer result = query(
        "SELECT pid, array_to_string(pg_blocking_pids(pid), ' ') FROM pg_locks WHERE NOT granted");
    std::map<char, std::set<char>> edges;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        std::set<char>& blockers = edges[names.at(PQgetvalue(result.get(), row, 0))];
        for (const std::string& pid : words(PQgetvalue(result.get(), row, 1))) {
            const auto known = names.find(pid);
            blockers.insert(known == names.end() ? '?' : known->second);
        }
    }
    return edges;
}

void PostgresEngine::hold(char name) {
    Session& session = sessions_.at(name);
    if (kill(PQbackendPID(session.connection.get()), SIGSTOP) != 0) {
        throw std::runtime_error("may not stop the server's processes");
    }
    session.held = true;
    held_.push_back(name);
}

void PostgresEngine::release(Session& session) {
    if (!session.held) { return; }
    kill(PQbackendPID(session.connection.get()), SIGCONT);
    session.held = false;
    std::erase_if(held_, [&](char name) { return &sessions_.at(name) == &session; });
}

void PostgresEngine::release_all() {
    for (auto& [name, session] : sessions_) { release(session); }
    woken_.clear();
}

void PostgresEngine::read_all() {
    for (auto& [name, session] : sessions_) {
        if (session.state.waiting && !session.held) { read(session); }
    }
}

// Whoever rests is stopped: nothing that it waits for can make it run before its turn.  A session
// rests when its wait stands in pg_locks and the last that it said is that it has looked for a
// deadlock; had that been an earlier wait, it would have said that it is over before it began this
// one.  So nothing here depends on how long anything takes.
std::map<char, SessionState> PostgresEngine::settle() {
    using clock = std::chrono::steady_clock;
    const auto started = clock::now();
    std::map<char, std::set<char>> edges;
    while (true) {
        if (clock::now() - started > gives_up) { throw std::runtime_error("nothing settles"); }
        wait_for_input(1);
        read_all();
        const std::vector<char> unanswered = waiting();
        if (unanswered.empty()) { break; }
        edges = look();
        read_all();
        if (waiting() != unanswered) { continue; }
        for (const char name : held_) {
            const bool known = std::ranges::find(woken_, name) != woken_.end();
            if (!edges.contains(name) && !known) { woken_.push_back(name); }
        }
        std::vector<char> running;
        for (const char name : unanswered) {
            if (!sessions_.at(name).held) { running.push_back(name); }
        }
        const bool all_rest = std::ranges::all_of(running, [&](char name) {
            return edges.contains(name) && sessions_.at(name).looked_for_deadlock;
        });
        if (!all_rest) { continue; }
        for (const char name : running) { hold(name); }
        if (woken_.empty()) { break; }
        Session& next = sessions_.at(woken_.front());
        woken_.erase(woken_.begin());
        next.looked_for_deadlock = false;
        release(next);
    }
    std::map<char, SessionState> states;
    for (auto& [name, session] : sessions_) {
        if (!session.used) { continue; }
        if (session.state.waiting) { session.state.blockers = edges[name]; }
        states[name] = session.state;
    }
    return states;
}

}  // namespace rushproof::conformance
