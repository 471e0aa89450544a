// One simulated user on its way through a journey.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/clock.hpp"
#include "simulator/load/client.hpp"
#include "simulator/load/draws.hpp"
#include "simulator/load/metrics.hpp"
#include "simulator/load/pipeline_client.hpp"
#include "simulator/load/popularity.hpp"
#include "simulator/load/recorder.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// What all buyers of one driver share.
struct Shop {
    std::int64_t now() const { return (clock.monotonic() - start).count(); }

    Clock& clock;
    ReservationClient client;
    PipelineClient pipeline;
    Recorder& recorder;
    LoadMetrics& metrics;
    std::uint64_t seed;
    MonotonicTime start;      // time zero of the run
    MonotonicTime stop;       // no operation starts from here on ...
    MonotonicTime hard_stop;  // ... and none lasts longer
};

// What the buyers of one load draw.
struct BuyerDraws {
    BuyerDraws(std::uint64_t seed, std::string_view load)
        : quantity(seed, load, "quantity"),
          think(seed, load, "think"),
          choose(seed, load, "choose"),
          retry(seed, load, "retry"),
          sku(seed, load, "sku"),
          basket(seed, load, "basket"),
          message(seed, load, "message") {}
    LoadStreams quantity;
    LoadStreams think;
    LoadStreams choose;
    LoadStreams retry;
    LoadStreams sku;
    LoadStreams basket;
    LoadStreams message;
};

// A load with what its buyers need to know.
struct LoadPlan {
    const Load& load;
    const Journey& journey;
    PopularSku popular;
    BuyerDraws draws;
    std::uint16_t index;  // in LoadMetrics::loads
};

// Either an arrival of an open-loop load, or one of the visits of a constant user.
struct Visitor {
    std::uint64_t number = 0;
    std::optional<std::uint64_t> visit;
};

// The code of a message that was set aside: what it was to do may have been done.
inline constexpr std::string_view set_aside_code = "set-aside";

// ... and of one that was accepted and has no outcome yet: sending it again would tell nothing new.
inline constexpr std::string_view no_outcome_code = "no-outcome";

class Buyer {
public:
    // Shop and plan outlive the buyer.
    Buyer(Shop& shop, const LoadPlan& plan, Visitor visitor);

    // Walks through the journey, whose first operation was meant to start at `intended`.
    Task<void> walk(std::int64_t intended);

    // Some operation failed or stayed without an answer.
    bool had_trouble() const { return had_trouble_; }

private:
    struct Request {
        Function function = Function::reserve;
        std::string sku;
        std::int64_t quantity = 0;
        Items items;             // of a basket, instead of sku and quantity
        std::string key;         // names it in the history; empty for reads
        std::string sent_key;    // the idempotency key that makes it so
        std::string id;          // the server's identifier of the reservation, once known
        std::int64_t bytes = 0;  // of a message's data
        bool queued = false;     // a reserve that goes through the pipeline
        bool recorded = true;
        bool key_per_attempt = false;
    };
    // What the per-buyer key was used for; it worked for certain, or may have.
    struct KeyInEffect {
        std::string sku;
        std::int64_t quantity = 0;
        bool certain = false;
    };
    struct Answer {
        std::string id;
        std::int64_t available = 0;
        Found found = Found::absent;
        std::string position;  // of a write
    };
    struct Finished {
        Request request;  // with the key of its last attempt
        Outcome outcome = Outcome::succeeded;
        Answer answer;  // if it succeeded
    };

    Task<void> reserve(ReserveStep step);
    Task<void> reserve_many(ReserveManyStep step);
    Task<void> read(ReadStep step);
    Task<void> extend();
    Task<void> find();
    Task<void> ingest(IngestStep step);
    Task<void> think(ThinkStep step);
    Task<void> choose(ChooseStep step);

    // Reserves, and keeps what it got for choose().
    Task<Outcome> hold(Request request);
    // Tries until there is a definite answer or the retry policy gives up.
    Task<Finished> operate(Request request);
    // One attempt; the request outlives it.
    Task<Result<Answer>> send(const Request& request);
    Task<Result<Answer>> send_directly(const Request& request);
    Task<Result<Answer>> send_queued(const Request& request);
    // Asks until there is one; error: permanent as the result says, "set-aside", or of unknown
    // outcome.
    Task<Result<Answer>> await_outcome(const Request& request);
    Context context_of(const Request& request) const;
    // Of the request or, of a message, what its id follows from.
    void set_key(Request& request, std::string key) const;
    static Answer answer_of(ReservationAnswer reservation);
    bool worth_retrying(const Error& error, std::int64_t retry) const;

    // What the history is told about an operation; nothing if it is not recorded.
    using Recorded = std::optional<Recorder::Operation>;
    Recorded begin(const Request& request);
    void succeed(const Recorded& operation, const Answer& answer);
    // The message of a queued reserve, which is enqueued by a process of its own.
    void begin_message(const Request& request);
    void end_message(EventType type);
    Outcome give_up(const Recorded& operation, const Request& request, const Error& last,
                    bool may_have_effect);

    Shop& shop_;
    const LoadPlan& plan_;
    std::string name_;  // unique in the run; begins every key
    RandomStream quantities_;
    RandomStream times_;
    RandomStream choices_;
    RandomStream pauses_;
    RandomStream baskets_;
    RandomStream messages_;
    std::string popular_sku_;

    TextId process_ = no_text;
    std::size_t step_ = 0;
    std::int64_t ready_ = 0;  // when the next operation is meant to start
    bool left_ = false;       // the end came first
    bool had_trouble_ = false;
    std::optional<KeyInEffect> key_in_effect_;
    std::vector<Request> held_;  // acknowledged reserves, not yet chosen about
    Request latest_;             // the last of them, whatever became of it
    std::string position_;       // of the last acknowledged write
    Recorded message_;           // of the queued reserve under way, until it is accepted
};

}  // namespace rushproof::simulator
