// Messages that some providers of a composite queue have and others lack: kept until they are
// published to those, too.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/composite_queue.hpp"

namespace rushproof::processor {

struct RecordedDivergence {
    std::string id;
    std::vector<std::string> lacking;  // providers
    std::string reason;
    WallTime recorded_at;
    std::string message;  // packed
};

struct RepairCounts {
    std::int64_t repaired = 0;
    std::int64_t failed = 0;  // stay recorded
};

// Errors of all calls: those of the database.
class Divergences {
public:
    explicit Divergences(Environment& environment) : environment_(environment) {}

    Task<Result<void>> record(Context context, Divergence divergence);
    Task<Result<std::vector<RecordedDivergence>>> list(Context context, std::string after,
                                                       std::int64_t limit);
    // Of the next `limit`: what cannot be repaired comes again after all others, so that it keeps
    // nothing else from it.  Harmless to repeat: what had its effect is known again.
    Task<Result<RepairCounts>> repair(Context context, CompositeQueue& queue, std::int64_t limit);

private:
    Task<Result<void>> publish(Context context, CompositeQueue& queue,
                               const RecordedDivergence& divergence);

    Environment& environment_;
    std::string repaired_up_to_;  // an id; empty: from the first
};

}  // namespace rushproof::processor
