#include "tests/conformance/database/sqlite_engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>
#include <utility>

#include "tests/conformance/database/commands.hpp"
#include "tests/conformance/database/one_writer.hpp"

namespace rushproof::conformance {

namespace {

constexpr auto gives_up = std::chrono::seconds(20);
// As many as a case has sessions: nobody waits for a reader.
constexpr std::size_t readers = 8;

const std::vector<Migration>& schema() {
    static const std::vector<Migration> migrations = {
        {1, "conformance.tables",
         "CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE ledger (number INTEGER PRIMARY KEY AUTOINCREMENT, sku TEXT NOT NULL,"
         " change INTEGER NOT NULL);"
         "CREATE TABLE reservation (owner TEXT, id TEXT, sku TEXT NOT NULL,"
         " quantity INTEGER NOT NULL, PRIMARY KEY (owner, id)) WITHOUT ROWID;"
         "INSERT INTO stock VALUES ('A', 10), ('B', 10), ('C', 10)",
         ""}};
    return migrations;
}

// As PostgreSQL says it.
std::string error_text(const Error& error, bool failed_before) {
    if (failed_before) { return "error 25P02"; }
    if (error.code() == "unique-violation") { return "error 23505"; }
    const bool read_only = error.message().find("readonly") != std::string::npos;
    return read_only ? "error 25006" : "error " + std::string(error.message());
}

}  // namespace

SqliteEngine::~SqliteEngine() { end_all(); }

std::filesystem::path SqliteEngine::folder() {
    const std::filesystem::path memory("/dev/shm");
    return exists(memory) ? memory : std::filesystem::temp_directory_path();
}

// Whoever waits for a closing database is answered.
void SqliteEngine::end_all() {
    database_.reset();
    context_.restart();
    context_.run();
    sessions_.clear();
}

void SqliteEngine::reset() {
    end_all();
    SqliteOptions options;
    options.path = directory_.file(std::to_string(++files_));
    options.readers = readers;
    database_ = SqliteDatabase::open(options).value();
    if (!database_->apply("conformance", schema())) { throw std::runtime_error("no tables"); }
}

void SqliteEngine::submit(char name, const std::string& command) {
    Session& session = sessions_[name];
    session.state.waiting = true;
    asio::co_spawn(context_, perform(session, command), asio::detached);
}

Task<void> SqliteEngine::perform(Session& session, std::string command) {
    session.state.outcome = co_await answer(session, std::move(command));
    session.state.waiting = false;
}

Task<std::string> SqliteEngine::answer(Session& session, std::string command) {
    const std::vector<std::string> parts = words(command);
    if (const auto begun = begin_of(parts)) { co_return co_await begin(session, begun->access); }
    if (command == "rollback" || command == "close") {
        session.transaction.reset();
        session.failed = false;
        co_return "ok";
    }
    if (command != "commit") { co_return co_await execute(session, parts); }
    if (!session.transaction) { co_return "ok"; }
    const auto committed = co_await session.transaction->commit();
    const bool failed_before = session.failed;
    session.transaction.reset();
    session.failed = false;
    co_return committed ? "ok" : error_text(committed.error(), failed_before);
}

Task<std::string> SqliteEngine::begin(Session& session, Access access) {
    TransactionOptions options;
    options.access = access;
    session.in_line = access == Access::read_write;
    auto begun = co_await database_->begin(sqlite::context_for(sqlite::long_time), options);
    // Its turn comes with its first call.
    std::vector<Call> none;
    const auto started = co_await begun.value()->execute(std::move(none));
    session.in_line = false;
    if (!started) { co_return error_text(started.error(), false); }
    session.transaction = *std::move(begun);
    session.writes = access == Access::read_write;
    co_return "ok";
}

Task<std::string> SqliteEngine::execute(Session& session, std::vector<std::string> command) {
    const bool alone = session.transaction == nullptr;
    if (alone) {
        const Access access = only_reads(command) ? Access::read_only : Access::read_write;
        std::string begun = co_await begin(session, access);
        if (begun != "ok") { co_return begun; }
    }
    std::vector<Call> calls;
    calls.push_back(call_of(command));
    auto work = alone ? session.transaction->commit(std::move(calls))
                      : session.transaction->execute(std::move(calls));
    const auto result = co_await std::move(work);
    std::string outcome = result ? without_numbers(command, to_text(result->back().rows))
                                 : error_text(result.error(), session.failed);
    session.failed = !alone && !result;
    if (alone) { session.transaction.reset(); }
    co_return outcome;
}

char SqliteEngine::writer() const {
    for (const auto& [name, session] : sessions_) {
        if (session.transaction && session.writes && !session.failed) { return name; }
    }
    return 0;
}

bool SqliteEngine::at_rest() const {
    for (const auto& [name, session] : sessions_) {
        if (!session.state.waiting) { continue; }
        const char blocker = writer();
        const bool its_turn_comes_later =
            session.in_line && blocker != 0 && !sessions_.at(blocker).state.waiting;
        if (!its_turn_comes_later) { return false; }
    }
    return true;
}

std::map<char, SessionState> SqliteEngine::settle() {
    context_.restart();
    context_.poll();
    while (!at_rest()) {
        context_.restart();
        if (context_.run_one_for(gives_up) == 0) { throw std::runtime_error("nothing settles"); }
    }
    std::map<char, SessionState> states;
    for (auto& [name, session] : sessions_) {
        session.state.blockers.clear();
        if (session.state.waiting) { session.state.blockers.insert(writer()); }
        states[name] = session.state;
    }
    return states;
}

}  // namespace rushproof::conformance
