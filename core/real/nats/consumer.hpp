// One member of a group.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/real/nats/topic.hpp"
#include "core/real/os/alarm.hpp"
#include "core/runtime/share_table.hpp"

namespace rushproof::nats {

// What the group's table says of a share and what the server has delivered of it are brought
// together here.  A share goes through: not ours -> recovering (what the server thinks is held, and
// is not, is delivered again first, so that the order of keys is kept) -> open (messages are asked
// for) -> not ours.
class Membership : public std::enable_shared_from_this<Membership> {
public:
    Membership(std::shared_ptr<Topic> topic, std::string group);

    void start();
    // Nobody is told any more; the group is told, in the background.
    void close();
    bool closed() const { return closed_; }

    std::vector<Delivery> take(std::size_t limit);
    // Whether take() will give something; false: the deadline came first, or it was closed.
    Task<bool> wait_for_messages(MonotonicTime deadline);
    Task<Result<void>> acknowledge(MonotonicTime deadline, std::vector<std::uint64_t> numbers);
    bool connected() const { return (*topic_->client)->connected(); }

private:
    enum class State : std::uint8_t { foreign, recovering, open };
    struct Buffered {
        std::uint64_t sequence = 0;
        std::int64_t attempt = 1;
        Message message;
    };
    struct Share {
        State state = State::foreign;
        std::uint64_t term = 0;  // of ours; what belongs to an earlier one is not looked at
        bool spare = false;
        std::deque<Buffered> buffered;
        // Delivered and not acknowledged as far as we know, with the subject to answer to.
        std::map<std::uint64_t, std::string> pending;
        // Acknowledged by the effect's side; the server did not confirm yet.
        std::map<std::uint64_t, std::string> unconfirmed;
        std::uint64_t inbox = 0;
        std::size_t asked = 0;  // messages of the request under way
        MonotonicTime asked_at;
    };
    struct Held {
        std::size_t share = 0;
        std::uint64_t sequence = 0;
        std::string reply;
    };

    Task<void> attend();
    Task<Result<void>> take_a_turn();
    Task<void> say_goodbye();
    void own(const ShareTurn& turn);
    void lose(Share& share);
    Task<void> recover(std::size_t index, std::uint64_t term);
    Task<Result<void>> try_to_recover(std::size_t index, std::uint64_t term);
    void pull_all();
    void pull(std::size_t index);
    void receive(std::size_t index, std::uint64_t term, Incoming incoming);
    void stay_alive();
    void confirm_again(std::size_t index);
    Task<void> purge_acknowledged();
    bool lease_is_fresh(Duration within) const;
    bool owns(const Share& share, std::uint64_t term) const;
    void reconnected();

    std::shared_ptr<Topic> topic_;
    std::string group_;
    std::string me_;
    bool closed_ = false;
    std::vector<Share> shares_;
    std::map<std::uint64_t, Held> held_;
    std::uint64_t last_number_ = 0;
    std::size_t next_share_ = 0;
    ShareWatch watch_;
    MonotonicTime renewed_;  // when the last turn that succeeded began; far back: none did
    MonotonicTime heartbeat_at_;
    bool acknowledged_since_purge_ = false;
    bool purging_ = false;
    asio::steady_timer turn_timer_;
    asio::steady_timer message_timer_;
    Alarm next_pull_;
    std::shared_ptr<Client::Listener> listener_;
    std::uint64_t known_connection_ = 0;
    Counter& redelivered_;
};

class NatsConsumer final : public Consumer {
public:
    // The server waits so long for a sign of life of a message that was delivered.
    static constexpr auto answer_within = std::chrono::seconds(30);

    static std::unique_ptr<NatsConsumer> start(std::shared_ptr<Topic> topic, std::string group);
    explicit NatsConsumer(std::shared_ptr<Membership> membership)
        : membership_(std::move(membership)) {}
    ~NatsConsumer() override { membership_->close(); }
    NatsConsumer(const NatsConsumer&) = delete;
    NatsConsumer& operator=(const NatsConsumer&) = delete;

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override;
    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override;
    Task<void> close() override;

private:
    std::shared_ptr<Membership> membership_;
};

}  // namespace rushproof::nats
