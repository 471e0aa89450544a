// A case on a real PostgreSQL: one connection per session, and one that looks who waits for whom.
// Server processes that wait for a lock are stopped, and those that were woken go on one at a time,
// in the order in which they were; so they do not race.
#pragma once
#include <libpq-fe.h>

#include <memory>

#include "tests/conformance/database/case.hpp"

namespace rushproof::conformance {

class PostgresEngine final : public Engine {
public:
    // Of a superuser, on a server that is there for nothing else, on this machine.  Throws when it
    // does not answer, or its processes may not be stopped.
    explicit PostgresEngine(std::string connection);
    ~PostgresEngine() override;

    void reset() override;
    void submit(char session, const std::string& command) override;
    std::map<char, SessionState> settle() override;

private:
    struct Close {
        void operator()(PGconn* connection) const { PQfinish(connection); }
        void operator()(PGresult* result) const { PQclear(result); }
    };
    using Connection = std::unique_ptr<PGconn, Close>;
    using Answer = std::unique_ptr<PGresult, Close>;
    struct Session {
        Connection connection;
        bool used = false;  // in this case
        std::string command;
        bool answered = false;
        bool looked_for_deadlock = false;  // in the wait that it last spoke of
        bool held = false;                 // its process is stopped
        SessionState state;
    };

    Connection connect() const;
    void open(Session& session) const;
    Session& session(char name);
    Answer query(const std::string& sql);
    void act(const std::vector<std::string>& command);
    void wait_until_gone(int pid);
    // Reads what has arrived of a waiting session's answer.
    void read(Session& session);
    void read_all();
    void hold(char name);
    void release(Session& session);
    void release_all();
    // Whom the sessions wait for that wait for a lock.
    std::map<char, std::set<char>> look();
    std::vector<char> waiting() const;
    void wait_for_input(int milliseconds) const;

    std::string connection_;
    Connection controller_;
    std::map<char, Session> sessions_;
    std::vector<char> held_;   // in the order in which they began to wait
    std::vector<char> woken_;  // held, but they have what they waited for
};

}  // namespace rushproof::conformance
