// The real world: the one file besides the simulator's that fills an Environment.
#pragma once
#include "core/base/result.hpp"
#include "services/host/host_config.hpp"

namespace rushproof {

// Serves until the first SIGTERM or SIGINT, then stops accepting, finishes what was accepted, and
// returns.  A second signal ends the process at once with 128 + its number.  To be called before
// the process has a second thread.  Errors: permanent "cannot-listen", and those of opening the
// database.
Result<void> serve(const HostConfig& config);

// Brings the tables of every role up to date.
Result<void> migrate(const HostConfig& config);

}  // namespace rushproof
