// Clients of a model database that a test steps by hand: submit a command, run until nothing can
// move, see who got an answer.
#pragma once
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "simulator/models/database/database.hpp"
#include "simulator/models/database/tests/example.hpp"

namespace rushproof::simulator::example {

// One session, with the commands and outcomes.
class Client {
public:
    Client(asio::io_context& context, ModelDatabase& database)
        : context_(context), database_(database), session_(database.open_session()) {}

    // The client must not be waiting.
    void submit(std::string command);
    bool waiting() const { return waiting_; }
    // Of the last command that got one.
    const std::string& outcome() const { return outcome_; }
    bool in_transaction() const { return in_transaction_; }
    ModelSession& session() { return *session_; }
    // As when its host dies in the middle of a call.
    void drop_session() { session_.reset(); }

    // Of the next commit.
    CommitFate fate;

private:
    Task<void> perform(std::string command);
    Task<std::string> answer(std::string command);

    asio::io_context& context_;
    ModelDatabase& database_;
    std::unique_ptr<ModelSession> session_;
    bool in_transaction_ = false;
    bool waiting_ = false;
    std::string outcome_;
};

// A database with the three initial rows, and clients by letter.
class Bench {
public:
    explicit Bench(ModelOptions options = {});
    // Suspended calls refer to the context, so the database goes first.
    ~Bench() { database.reset(); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    // Submits and runs until nothing can move; the outcome, or "waits".  An empty command only
    // asks.
    std::string step(char client, std::string command);
    Client& client(char name);
    void settle();

    asio::io_context context;
    std::unique_ptr<ModelDatabase> database;
    std::map<char, Client> clients;
};

}  // namespace rushproof::simulator::example
