// The MessageQueue port on NATS JetStream (README.md).
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/message_queue.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

namespace nats {
class ClientHandle;
}

struct NatsOptions {
    std::string url = "nats://localhost:4222";  // several with commas between
    // Subjects over which the keys of a topic are spread.  A share is consumed by one member of a
    // group at a time, so this is how many can work.  The same for everybody who uses a topic;
    // 1 keeps everything on the topic's own subject.
    std::size_t shares = 8;
    // What a topic keeps at most; more is refused ("queue-full").
    std::int64_t messages_max = 1'000'000;
    std::int64_t bytes_max = 512 << 20;
    Duration drops_repeats_for = std::chrono::minutes(2);
    // Messages that a consumer has asked for and not handed out yet, by share.
    std::size_t prefetch = 256;
    // Messages that a group may hold, by share.
    std::int64_t held_max = 16384;
};

// The names that NATS uses for a topic: "messages" is subject diplom.messages of DIPLOM_STREAM, any
// other one rushproof.<topic> of RUSHPROOF_<TOPIC>.
struct NatsTopic {
    std::string stream;
    std::string subject;                    // its first share, and whatever others publish to
    std::vector<std::string> stream_takes;  // what the stream is made for
    std::string share(std::size_t index) const;
};
NatsTopic nats_topic(std::string_view topic);

// One connection to NATS, for any number of topics; on one executor, which everything runs on.
class NatsConnection {
public:
    // Error: permanent "malformed" when the URL is not understood.  Connects in the background.
    static Result<NatsConnection> start(asio::any_io_executor executor, NatsOptions options,
                                        Telemetry& telemetry);

    // Makes the stream when it is not there.  Errors: retryable "unavailable"; permanent
    // "unsuitable-stream".
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context, std::string topic) const;

    bool connected() const;

private:
    NatsConnection(std::shared_ptr<nats::ClientHandle> client, NatsOptions options,
                   Telemetry& telemetry)
        : client_(std::move(client)), options_(std::move(options)), telemetry_(&telemetry) {}

    std::shared_ptr<nats::ClientHandle> client_;
    NatsOptions options_;
    Telemetry* telemetry_;
};

}  // namespace rushproof
