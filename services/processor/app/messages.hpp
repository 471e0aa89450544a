// What became of messages, and dead letters that get another chance.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/ports/environment.hpp"
#include "services/processor/app/routing.hpp"
#include "services/processor/app/waiters.hpp"
#include "services/processor/domain/outcome.hpp"

namespace rushproof::processor {

using MessageOutcome = std::variant<StoredResult, DeadLetter>;

// Any number of calls may be under way.  Errors of all of them: those of the database.
class Messages {
public:
    Messages(Environment& environment, Waiters& waiters, Mutant mutant)
        : environment_(environment), waiters_(waiters), mutant_(mutant) {}

    // "not-processed" if nothing has become of it within `wait`.
    Task<Result<MessageOutcome>> get(Context context, std::string id, Duration wait);
    Task<Result<std::vector<StoredResult>>> list(Context context, std::int64_t after,
                                                 std::int64_t limit);
    Task<Result<std::vector<DeadLetter>>> list_dead(Context context, std::string after,
                                                    std::int64_t limit);
    // Publishes the message as it was, but for the header that tells of the replay.  Its dead
    // letter stays until the message has its effect, so nothing is lost when this fails half-way.
    // "not-found"; retryable "too-soon" while the provider would drop a repeat; those of
    // publishing.
    Task<Result<DeadLetter>> replay(Context context, Routing& routing, std::string id);

    // The oldest results, once nothing can ask for them; how many.
    Task<Result<std::size_t>> forget(Context context);
    Task<Result<bool>> ping(Context context);

private:
    Task<Result<std::vector<Rows>>> read(Context context, std::vector<Call> calls);
    Task<Result<MessageOutcome>> find(Context context, std::string id);
    Task<Result<DeadLetter>> find_dead(Context context, std::string id);

    Environment& environment_;
    Waiters& waiters_;
    Mutant mutant_;
};

}  // namespace rushproof::processor
