// The database of a process, as each of its cores sees it.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "core/ports/database.hpp"
#include "core/ports/telemetry.hpp"
#include "services/host/host_config.hpp"

namespace rushproof {

// SQLite is one for all cores; PostgreSQL has connections of each core's own.
class Databases {
public:
    // Brings the tables of every role up to date.  A process without a role that keeps data gets a
    // database that is never there.  A server that is not there yet is waited for, up to `wait`;
    // this blocks.  Errors: those of opening and migrating.
    static Result<std::unique_ptr<Databases>> open(const HostConfig& config, Telemetry& telemetry,
                                                   Duration wait);

    // Makes sure that the database is the configured shard's, before anything is read from it;
    // blocks.  Permanent "wrong-shard", or what the database answers.
    Result<void> claim();

    // Once for each core, before anything runs.
    Database& add_core(const asio::any_io_executor& executor);

private:
    Databases(const HostConfig& config, Telemetry& telemetry)
        : config_(config), telemetry_(telemetry) {}

    const HostConfig& config_;
    Telemetry& telemetry_;
    std::unique_ptr<Database> shared_;
    std::vector<std::unique_ptr<Database>> of_cores_;
};

}  // namespace rushproof
