// A PostgreSQL of our own, started by infra/stack, for as long as this lives.
#pragma once
#include <filesystem>
#include <string>

#include "core/base/result.hpp"
#include "simulator/live/private_stack.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// A primary and, if the scenario has one, a replica.  They change places when one is promoted, and
// keep their names.  Used by one thread at a time, the one that started it.
class PrivatePostgres {
public:
    enum class Server : std::uint8_t { first, replica };

    // `stack` is infra/stack/stack.  Error: permanent "cannot-start"; the log says more.
    static Result<PrivatePostgres> start(const std::string& stack, const SystemSpec& system,
                                         const std::filesystem::path& log);

    // Of whichever server takes writes.
    std::string url() const;
    // Another database on it; -> its URL.
    Result<std::string> add_database(const std::string& name) const;
    // Empty without one.
    const std::string& replica_url() const { return replica_.url; }
    Server primary() const { return primary_; }
    Server standby() const;
    bool has_standby() const { return !replica_.url.empty() && !demoted_; }

    // That server alone; `clean` lets it finish, else it must recover.  False when that failed.
    bool stop(Server server, bool clean);
    // One that was the primary before the other took over comes back as its standby.
    bool start_again(Server server);
    // Kills the primary; the standby takes over.
    bool promote();
    // One value, as a superuser; empty when it cannot be had.
    std::string ask(Server server, const std::string& sql) const;

    // Stops it, and deletes its data.
    void end();

private:
    struct Urls {
        std::string url;
        std::string admin_url;
    };

    explicit PrivatePostgres(PrivateStack stack) : stack_(std::move(stack)) {}

    PrivateStack stack_;
    Urls first_;
    Urls replica_;
    Server primary_ = Server::first;
    bool demoted_ = false;  // the other one was the primary, and has not come back
};

}  // namespace rushproof::simulator
