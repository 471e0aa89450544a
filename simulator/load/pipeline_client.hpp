// The public REST API of the pipeline of messages, as its clients, its operators and the audit see
// it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/http.hpp"

namespace rushproof::simulator {

// What became of a message.
struct MessageAnswer {
    bool dead = false;  // set aside
    bool success = false;
    std::string error;        // a code, without success
    std::string reservation;  // of a queued reservation: the server's identifier
};
// A message that had its effect.
struct ProcessedRow {
    std::int64_t number = 0;  // of effects, in their order
    std::string message;
    std::string key;
    WallTime at;  // by the database's clock
};
struct DeadRow {
    std::string message;
    std::string key;
    WallTime at;
};
// A message that is not mended yet.
struct DivergenceRow {
    std::string message;
    std::vector<std::string> lacking;  // providers
    WallTime at;
};
// The route of messages.
struct QueueAnswer {
    std::int64_t epoch = 0;
    std::string provider;
    std::string previous;
    std::string phase;  // steady: no switch is under way
    // Of the last switch that ended.
    std::int64_t carried_over = 0;
    std::string error;  // why it was rolled back
};

// Each method is one attempt, as those of ReservationClient.
class PipelineClient {
public:
    // Any number of calls at once; `http` outlives them all.
    explicit PipelineClient(HttpClient& http) : http_(http) {}

    // The context carries the idempotency key, and the owner as principal: together they make the
    // message's id (message_id_of).  The answer of another id is an error.
    Task<Result<void>> ingest(Context context, std::string key, std::string data);
    // Accepted: its outcome is asked for by the message's id.
    Task<Result<void>> reserve(Context context, std::string sku, std::int64_t quantity);
    // Permanent "not-processed" while nothing has become of it.
    Task<Result<MessageAnswer>> outcome(Context context, std::string message);

    // Pages, in order of numbers or of ids; an empty page is the end.
    Task<Result<std::vector<ProcessedRow>>> processed(Context context, std::int64_t after,
                                                      std::int64_t limit);
    Task<Result<std::vector<DeadRow>>> dead_letters(Context context, std::string after,
                                                    std::int64_t limit);
    Task<Result<std::vector<DivergenceRow>>> divergences(Context context, std::string after,
                                                         std::int64_t limit);

    Task<Result<QueueAnswer>> queue(Context context);
    // Begins a switch, or says why not.  What is not done `within` that time, of whole
    // milliseconds, is taken back.
    Task<Result<void>> switch_queue(Context context, std::string to, Duration within);

private:
    Task<Result<void>> accept(Context context, HttpRequest request, std::string_view kind);
    Task<Result<HttpResponse>> send(Context context, HttpRequest request);

    HttpClient& http_;
};

// The id that the system gives to a message of this owner under this idempotency key; each kind has
// keys of its own, "" those of ingest and reserve_kind those of queued reservations.
std::string message_id_of(std::string_view owner, std::string_view idempotency_key,
                          std::string_view kind = {});

}  // namespace rushproof::simulator
