// A case on a real SQLite file, through SqliteDatabase.
#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>

#include "core/real/sqlite/tests/fixture.hpp"
#include "tests/conformance/database/case.hpp"

namespace rushproof::conformance {

class SqliteEngine final : public Engine {
public:
    ~SqliteEngine() override;

    void reset() override;
    void submit(char session, const std::string& command) override;
    std::map<char, SessionState> settle() override;

private:
    struct Session {
        std::unique_ptr<Transaction> transaction;
        bool writes = false;
        bool failed = false;   // the transaction, which is over
        bool in_line = false;  // to begin writing
        SessionState state;
    };

    void end_all();
    Task<void> perform(Session& session, std::string command);
    Task<std::string> answer(Session& session, std::string command);
    Task<std::string> begin(Session& session, Access access);
    Task<std::string> execute(Session& session, std::vector<std::string> command);
    // Who has the file; 0: nobody.
    char writer() const;
    // Everybody has an answer, or waits for its turn behind a transaction that is idle.
    bool at_rest() const;

    // In memory where that is to be had: nothing here is about durability.
    static std::filesystem::path folder();
    sqlite::TemporaryDirectory directory_{folder()};
    asio::io_context context_{1};
    int files_ = 0;
    std::unique_ptr<SqliteDatabase> database_;
    std::map<char, Session> sessions_;
};

}  // namespace rushproof::conformance
