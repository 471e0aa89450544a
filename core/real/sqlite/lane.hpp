// A line of transactions, first come, first served, in front of one or more connections.
#pragma once
#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/ports/database.hpp"
#include "core/real/sqlite/connection.hpp"

namespace rushproof::sqlite {

// Resumes a caller on its own executor, and keeps that executor from running out of work meanwhile.
template <class T>
class Reply {
public:
    template <class Handler>
    explicit Reply(Handler handler)
        : executor_(asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler)) {}

    // Once; never inline.  Lets go of the executor's work.
    void operator()(Result<T> result) {
        const asio::any_io_executor executor = std::move(executor_);
        asio::post(executor, [handler = std::move(handler_), answer = std::move(result)]() mutable {
            std::move(handler)(std::move(answer));
        });
    }

private:
    asio::any_io_executor executor_;
    asio::any_completion_handler<void(Result<T>)> handler_;
};

// Each connection has a thread, and serves one transaction at a time from its first call to its
// end: between calls the thread waits for the next one, until the transaction's deadline.
class Lane : public std::enable_shared_from_this<Lane> {
public:
    Lane(std::vector<std::unique_ptr<Connection>> connections, std::size_t waiting_max);
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    // Takes a place in the line with its first call.
    std::unique_ptr<Transaction> begin(MonotonicTime deadline);

    // Refuses whoever waits for a turn, executes the other calls already made, rolls back the rest,
    // ends the threads and closes the connections.  Later calls are answered "unavailable".
    void stop();

private:
    friend class LaneTransaction;

    using CallReply = Reply<std::vector<Rows>>;
    enum class Ending : std::uint8_t { stay_open, commit };

    struct Request {
        std::vector<Call> calls;
        Ending ending;
        CallReply reply;
    };
    struct Worker {
        explicit Worker(std::unique_ptr<Connection> opened) : connection(std::move(opened)) {}
        std::unique_ptr<Connection> connection;
        std::condition_variable awake;
        bool idle = false;
        std::thread thread;
    };
    // What a transaction and the worker that serves it share.
    struct Session {
        explicit Session(MonotonicTime until) : deadline(until) {}
        MonotonicTime deadline;
        bool waited = false;       // made its first call
        Worker* worker = nullptr;  // once its turn has come
        std::optional<Request> request;
        bool abandoned = false;
        std::optional<Error> over;  // what calls are answered once the transaction has ended
        // Something changed: to be looked at without the mutex.
        std::atomic<bool> called = false;
    };
    using SessionPointer = std::shared_ptr<Session>;

    void submit(const SessionPointer& session, Request request);
    void enqueue(const SessionPointer& session, Request request);
    void abandon(Session& session);

    void work(Worker& worker);
    SessionPointer next_waiting(Worker& worker);
    void transact(Worker& worker, Session& session);
    std::optional<Request> next_request(Session& session);
    void spin_until_called(const Session& session) const;
    void refuse(Session& session, Error error);
    void end(Session& session, Error over);
    void refuse_late();

    const std::size_t waiting_max_;
    const bool spins_;
    std::mutex mutex_;                    // guards everything below, and the sessions
    std::deque<SessionPointer> waiting_;  // each with a request
    MonotonicTime first_deadline_ = MonotonicTime::max();  // no waiting one is earlier
    bool stopping_ = false;
    std::deque<Worker> workers_;
};

}  // namespace rushproof::sqlite
