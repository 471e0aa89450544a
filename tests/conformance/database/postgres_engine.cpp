#include "tests/conformance/database/postgres_engine.hpp"

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "simulator/models/database/tests/example.hpp"
#include "tests/conformance/database/commands.hpp"

namespace rushproof::conformance {

namespace {

// Longer than the server's deadlock_timeout: nobody waits in a deadlock that was not looked for.
constexpr auto deadlock_checked = std::chrono::milliseconds(4);
constexpr auto gives_up = std::chrono::seconds(20);

// Index scans only: rows come and are locked in order of their keys, as the model does it.
constexpr const char* session_settings =
    "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c deadlock_timeout=1ms "
    "-c client_min_messages=error -c max_parallel_workers_per_gather=0";
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

bool has_cycle_from(char start, const std::map<char, std::set<char>>& edges) {
    std::set<char> reached;
    std::vector<char> open{start};
    while (!open.empty()) {
        const char at = open.back();
        open.pop_back();
        const auto found = edges.find(at);
        if (found == edges.end()) { continue; }
        for (const char next : found->second) {
            if (next == start) { return true; }
            if (reached.insert(next).second) { open.push_back(next); }
        }
    }
    return false;
}

}  // namespace

PostgresEngine::PostgresEngine(std::string connection) : connection_(std::move(connection)) {
    controller_ = connect();
    for (const char* sql : server_settings) { query(sql); }
    query("DROP TABLE IF EXISTS stock, ledger, reservation");
    query(std::string(simulator::example::create_sql));
}

PostgresEngine::~PostgresEngine() = default;

PostgresEngine::Connection PostgresEngine::connect() const {
    const char* names[] = {"dbname", "options", nullptr};
    const char* values[] = {connection_.c_str(), session_settings, nullptr};
    Connection connection(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    return connection;
}

PostgresEngine::Session& PostgresEngine::session(char name) {
    Session& session = sessions_[name];
    if (!session.connection) { session.connection = connect(); }
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
        to.connection = connect();
        to.state.outcome = "ok";
        return;
    }
    to.command = command;
    to.answered = false;
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
        std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(parts.at(1))));
        return;
    }
    const int pid = PQbackendPID(session(parts.at(1)[0]).connection.get());
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
        if (session.state.waiting) {
            descriptors.push_back({PQsocket(session.connection.get()), POLLIN, 0});
        }
    }
    poll(descriptors.data(), descriptors.size(), milliseconds);
}

std::map<char, std::set<char>> PostgresEngine::look() {
    std::map<std::string, char> names;
    std::string sql;
    for (const auto& [name, session] : sessions_) {
        if (!session.connection) { continue; }
        const std::string pid = std::to_string(PQbackendPID(session.connection.get()));
        names[pid] = name;
        if (!session.state.waiting) { continue; }
        sql += (sql.empty() ? "SELECT p, array_to_string(pg_blocking_pids(p), ' ') FROM (VALUES ("
                            : "), (") +
               pid;
    }
    sql += ")) AS waiting(p)";
    const Answer result = query(sql);
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

std::map<char, SessionState> PostgresEngine::settle() {
    using clock = std::chrono::steady_clock;
    const auto started = clock::now();
    auto changed = started;
    std::map<char, std::set<char>> before;
    while (true) {
        const std::size_t waiting_before = waiting().size();
        wait_for_input(1);
        for (auto& [name, session] : sessions_) {
            if (session.state.waiting) { read(session); }
        }
        const std::vector<char> still = waiting();
        if (still.empty()) { break; }
        std::map<char, std::set<char>> edges = look();
        bool all_blocked = true;
        for (const char name : still) {
            all_blocked = all_blocked && !edges[name].empty() && !has_cycle_from(name, edges);
        }
        if (edges != before || still.size() != waiting_before) { changed = clock::now(); }
        before = std::move(edges);
        if (all_blocked && clock::now() - changed > deadlock_checked * patience_) { break; }
        if (clock::now() - started > gives_up) { throw std::runtime_error("nothing settles"); }
    }
    std::map<char, SessionState> states;
    for (auto& [name, session] : sessions_) {
        if (!session.used) { continue; }
        if (session.state.waiting) { session.state.blockers = before[name]; }
        states[name] = session.state;
    }
    return states;
}

}  // namespace rushproof::conformance
