// A PostgreSQL of our own, started by infra/stack, for as long as this lives.
#pragma once
#include <filesystem>
#include <string>

#include "core/base/result.hpp"
#include "simulator/live/child.hpp"

namespace rushproof::simulator {

// Used by one thread at a time, the one that started it.
class PrivatePostgres {
public:
    // `stack` is infra/stack/stack.  Error: permanent "cannot-start"; the log says more.
    static Result<PrivatePostgres> start(const std::string& stack,
                                         const std::filesystem::path& log);

    // Of the primary.
    const std::string& url() const { return url_; }

    // The primary alone; `clean` lets it finish, else it must recover.  False when that failed.
    bool stop_primary(bool clean);
    bool start_primary();

    // Stops it, and deletes its data.
    void end();

private:
    PrivatePostgres(Child keeper, std::filesystem::path scripts, std::filesystem::path log)
        : keeper_(std::move(keeper)), scripts_(std::move(scripts)), log_(std::move(log)) {}
    bool run(const std::string& script, std::vector<std::string> arguments);

    Child keeper_;
    std::filesystem::path scripts_;  // infra/stack/postgres
    std::filesystem::path log_;
    std::string url_;
    std::string folder_;
};

}  // namespace rushproof::simulator
