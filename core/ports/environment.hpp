// Everything that a service may see of the world.  Filled in exactly two files:
// simulator/world/process.cpp and services/host/real_world.cpp.  Nothing in here tells which.
#pragma once
#include "core/ports/clock.hpp"
#include "core/ports/database.hpp"
#include "core/ports/queues.hpp"
#include "core/ports/random.hpp"
#include "core/ports/rpc.hpp"
#include "core/ports/spawner.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

struct Environment {
    Clock& clock;
    Random& random;
    Spawner& spawner;
    Rpc& rpc;
    Database& database;
    Telemetry& telemetry;
    Queues& queues;
};

}  // namespace rushproof
