// The one use case of ingest: make a message and have it accepted.
#pragma once
#include <cstdint>
#include <string>

#include "core/ports/environment.hpp"
#include "core/runtime/data_message.hpp"
#include "services/ingest/app/route.hpp"

namespace rushproof::ingest {

struct Request {
    std::string source;
    std::string data;
    Metadata metadata;
    std::string kind;  // empty: plain
    std::string key;   // empty: metadata "key", else the source
};

// Since the process started.  received = sent + failed + under way.
struct Totals {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
};

class Application {
public:
    explicit Application(Environment& environment, Route& route);

    // The message's id, once it is accepted: a repeat under one idempotency key of one owner has
    // the same.  Errors: permanent "malformed", "too-large"; those of publishing.
    Task<Result<std::string>> accept(Context context, Request request);

    // Of what could not even be read.
    void note_unreadable();
    const Totals& totals() const { return totals_; }

private:
    Result<std::string> id_of(const Context& context, const std::string& kind);
    Result<Message> message_of(const Context& context, Request request);

    Environment& environment_;
    Route& route_;
    Totals totals_;
    Counter& received_;
    Counter& sent_;
    Counter& failed_;
};

}  // namespace rushproof::ingest
