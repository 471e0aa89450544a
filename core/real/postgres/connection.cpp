#include "core/real/postgres/connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/assert.hpp"
#include "core/real/postgres/errors.hpp"

namespace rushproof::postgres {

namespace {

using asio::posix::stream_descriptor;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

const Statement commit_statement{"postgres.commit", "COMMIT", ""};
const Statement roll_back_statement{"postgres.roll_back", "ROLLBACK", ""};
// After a COMMIT: no earlier than its record, also when it was not flushed.
const Statement position_statement{
    "postgres.position", "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint", ""};

std::string trimmed(const char* message) {
    std::string_view text = message == nullptr ? "" : message;
    while (text.ends_with('\n')) { text.remove_suffix(1); }
    return std::string(text);
}

std::string in_milliseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::string_view field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string_view() : std::string_view(text);
}

Error late() { return Error(ErrorKind::retryable, "deadline-exceeded", "the deadline has passed"); }

std::string session_settings(const PostgresOptions& options) {
    return "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'; "
           "SET client_connection_check_interval = '1s'; "
           "SET statement_timeout = " +
           in_milliseconds(options.statement_timeout) +
           "; SET lock_timeout = " + in_milliseconds(options.lock_timeout) +
           "; SET idle_in_transaction_session_timeout = " +
           in_milliseconds(options.idle_in_transaction_timeout);
}

}  // namespace

Connection::Connection(asio::any_io_executor executor) : descriptor_(executor), timer_(executor) {}

Task<Result<std::shared_ptr<Connection>>> Connection::open(asio::any_io_executor executor,
                                                           const std::string& url,
                                                           const PostgresOptions& options,
                                                           MonotonicTime deadline) {
    const std::shared_ptr<Connection> connection(new Connection(executor));
    connection->set_deadline(deadline);
    RP_CO_CHECK(co_await connection->connect(url));
    RP_CO_CHECK(co_await connection->configure(options));
    connection->set_deadline(MonotonicTime::max());
    co_return connection;
}

Error Connection::server_error() const {
    return Error(
        ErrorKind::retryable, "unavailable",
        expired_ ? "PostgreSQL did not answer in time" : trimmed(PQerrorMessage(handle_.get())));
}

Task<Result<void>> Connection::connect(const std::string& url, const char* replication) {
    const std::array<const char*, 5> names{"dbname", "fallback_application_name", "client_encoding",
                                           replication == nullptr ? nullptr : "replication",
                                           nullptr};
    const std::array<const char*, 5> values{url.c_str(), "rushproof", "UTF8", replication, nullptr};
    handle_.reset(PQconnectStartParams(names.data(), values.data(), 1));
    RP_ASSERT(handle_ != nullptr);
    PQsetNoticeProcessor(handle_.get(), [](void*, const char*) {}, nullptr);
    auto state =
        PQstatus(handle_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) { co_return failure(server_error()); }
        boost::system::error_code error;
        descriptor_.assign(PQsocket(handle_.get()), error);
        if (error) { co_return failure(server_error()); }
        const auto type = state == PGRES_POLLING_READING ? stream_descriptor::wait_read
                                                         : stream_descriptor::wait_write;
        const bool ready = co_await wait(type);
        if (!ready) { co_return failure(server_error()); }
        // libpq opens another socket for each address that it tries, often under the same number:
        // whoever watched the old one would watch nothing.
        descriptor_.release();
        state = PQconnectPoll(handle_.get());
    }
    boost::system::error_code error;
    descriptor_.assign(PQsocket(handle_.get()), error);
    if (error) { co_return failure(server_error()); }
    PQsetnonblocking(handle_.get(), 1);
    co_return Result<void>();
}

Task<Result<void>> Connection::configure(const PostgresOptions& options) {
    if (PQsendQuery(handle_.get(), session_settings(options).c_str()) == 0) {
        co_return failure(server_error());
    }
    co_await flush();
    while (true) {
        const ResultHandle result = co_await next_result();
        if (lost_) { co_return failure(server_error()); }
        if (!result) { break; }
        if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) { co_return failure(server_error()); }
    }
    RP_ASSERT(PQenterPipelineMode(handle_.get()) == 1);
    co_return Result<void>();
}

void Connection::set_deadline(MonotonicTime deadline) {
    // This also calls off the handler of an earlier one.
    timer_.expires_at(std::chrono::steady_clock::time_point(deadline.time_since_epoch()));
    if (deadline == MonotonicTime::max()) { return; }
    timer_.async_wait([weak = weak_from_this(), deadline](boost::system::error_code error) {
        const auto self = weak.lock();
        // A handler that was already on its way is not called back by a newer deadline.
        if (error || !self ||
            self->timer_.expiry().time_since_epoch() != deadline.time_since_epoch()) {
            return;
        }
        self->expire();
    });
}

void Connection::expire() {
    expired_ = true;
    if (waiting_) {
        descriptor_.cancel();  // the coroutine that waits closes
    } else if (!busy_) {
        close();
    }
}

void Connection::close() {
    // libpq owns the socket.
    if (descriptor_.is_open()) { descriptor_.release(); }
    handle_.reset();
}

bool Connection::usable() { return !busy_ && !in_transaction_ && alive(); }

// Also reads what the server said unasked: a notice, or why it is about to hang up.
bool Connection::alive() {
    while (!closed()) {
        char byte = 0;
        const auto got = ::recv(PQsocket(handle_.get()), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0) { return errno == EAGAIN || errno == EWOULDBLOCK; }
        if (got == 0 || PQconsumeInput(handle_.get()) == 0) { break; }
    }
    return false;
}

Task<Result<std::vector<Rows>>> Connection::run(Trip trip) {
    RP_ASSERT(!busy_);
    // Found out now, it is certain that nothing was committed.
    if (!alive()) {
        close();
        co_return failure(expired_ ? late() : connection_lost("the server has hung up"));
    }
    busy_ = true;
    steps_.clear();
    const Result<void> sent = send(trip);
    RP_ASSERT(sent || steps_.empty() || steps_.back().kind != StepKind::commit);
    if (PQpipelineSync(handle_.get()) == 0) { lost_ = true; }
    co_await flush();
    Answer answer = co_await receive();
    if (!sent && !answer.error) { answer.error = sent.error(); }
    busy_ = false;
    co_return conclude(trip, std::move(answer));
}

Task<void> Connection::roll_back() {
    in_transaction_ = false;
    std::vector<Call> calls;
    calls.emplace_back(roll_back_statement, Row());
    Trip trip;
    trip.calls = &calls;
    const auto rolled_back = co_await run(trip);
    if (!rolled_back) { close(); }
}

// Stops at the first call that cannot be sent; nothing after it is, and so no COMMIT.
Result<void> Connection::send(const Trip& trip) {
    const Row no_arguments;
    if (trip.begin != nullptr) { RP_CHECK(send_call(StepKind::begin, *trip.begin, no_arguments)); }
    for (const Call& call : *trip.calls) {
        RP_CHECK(send_call(StepKind::call, *call.statement, call.arguments));
    }
    if (trip.commit) { RP_CHECK(send_call(StepKind::commit, commit_statement, no_arguments)); }
    if (trip.wants_position) {
        RP_CHECK(send_call(StepKind::position, position_statement, no_arguments));
    }
    return {};
}

Result<void> Connection::send_call(StepKind kind, const Statement& statement,
                                   const Row& arguments) {
    if (const auto filled = parameters_.fill(arguments); !filled) {
        return failure(filled.error().kind(), filled.error().code(),
                       std::string(statement.name) + ": " + filled.error().message());
    }
    const std::string name(statement.name);
    const auto [place, is_new] = prepared_.emplace(statement.name, statement.sql);
    RP_ASSERT(place->second == statement.sql);  // a name means one statement
    if (is_new) {
        const std::string sql(statement.sql);
        if (PQsendPrepare(handle_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 0) {
            lost_ = true;
        }
        steps_.push_back(Step{StepKind::prepare, statement.name});
    }
    if (PQsendQueryPrepared(handle_.get(), name.c_str(), parameters_.count(), parameters_.values(),
                            parameters_.lengths(), parameters_.formats(), 0) == 0) {
        lost_ = true;
    }
    steps_.push_back(Step{kind, statement.name});
    return {};
}

Task<void> Connection::flush() {
    while (!lost_) {
        const int left = PQflush(handle_.get());
        if (left == 0) { break; }
        if (left < 0) {
            lost_ = true;
        } else {
            co_await wait_for_either();
        }
    }
}

// While the server does not read because it is busy writing, we must read.
Task<void> Connection::wait_for_either() {
    using asio::experimental::awaitable_operators::operator||;
    co_await (wait(stream_descriptor::wait_write) || wait(stream_descriptor::wait_read));
    if (expired_ || PQconsumeInput(handle_.get()) == 0) { lost_ = true; }
}

Task<bool> Connection::wait(stream_descriptor::wait_type type) {
    if (expired_) { co_return false; }
    waiting_ = true;
    const auto [error] = co_await descriptor_.async_wait(type, await_tuple);
    waiting_ = false;
    co_return !error && !expired_;
}

// Null when libpq has none, or the connection is lost.
Task<Connection::ResultHandle> Connection::next_result() {
    while (!lost_ && PQisBusy(handle_.get()) != 0) {
        const bool readable = co_await wait(stream_descriptor::wait_read);
        if (!readable) {
            lost_ = true;
            co_return nullptr;
        }
        // After the server hung up, what it said last is still to be had.
        if (PQconsumeInput(handle_.get()) == 0) { break; }
    }
    co_return lost_ ? nullptr : ResultHandle(PQgetResult(handle_.get()));
}

Task<Connection::Answer> Connection::receive() {
    Answer answer;
    for (std::size_t i = 0; i < steps_.size() && !lost_; ++i) {
        const Step step = steps_[i];
        ResultHandle result = co_await next_result();
        while (result) {
            switch (PQresultStatus(result.get())) {
                case PGRES_COMMAND_OK:
                case PGRES_TUPLES_OK: accept(step, result.get(), answer); break;
                case PGRES_PIPELINE_ABORTED:
                    if (step.kind == StepKind::prepare) { prepared_.erase(step.name); }
                    break;
                default: note_error(step, result.get(), answer); break;
            }
            result.reset();
            if (!lost_) { result = co_await next_result(); }
        }
    }
    if (!lost_) {
        const ResultHandle sync = co_await next_result();
        if (!sync || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) { lost_ = true; }
    }
    co_return answer;
}

void Connection::accept(const Step& step, const PGresult* result, Answer& answer) {
    switch (step.kind) {
        case StepKind::prepare: break;
        case StepKind::begin: in_transaction_ = true; break;
        case StepKind::call:
            if (auto rows = rows_of(result)) {
                answer.rows.push_back(*std::move(rows));
            } else if (!answer.error) {
                answer.error = Error(rows.error().kind(), rows.error().code(),
                                     std::string(step.name) + ": " + rows.error().message());
            }
            break;
        case StepKind::commit:
            in_transaction_ = false;
            answer.committed = true;
            position_ = ~LogPosition{0};  // until it is known, no replica has replayed it
            break;
        case StepKind::position:
            if (const auto rows = rows_of(result); rows && rows->rows.size() == 1) {
                position_ = static_cast<LogPosition>(integer(rows->rows[0], 0));
            }
            break;
    }
}

void Connection::note_error(const Step& step, const PGresult* result, Answer& answer) {
    const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
    const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const bool hung_up = sqlstate.empty() || severity == "FATAL" || severity == "PANIC";
    if (hung_up) { lost_ = true; }
    if (step.kind == StepKind::prepare) { prepared_.erase(step.name); }
    if (answer.error || step.kind == StepKind::position) { return; }
    // A session that ended in COMMIT's place, or without a word, may have committed.
    if (sqlstate.empty() || (hung_up && step.kind == StepKind::commit)) { return; }
    answer.error_in_commit = step.kind == StepKind::commit;
    answer.error = error_of(sqlstate, std::string(step.name) + ": " +
                                          std::string(field(result, PG_DIAG_MESSAGE_PRIMARY)));
}

Result<std::vector<Rows>> Connection::conclude(const Trip& trip, Answer answer) {
    const std::string last_words = lost_ ? trimmed(PQerrorMessage(handle_.get())) : "";
    if (lost_) { close(); }
    if (answer.error_in_commit) { in_transaction_ = false; }
    // Only an answer that we could not read can be an error beside a commit: the effect is there.
    if (answer.committed && answer.error) {
        return failure(commit_unknown(answer.error->message()));
    }
    if (answer.error) { return failure(*std::move(answer.error)); }
    if (answer.committed || !lost_) { return std::move(answer.rows); }
    if (trip.commit && !trip.read_only) {
        return failure(commit_unknown(expired_ ? late().message() : last_words));
    }
    return failure(expired_ ? late() : connection_lost(last_words));
}

}  // namespace rushproof::postgres
