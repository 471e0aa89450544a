// Servers of our own, started by infra/stack, for as long as this lives.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/live/child.hpp"

namespace rushproof::simulator {

// One kind of server.  Used by one thread at a time, the one that started it.
class PrivateStack {
public:
    // `stack` is infra/stack/stack; `server` its name there ("nats"), with options.  Error:
    // permanent "cannot-start"; the log says more.
    static Result<PrivateStack> start(const std::string& stack, const std::string& server,
                                      const std::string& options, const std::filesystem::path& log);

    // What it tells programs: "RUSHPROOF_NATS_URL".  Empty when it does not.
    std::string variable(const std::string& name) const;
    // RUSHPROOF_NATS_FOLDER
    const std::string& folder() const { return folder_; }

    // One of the server's own scripts; false when it failed.
    bool run(const std::string& script, std::vector<std::string> arguments) const;

    // Stops it, and deletes its data.
    void end();

private:
    PrivateStack(Child keeper, std::filesystem::path scripts, std::filesystem::path log)
        : keeper_(std::move(keeper)), scripts_(std::move(scripts)), log_(std::move(log)) {}

    Child keeper_;
    std::filesystem::path scripts_;  // infra/stack/nats
    std::filesystem::path log_;
    std::map<std::string, std::string> variables_;
    std::string folder_;
};

}  // namespace rushproof::simulator
