// What messages do: each has one effect, which is its row in the result table, or is set aside as a
// dead letter.
//
// A reservation is made by inventory under the message's id as idempotency key, before the row is
// written; a repeat of the message finds the row and asks nobody.  What fails and may work later is
// tried again, in place and without end, so that the order of the key stays.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "services/processor/domain/outcome.hpp"
#include "services/processor/processor.hpp"

namespace rushproof::processor {

// Since the process started.
struct EffectCounts {
    std::uint64_t processed = 0;
    std::uint64_t errors = 0;  // dead letters, and results without success
    Duration spent{};          // with messages, each on its own
};

class Effects {
public:
    // Told the ids of messages that had their outcome.
    using Settled = std::function<void(const std::vector<Work>&)>;

    Effects(Environment& environment, const Options& options, Settled settled);

    // Returns when every message of the batch had its effect or is a dead letter.  Throws
    // boost::system::system_error when cancelled: some may have had theirs.
    Task<void> settle(const std::vector<Work>& batch);

    const EffectCounts& counts() const { return counts_; }

private:
    Task<std::set<std::string>> find_settled(const std::vector<Work>& batch);
    Task<Decision> decide(const Work& work);
    Task<Decision> decide_unguarded(const Work& work);
    Task<Decision> reserve(const Work& work);
    Task<void> write(std::span<Decision> decisions);
    Task<Result<std::int64_t>> write_once(std::span<const Decision> decisions);
    Task<void> undo_unwanted(std::span<const Decision> decisions);
    Task<void> release(const Work& work, std::string reservation);

    Context context_of(const Work& work) const;
    Context context() const;
    // Are all results new?
    bool note(std::span<const Decision> decisions, std::int64_t inserted);
    void observe_age(std::span<const Decision> decisions);
    Task<void> pause_after(const Error& error, int& tries);

    Environment& environment_;
    const Options& options_;
    Settled settled_;
    EffectCounts counts_;
    Counter& results_;
    Counter& refusals_;
    Counter& dead_;
    Counter& repeats_;
    Counter& retries_;
    Distribution& since_accepted_;
};

}  // namespace rushproof::processor
