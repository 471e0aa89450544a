// A connection to a NATS server that comes back by itself.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/task.hpp"
#include "core/ports/telemetry.hpp"
#include "core/real/nats/protocol.hpp"
#include "core/real/os/alarm.hpp"

namespace rushproof::nats {

struct ServerAddress {
    std::string host;
    std::string port;
    std::string user;      // or a token, without a password
    std::string password;  // never logged
};

// "nats://[user:password@]host[:port]", several with commas between.  Error: permanent
// "malformed"; TLS is not spoken.
Result<std::vector<ServerAddress>> parse_servers(const std::string& urls);

// Everything happens on one executor.  Connects when it is started, for ever again, at most a
// second after the last try; a server that answers nothing for some seconds is left.
class Client : public std::enable_shared_from_this<Client> {
public:
    using Answered = std::function<void(Result<Incoming>)>;
    using Receiver = std::function<void(Incoming)>;

    Client(asio::any_io_executor executor, std::vector<ServerAddress> servers,
           Telemetry& telemetry);

    void start();
    // Everybody who waits is answered "unavailable", as is everybody from now on.
    void stop();

    const asio::any_io_executor& executor() const { return executor_; }
    bool connected() const { return connected_; }
    // Which connection this is, from 1 on.
    std::uint64_t connection() const { return connection_; }
    std::size_t payload_max() const { return payload_max_; }
    // false: the deadline came first.
    Task<bool> wait_until_connected(MonotonicTime deadline);

    // Sent as one piece with whatever else is ready to be.  Error: retryable "unavailable".
    Result<void> send(const Outgoing& message);
    // `answered` is called once.  Errors: retryable "unavailable": it was not sent; unknown outcome
    // "connection-lost", "deadline-exceeded".  Nobody listening is retryable "no-responders".
    void ask(MonotonicTime deadline, const Outgoing& message, Answered answered);
    Task<Result<Incoming>> request(MonotonicTime deadline, Outgoing message);
    // `subject` is where an answer came, and nobody will answer there again: another question may
    // ask for its answer there.  Once for each answer.  The server remembers who listens to a
    // subject that it has seen.
    void reuse(const std::string& subject);

    // A subject whose messages go to `receiver`, until close_inbox() or the end of the connection.
    // Whoever answers there may do so with messages of other subjects.
    std::uint64_t open_inbox(Receiver receiver);
    void close_inbox(std::uint64_t number);
    // Replies go to the inbox.
    Result<void> send(const Outgoing& message, std::uint64_t inbox);

    // Called after each new connection, and each end of one, until the token goes away.
    using Listener = std::function<void()>;
    std::shared_ptr<Listener> listen(Listener listener);

private:
    struct Question {
        std::uint64_t begins;  // where its bytes stand in all that was ever written
        MonotonicTime deadline;
        Answered answered;
    };

    Task<void> run();
    Task<Result<void>> connect(const ServerAddress& server);
    Task<Result<void>> greet(const ServerAddress& server);
    Task<Result<void>> read_some();
    Task<void> read_until_the_end();
    Task<void> watch(std::uint64_t connection);
    std::string own_inbox(std::uint64_t number) const;
    Parser::Events events();
    void read_info(std::string_view json);
    void put_line(std::string_view line);
    void put(std::string_view reply, const Outgoing& message);
    void write_soon();
    void write(std::uint64_t connection);
    void lose();
    void receive(Incoming message);
    bool is_answer(const std::string& subject) const;
    std::uint64_t number_in(const std::string& answer) const;
    std::uint64_t free_number();
    void answer(std::uint64_t number, Result<Incoming> result);
    void expire();
    void tell_listeners();

    asio::any_io_executor executor_;
    std::vector<ServerAddress> servers_;
    Telemetry& telemetry_;
    Gauge& connected_gauge_;
    Counter& connects_;
    asio::ip::tcp::socket socket_;
    asio::steady_timer pause_;
    Alarm expiry_;  // of the earliest deadline
    Parser parser_;
    std::vector<char> buffer_;
    std::string inbox_;  // prefix, with the dot
    bool stopped_ = false;
    bool started_ = false;
    bool connected_ = false;
    bool informed_ = false;
    bool needs_tls_ = false;
    bool greeted_ = false;  // the first PONG came
    std::string refused_;   // why, when the server said so
    std::uint64_t connection_ = 0;
    std::size_t payload_max_ = 1 << 20;
    int pings_unanswered_ = 0;

    std::string waiting_;  // to be written
    std::string writing_;
    bool write_under_way_ = false;
    std::uint64_t written_ = 0;  // bytes that were handed to the system, or may have been
    std::uint64_t accepted_ = 0;

    std::uint64_t last_number_ = 1;
    std::vector<std::uint64_t> free_numbers_;  // of questions
    std::map<std::uint64_t, Question> questions_;
    std::set<std::pair<MonotonicTime, std::uint64_t>> deadlines_;
    std::map<std::uint64_t, Receiver> inboxes_;
    std::vector<std::weak_ptr<Listener>> listeners_;
};

// Stops the client when the last one who uses it is gone.
class ClientHandle {
public:
    explicit ClientHandle(std::shared_ptr<Client> client) : client_(std::move(client)) {}
    ~ClientHandle() { client_->stop(); }
    ClientHandle(const ClientHandle&) = delete;
    ClientHandle& operator=(const ClientHandle&) = delete;
    Client* operator->() const { return client_.get(); }
    Client& operator*() const { return *client_; }

private:
    std::shared_ptr<Client> client_;
};

MonotonicTime now();

}  // namespace rushproof::nats
