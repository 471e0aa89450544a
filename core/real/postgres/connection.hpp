// One connection to a PostgreSQL server, in pipeline mode.
#pragma once
#include <libpq-fe.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"
#include "core/real/postgres/postgres_database.hpp"
#include "core/real/postgres/values.hpp"

namespace rushproof::postgres {

// What one round trip does, in this order.  The calls outlive it.
struct Trip {
    const Statement* begin = nullptr;
    const std::vector<Call>* calls = nullptr;
    bool commit = false;
    bool read_only = false;       // then a commit cannot have an unknown outcome
    bool wants_position = false;  // of the log, after the commit
};

// Its pool and one transaction at a time hold it.  One coroutine at a time calls it.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    // Error: retryable "unavailable".
    static Task<Result<std::shared_ptr<Connection>>> open(asio::any_io_executor executor,
                                                          const std::string& url,
                                                          const PostgresOptions& options,
                                                          MonotonicTime deadline);
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Past it, what is under way fails and the connection is closed.  MonotonicTime::max(): never.
    void set_deadline(MonotonicTime deadline);

    Task<Result<std::vector<Rows>>> run(Trip trip);
    Task<void> roll_back();

    // Nothing is under way, no transaction is open, and the server has not hung up.
    bool usable();
    bool in_transaction() const { return in_transaction_ && !busy_ && !closed(); }
    bool closed() const { return handle_ == nullptr; }
    // Of the last commit that wanted it.
    LogPosition position() const { return position_; }

protected:
    struct Close {
        void operator()(PGconn* handle) const { PQfinish(handle); }
        void operator()(PGresult* result) const { PQclear(result); }
    };
    using ResultHandle = std::unique_ptr<PGresult, Close>;

    explicit Connection(asio::any_io_executor executor);

    // `replication` as libpq knows it, or null.
    Task<Result<void>> connect(const std::string& url, const char* replication = nullptr);
    Error server_error() const;
    Task<void> flush();
    Task<ResultHandle> next_result();
    Task<bool> wait(asio::posix::stream_descriptor::wait_type type);
    void close();
    PGconn* handle() const { return handle_.get(); }
    bool lost() const { return lost_; }

private:
    enum class StepKind : std::uint8_t { prepare, begin, call, commit, position };
    struct Step {
        StepKind kind;
        std::string_view name;
    };
    // What came back of a trip.
    struct Answer {
        std::vector<Rows> rows;
        std::optional<Error> error;
        bool error_in_commit = false;
        bool committed = false;
    };

    Task<Result<void>> configure(const PostgresOptions& options);
    bool alive();

    Result<void> send(const Trip& trip);
    Result<void> send_call(StepKind kind, const Statement& statement, const Row& arguments);
    Task<Answer> receive();
    void accept(const Step& step, const PGresult* result, Answer& answer);
    void note_error(const Step& step, const PGresult* result, Answer& answer);
    Result<std::vector<Rows>> conclude(const Trip& trip, Answer answer);
    Task<void> wait_for_either();

    void expire();

    std::unique_ptr<PGconn, Close> handle_;
    asio::posix::stream_descriptor descriptor_;
    asio::steady_timer timer_;
    std::map<std::string_view, std::string_view> prepared_;  // name -> SQL
    Parameters parameters_;
    std::vector<Step> steps_;  // sent, in this order
    LogPosition position_ = 0;
    bool in_transaction_ = false;
    bool busy_ = false;     // between the first and the last byte of a trip
    bool waiting_ = false;  // for the socket
    bool expired_ = false;
    bool lost_ = false;
};

}  // namespace rushproof::postgres
