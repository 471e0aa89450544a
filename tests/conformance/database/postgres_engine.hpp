// A case on a real PostgreSQL: one connection per session, and one that looks who waits for whom.
#pragma once
#include <libpq-fe.h>

#include <memory>

#include "tests/conformance/database/case.hpp"

namespace rushproof::conformance {

class PostgresEngine final : public Engine {
public:
    // Of a superuser, on a server that is there for nothing else.  Throws when it does not answer.
    explicit PostgresEngine(std::string connection);
    ~PostgresEngine() override;

    // How much longer than usual to wait before a wait counts as one: for a busy machine.
    void be_patient(int times) { patience_ = times; }

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
        SessionState state;
    };

    Connection connect() const;
    Session& session(char name);
    Answer query(const std::string& sql);
    void act(const std::vector<std::string>& command);
    void wait_until_gone(int pid);
    // Reads what has arrived of a waiting session's answer.
    void read(Session& session);
    // Whom the waiting sessions wait for.  Empty for one that runs.
    std::map<char, std::set<char>> look();
    std::vector<char> waiting() const;
    void wait_for_input(int milliseconds) const;

    std::string connection_;
    int patience_ = 1;
    Connection controller_;
    std::map<char, Session> sessions_;
};

}  // namespace rushproof::conformance
