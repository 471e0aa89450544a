// What SqliteDatabase promises, on the model: one read-write transaction at a time, first come,
// first served, and read-only ones beside it, each on the snapshot of its begin.
#pragma once
#include <deque>
#include <optional>

#include "tests/conformance/database/model_engine.hpp"

namespace rushproof::conformance {

class OneWriterEngine final : public Engine {
public:
    void reset() override;
    void submit(char session, const std::string& command) override;
    std::map<char, SessionState> settle() override;

private:
    struct Session {
        bool in_transaction = false;
        SessionState state;
    };
    struct InLine {
        char session;
        std::string command;
    };

    void run(char session, const std::string& command);
    std::string ask(char session, const std::string& command);

    ModelEngine model_;
    std::map<char, Session> sessions_;
    std::optional<char> writer_;
    std::deque<InLine> line_;
};

// Whether a step means something there: no row, table or advisory locks, no timeouts, nobody who
// cancels.
bool has_one_writer(const Step& step);
// A statement that is a read-only transaction when it stands alone.
bool only_reads(const std::vector<std::string>& command);
// SQLite hands out the identity numbers of what was rolled back again: they are not compared.
std::string without_numbers(const std::vector<std::string>& command, const std::string& outcome);

// The same steps in another order: those of a session that waits come when its wait is over.  Then
// everybody rolls back, and somebody looks.
Case rearrange(Engine& engine, const Case& written);

}  // namespace rushproof::conformance
