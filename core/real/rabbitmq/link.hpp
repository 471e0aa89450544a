// One connection to RabbitMQ: blocking calls, for one thread.
#pragma once
#include <amqp.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/job_queue.hpp"
#include "core/real/rabbitmq/rabbit_job_queue.hpp"

namespace rushproof::rabbitmq {

struct Address {
    std::string host;
    int port = 0;
    std::string user;
    std::string password;
    std::string vhost;
};
// "amqp://[user[:password]@]host[:port][/vhost]".  Error: permanent "malformed".
Result<Address> parse_address(const std::string& url);

// Names and values as one text: "4:name5:value...", which any bytes survive.
std::string pack(const std::vector<std::pair<std::string, std::string>>& headers);
std::vector<std::pair<std::string, std::string>> unpack(std::string_view text);

struct Got {
    std::uint64_t tag = 0;
    Job job;
    std::int64_t attempt = 1;
    std::string reason;         // of one that is set aside
    std::int64_t attempts = 0;  // that it had then
};

struct Verdict {
    std::uint64_t tag = 0;
    bool accepted = false;
    bool multiple = false;  // all up to this one
};

// Channels: puts have their own, so that what confirms them never mixes with anything else.
class Link {
public:
    enum class Queue : std::uint8_t { work, retry, dead };

    Link(std::string name, Address address, RabbitOptions options);
    ~Link() { close(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // Every error means that the connection is closed.
    Result<void> open();
    void close();
    bool is_open() const { return connection_ != nullptr; }
    int descriptor() const;

    // Returns the number that its verdict will have.
    Result<std::uint64_t> publish(Queue queue, const Job& job, const std::string& reason,
                                  std::int64_t attempts);
    Result<std::optional<Got>> get(Queue queue);
    Result<void> acknowledge(std::uint64_t tag);
    // To the retry queue.
    Result<void> reject(std::uint64_t tag);
    // To where it was.
    Result<void> put_back(std::uint64_t tag);
    // The oldest of those set aside; they stay.
    Result<std::vector<Got>> browse(std::size_t limit);
    // Ready ones.
    Result<std::int64_t> count(Queue queue);
    // What has come by itself, without waiting; also keeps the heartbeat.
    Result<std::vector<Verdict>> poll();

private:
    std::string queue_name(Queue queue) const;
    Result<void> declare();
    Result<void> check(const amqp_rpc_reply_t& reply, const char* doing);
    Result<void> sent(int status);
    tl::unexpected<Error> broken(const std::string& doing);
    Result<std::optional<Got>> get(Queue queue, amqp_channel_t channel);

    std::string name_;
    Address address_;
    RabbitOptions options_;
    amqp_connection_state_t connection_ = nullptr;
    std::uint64_t published_ = 0;
    std::vector<Verdict> verdicts_;
};

}  // namespace rushproof::rabbitmq
