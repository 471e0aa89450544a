// The strategy `batched`: whoever waits is served by one transaction of two round trips, however
// many they are.  The first locks the stock of all SKUs and looks up all keys; then the order of
// arrival decides who gets what; the second writes everything and commits.
//
// A batch whose commit has an unknown outcome is of unknown outcome to all of its members.  One
// that may be repeated is repeated as a whole; one that cannot work is halved, until whoever is at
// fault is alone.
#pragma once
#include <deque>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/resumption.hpp"
#include "core/runtime/retry.hpp"
#include "core/runtime/scope.hpp"
#include "services/inventory/app/contention.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/inventory.hpp"

namespace rushproof::inventory {

struct ReserveRequest {
    Owner owner;
    IdempotencyKey key;
    std::vector<Line> lines;  // as merge_lines gives them
};

// One transaction at a time.
class Batcher {
public:
    // All outlive the batcher.
    Batcher(Environment& environment, const Options& options, RetryBudget& retry_budget,
            Contention& contention);

    // Errors as Application::reserve; retryable "overloaded" when too many wait.
    Task<Result<Reservation>> reserve(Context context, ReserveRequest request);

    // When no call is under way and none will come.
    Task<void> join() { return scope_.join(); }

private:
    struct Waiting {
        Context context;
        ReserveRequest request;
        Resumption<Result<Reservation>> answer;
    };
    using Members = std::vector<Waiting>;
    using Answers = std::vector<Result<Reservation>>;

    Task<void> work();
    Members next_members();
    Task<void> settle(Members members);
    Task<Result<Answers>> attempt(const Members& members);

    Environment& environment_;
    const Options& options_;
    RetryBudget& retry_budget_;
    Contention& contention_;
    Counter& batches_;
    Counter& requests_;
    Scope scope_;
    std::deque<Waiting> line_;
    bool working_ = false;
};

}  // namespace rushproof::inventory
