// A connection on which the server streams what is inserted into a published table.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "core/ports/telemetry.hpp"
#include "core/real/postgres/connection.hpp"
#include "core/real/postgres/log_decoder.hpp"

namespace rushproof::postgres {

class LogConnection final : public Connection {
public:
    // `slot` is there.  `lag` shows how far behind it is, in bytes.  Errors: retryable
    // "unavailable", "log-in-use"; others as the server answers.
    static Task<Result<std::shared_ptr<LogConnection>>> open(asio::any_io_executor executor,
                                                             const std::string& url,
                                                             std::string slot,
                                                             std::string publication, Gauge& lag,
                                                             MonotonicTime deadline);

    // As InsertLog says, but what it gives may not be visible yet.
    Task<Result<LoggedBatch>> next(MonotonicTime deadline);
    Task<Result<void>> confirm(MonotonicTime deadline);

private:
    LogConnection(const asio::any_io_executor& executor, Gauge& lag);

    Task<Result<void>> start(std::string slot, std::string publication);
    Result<void> read_arrived();
    Result<void> read_one(std::string_view message);
    void read_keepalive(std::string_view rest);
    void show_lag(LogPosition server_end);
    Task<void> wait_until(MonotonicTime at);
    Task<Result<void>> tell_status();
    Error lost_error() const;

    asio::steady_timer pause_;
    LogDecoder decoder_;
    Gauge& lag_;
    LogPosition given_ = 0;      // the end of what next() has given
    LogPosition confirmed_ = 0;  // nothing before it comes again
    MonotonicTime told_{};       // when the server last heard of us
    MonotonicTime heard_{};      // when we last heard of it
    bool asked_ = false;         // it wants to hear of us at once
};

}  // namespace rushproof::postgres
