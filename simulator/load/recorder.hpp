// Writes what the simulated users did and saw into a history.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// One per generator thread, each with a history of its own (merge_histories joins them).  Times are
// ns since the start of the run and never decrease from one call to the next.
class Recorder {
public:
    // Sees every event as it is appended.
    using Observer = std::function<void(const Event&)>;

    // Process numbers are part, part + parts, part + 2 * parts ..., so that they are unique over
    // all recorders of a run.  `history` outlives the recorder.
    explicit Recorder(History& history, std::uint32_t part = 0, std::uint32_t parts = 1,
                      Observer observer = {});

    // A user takes a process number and gives it back when it leaves; a number whose last operation
    // has an unknown outcome is never given back.
    TextId take_process();
    void give_back(TextId process);

    // What was invoked, for complete().
    struct Operation {
        Function function = Function::reserve;
        TextId process = no_text;
        TextId key = no_text;
        TextId subject = no_text;
        std::int64_t amount = 0;
        std::uint32_t basket = 0;
    };
    // `subject` is the reservation's client-chosen key, empty for reads; `sku` is empty for what
    // ends a basket.
    Operation invoke(std::int64_t time, TextId process, Function function, std::string_view sku,
                     std::string_view subject, std::int64_t amount);
    // Items of the same SKU add up.
    Operation invoke_basket(std::int64_t time, TextId process, std::string_view subject,
                            std::span<const std::pair<std::string, std::int64_t>> items);
    void ok(std::int64_t time, const Operation& operation);
    // `seen` is what was available, or the Found of a find.
    void ok_read(std::int64_t time, Operation operation, std::int64_t seen);
    // `refused_by` is the SKU of a basket that there was too little of.
    void fail(std::int64_t time, Operation operation, Failure failure,
              std::string_view refused_by = {});
    void info(std::int64_t time, const Operation& operation);

private:
    void append(std::int64_t time, const Operation& operation, EventType type, Failure failure);

    History& history_;
    std::uint64_t next_process_;
    std::uint64_t stride_;
    std::vector<TextId> free_processes_;
    Observer observer_;
};

// One history of the parts that the threads of one run recorded: events by time, those of one
// part in their order; what describes the run, and its faults, from the first part.  Comes before
// the audit.  `parts` is not empty.
History merge_histories(std::vector<History> parts);

}  // namespace rushproof::simulator
