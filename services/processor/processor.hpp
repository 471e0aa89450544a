// processor: takes messages from the queue and gives each its effect, once.  Owns the queue when
// that is embedded.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/database.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/runtime/queue_choice.hpp"
#include "services/processor/mutant.hpp"

namespace rushproof::processor {

struct Options {
    QueueOptions queue;
    // Messages of different keys that are worked on at once.
    std::size_t workers = 4;
    // Is there an inventory?  Without one, commands to reserve are set aside.
    bool reserves = true;
    // Databases over which inventory's SKUs are spread.
    std::uint32_t shards = 1;
    // Which of how many instances in this process, one for each core.  An embedded queue is one
    // for each of them, and a key's messages go to the one that its hash picks.
    std::uint32_t instance = 0;
    std::uint32_t instances = 1;
    // How long stop() works on what is there.
    Duration drain_grace = std::chrono::seconds(10);
    Mutant mutant = Mutant::none;
};

// Answers processor.v1 (core/protocol/processor.proto), and POST /enqueue, GET /stats and GET
// /health, over the Environment's database.  Throws std::invalid_argument for options out of range.
std::unique_ptr<Service> make_processor(Environment& environment, Options options);

// The schema that processor needs, for the host to apply before it starts.
const std::vector<Migration>& migrations();

}  // namespace rushproof::processor
