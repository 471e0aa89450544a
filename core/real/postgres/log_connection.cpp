#include "core/real/postgres/log_connection.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "core/real/postgres/errors.hpp"
#include "core/real/postgres/wire.hpp"

namespace rushproof::postgres {

namespace {

using asio::posix::stream_descriptor;

// The server hangs up on who is silent for a minute, as it is configured by default.
constexpr Duration tell_every = std::chrono::seconds(10);
constexpr Duration silence_max = std::chrono::seconds(35);
constexpr std::size_t rows_at_once = 100;

constexpr std::string_view slot_in_use = "55006";
// After its letter: where the data begins and ends in the log, and when it was sent.
constexpr std::size_t data_header = 3 * sizeof(std::uint64_t);

MonotonicTime now() { return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()); }

// No time of ours matters to the server.
std::string status_message(LogPosition confirmed) {
    std::string message("r");
    for (int i = 0; i < 3; ++i) {
        append_big_endian(message, confirmed);
    }  // written, flushed, applied
    append_big_endian(message, std::uint64_t{0});
    append_big_endian(message, std::uint8_t{1});  // answer, please
    return message;
}

struct FreeCopied {
    void operator()(char* data) const { PQfreemem(data); }
};

std::uint64_t number_at(std::string_view text, std::size_t index) {
    return read_big_endian<std::uint64_t>(
        text.substr(index * sizeof(std::uint64_t), sizeof(std::uint64_t)));
}

}  // namespace

LogConnection::LogConnection(const asio::any_io_executor& executor, Gauge& lag)
    : Connection(executor), pause_(executor), lag_(lag) {}

Task<Result<std::shared_ptr<LogConnection>>> LogConnection::open(
    asio::any_io_executor executor, const std::string& url, std::string slot,
    std::string publication, Gauge& lag, MonotonicTime deadline) {
    const std::shared_ptr<LogConnection> log(new LogConnection(executor, lag));
    log->set_deadline(deadline);
    RP_CO_CHECK(co_await log->connect(url, "database"));
    RP_CO_CHECK(co_await log->start(std::move(slot), std::move(publication)));
    log->set_deadline(MonotonicTime::max());
    co_return log;
}

Task<Result<void>> LogConnection::start(std::string slot, std::string publication) {
    const std::string command = "START_REPLICATION SLOT \"" + slot +
                                "\" LOGICAL 0/0 (proto_version '1', publication_names '\"" +
                                publication + "\"')";
    if (PQsendQuery(handle(), command.c_str()) == 0) { co_return failure(lost_error()); }
    co_await flush();
    const ResultHandle result = co_await next_result();
    if (!result) { co_return failure(lost_error()); }
    if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) {
        const char* const sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        const std::string_view state = sqlstate == nullptr ? "" : sqlstate;
        const std::string why = PQresultErrorMessage(result.get());
        if (state == slot_in_use) { co_return failure(ErrorKind::retryable, "log-in-use", why); }
        co_return failure(error_of(state, why));
    }
    told_ = heard_ = now();
    co_return Result<void>();
}

Task<Result<LoggedBatch>> LogConnection::next(MonotonicTime deadline) {
    while (true) {
        if (closed()) { co_return failure(connection_lost("the log was closed")); }
        RP_CO_CHECK(read_arrived());
        if (decoder_.ready() > 0) {
            given_ = decoder_.end();
            co_return decoder_.take();
        }
        const MonotonicTime time = now();
        if (time - heard_ > silence_max) {
            close();
            co_return failure(connection_lost("PostgreSQL says nothing any more"));
        }
        if (asked_ || time - told_ > tell_every) {
            set_deadline(time + tell_every);
            RP_CO_CHECK(co_await tell_status());
        }
        if (time >= deadline) { co_return LoggedBatch(); }
        co_await wait_until(std::min(deadline, told_ + tell_every));
    }
}

// What has arrived, up to a reasonable number of rows.
Result<void> LogConnection::read_arrived() {
    while (decoder_.ready() < rows_at_once) {
        char* data = nullptr;
        const int size = PQgetCopyData(handle(), &data, 1);
        const std::unique_ptr<char, FreeCopied> owned(data);
        if (size > 0) {
            RP_CHECK(read_one(std::string_view(data, static_cast<std::size_t>(size))));
            continue;
        }
        if (size < 0) {
            const Error error = lost_error();
            close();
            return failure(error);
        }
        return {};
    }
    return {};
}

Result<void> LogConnection::read_one(std::string_view message) {
    heard_ = now();
    const char kind = message.front();
    message.remove_prefix(1);
    if (kind == 'k' && message.size() == 2 * sizeof(std::uint64_t) + 1) {
        read_keepalive(message);
        return {};
    }
    if (kind == 'w' && message.size() >= data_header) {
        const auto sent_at = static_cast<ServerTime>(number_at(message, 2));
        const LogPosition server_end = number_at(message, 1);
        RP_CHECK(decoder_.read(message.substr(data_header), sent_at));
        show_lag(server_end);
        return {};
    }
    return failure(ErrorKind::permanent, "malformed",
                   "PostgreSQL's log has a message that is not understood");
}

// When everything that it sent is confirmed, there is nothing of ours before its end either: so it
// need not keep its log for us while others write.
void LogConnection::read_keepalive(std::string_view rest) {
    const LogPosition server_end = number_at(rest, 0);
    asked_ = asked_ || rest.back() != 0;
    const bool all_confirmed =
        decoder_.ready() == 0 && !decoder_.in_transaction() && decoder_.end() <= confirmed_;
    if (all_confirmed) { confirmed_ = std::max(confirmed_, server_end); }
    show_lag(server_end);
}

void LogConnection::show_lag(LogPosition server_end) {
    if (confirmed_ == 0) { return; }
    lag_.set(server_end > confirmed_ ? static_cast<double>(server_end - confirmed_) : 0);
}

Task<void> LogConnection::wait_until(MonotonicTime at) {
    using asio::experimental::awaitable_operators::operator||;
    pause_.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
    co_await (wait(stream_descriptor::wait_read) ||
              pause_.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (!closed()) { PQconsumeInput(handle()); }  // what it lacks is found by who reads
}

Task<Result<void>> LogConnection::confirm(MonotonicTime deadline) {
    if (closed()) { co_return failure(connection_lost("the log was closed")); }
    confirmed_ = std::max(confirmed_, given_);
    set_deadline(deadline);
    co_return co_await tell_status();
}

Task<Result<void>> LogConnection::tell_status() {
    const std::string message = status_message(confirmed_);
    if (PQputCopyData(handle(), message.data(), static_cast<int>(message.size())) < 0) {
        co_return failure(lost_error());
    }
    co_await flush();
    if (lost()) {
        const Error error = lost_error();
        close();
        co_return failure(error);
    }
    set_deadline(MonotonicTime::max());
    told_ = now();
    asked_ = false;
    co_return Result<void>();
}

Error LogConnection::lost_error() const { return connection_lost(server_error().message()); }

}  // namespace rushproof::postgres
