// A member of a consumer group.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/context.hpp"
#include "core/ports/message_queue.hpp"
#include "core/real/kafka/client.hpp"
#include "core/real/kafka/kafka_queue.hpp"
#include "core/real/kafka/link.hpp"
#include "core/real/os/alarm.hpp"

namespace rushproof::kafka {

struct Delivered {
    std::string key;
    bool acknowledged = false;
};

// A partition that this member owns, or owned: a new one each time that it is assigned.
struct Assignment {
    std::int32_t partition = 0;
    std::uint64_t tag = 0;                        // of this assignment, within the member
    std::map<std::int64_t, Delivered> delivered;  // by offset, since `position`
    std::map<std::string, int> held;              // keys of what is delivered and not acknowledged
    std::int64_t position = -1;   // all before it is acknowledged; -1: nothing was delivered yet
    std::int64_t committed = -1;  // what the brokers know of it
    bool leaving = false;         // on its way to another member
    std::set<std::int64_t> passed_over;  // waits while later ones were delivered
    bool lost = false;  // somebody else's, and what was not committed will be delivered again
};

// On one executor, which librdkafka's callbacks come to as well.
//
// The brokers keep one number per partition and group: the first offset that is not acknowledged.
// An acknowledgement out of order therefore waits, in memory, for those before it.  One of the
// longest acknowledged beginning waits for the brokers' answer.
//
// A partition that is to go to another member first finishes what it has begun: of it only messages
// of keys that are held are delivered, until all is acknowledged, or `hand_over_within` has passed.
// As somebody may hold a message for long, and others must not wait for that, all are delivered
// again every other second.
class Member : public std::enable_shared_from_this<Member> {
public:
    static Result<std::shared_ptr<Member>> join(asio::any_io_executor executor,
                                                const KafkaOptions& options,
                                                const std::string& group, Telemetry& telemetry,
                                                std::shared_ptr<Reaper> reaper,
                                                std::shared_ptr<std::uint64_t> total);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit);
    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers);
    Task<void> close();

private:
    struct Ready {
        std::shared_ptr<Assignment> assignment;
        std::int64_t offset;
        std::size_t bytes;
        Message message;
    };
    struct Commit {
        std::shared_ptr<Link> link;
        std::vector<std::pair<std::shared_ptr<Assignment>, std::int64_t>> positions;
    };
    using Targets = std::vector<std::pair<std::shared_ptr<Assignment>, std::int64_t>>;

    Member(asio::any_io_executor executor, const KafkaOptions& options, const std::string& group,
           Telemetry& telemetry, std::shared_ptr<Reaper> reaper,
           std::shared_ptr<std::uint64_t> total);
    Result<void> start(const std::string& group);

    static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                             rd_kafka_topic_partition_list_t* list, void* link);
    static void on_commit(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* list, void* commit);
    struct HandOver {
        PartitionList partitions;
        MonotonicTime began;
    };
    static void change_assignment(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                                  rd_kafka_topic_partition_list_t* list);
    void assigned(const rd_kafka_topic_partition_list_t& list);
    void revoked(const rd_kafka_topic_partition_list_t& list);
    void hand_over_when_done();
    bool finishing() const;  // in a second in which only what is held goes on
    bool done_with(const rd_kafka_topic_partition_list_t& list) const;
    void hand_over();
    void forget(const rd_kafka_topic_partition_list_t& list);
    void committed(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* list,
                   const Commit& commit);

    bool serve_some();
    void take(const rd_kafka_message_t& record);
    std::shared_ptr<Assignment> owned(std::int32_t partition) const;
    void pause_or_resume();
    void pause_or_resume(rd_kafka_topic_partition_list_t* partitions);
    std::vector<Delivery> take_ready(std::size_t limit);
    Delivery deliver(Ready ready);
    // False: nobody knows this number any more.
    bool acknowledge(std::uint64_t number, std::map<std::uint64_t, std::int64_t>& targets);
    Task<Result<void>> wait_for_commits(MonotonicTime deadline, Targets targets);

    // Of those that have something to commit; one at a time.
    void commit_some();
    void commit(const Targets& positions);
    // Commits again what failed, keeps librdkafka's interval of polling, and shows the lag.
    void tick();
    void show_lag();
    void leave(std::function<void()> left);

    asio::any_io_executor executor_;
    KafkaOptions options_;
    std::string group_;
    Telemetry& telemetry_;
    std::shared_ptr<Reaper> reaper_;
    std::shared_ptr<std::uint64_t> total_;
    std::shared_ptr<Link> link_;
    rd_kafka_t* handle_ = nullptr;
    QueueHandle queue_;
    std::unique_ptr<Events> events_;
    asio::steady_timer timer_;
    Alarm next_commit_;
    Changes changes_;  // something to deliver, a commit was answered, the end

    std::map<std::uint64_t, std::shared_ptr<Assignment>> assignments_;  // by tag
    std::uint64_t next_tag_ = 1;
    std::deque<Ready> ready_;
    std::size_t ready_bytes_ = 0;
    std::optional<HandOver> leaving_;
    bool paused_ = false;
    bool closed_ = false;
    bool commit_under_way_ = false;
    MonotonicTime commits_again_{};  // not before
    std::map<std::int32_t, Gauge*> lags_;
    Counter& rebalances_;
    Counter& failed_commits_;
};

}  // namespace rushproof::kafka
