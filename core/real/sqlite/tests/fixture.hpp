// What the tests of the SQLite engine share: a directory of their own, and a way to call a database
// from plain code.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "core/real/sqlite/sqlite_database.hpp"

namespace rushproof::sqlite {

class TemporaryDirectory {
public:
    explicit TemporaryDirectory(
        const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
        std::string name = (parent / "rushproof-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

// The answer of a call, waited for.
template <class T>
T wait(Task<T> task) {
    asio::io_context context(1);
    std::optional<T> answer;
    asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
        if (thrown) std::rethrow_exception(thrown);
        answer = std::move(value);
    });
    context.run();
    return *std::move(answer);
}

// Far enough away for a deadline that is not meant to pass.
inline constexpr Duration long_time = std::chrono::seconds(60);

inline Context context_for(Duration left) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return Context(MonotonicTime(now + left));
}

// A transaction whose turn has come: it begins with its first call.
inline Task<Result<std::unique_ptr<Transaction>>> begin_now(Database& database,
                                                            TransactionOptions options,
                                                            Duration left) {
    RP_CO_TRY(auto transaction, co_await database.begin(context_for(left), options));
    std::vector<Call> none;
    RP_CO_CHECK(co_await transaction->execute(std::move(none)));
    co_return transaction;
}

inline Result<std::unique_ptr<Transaction>> begin(Database& database,
                                                  Access access = Access::read_write,
                                                  Duration left = long_time) {
    TransactionOptions options;
    options.access = access;
    return wait(begin_now(database, options, left));
}

inline Result<std::vector<Rows>> execute(Transaction& transaction, std::vector<Call> calls) {
    return wait(transaction.execute(std::move(calls)));
}

inline Result<std::vector<Rows>> commit(Transaction& transaction, std::vector<Call> last = {}) {
    return wait(transaction.commit(std::move(last)));
}

// A transaction of one statement.
inline Result<Rows> once(Database& database, Call call, Access access = Access::read_write) {
    RP_TRY(const auto transaction, begin(database, access));
    std::vector<Call> calls;
    calls.push_back(std::move(call));
    RP_TRY(auto results, commit(*transaction, std::move(calls)));
    return std::move(results[0]);
}

}  // namespace rushproof::sqlite
