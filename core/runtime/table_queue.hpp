// A MessageQueue in the tables of a role's database (table_queue_sql.hpp), for any number of
// processes that share it: what was accepted outlives them all.
//
// Publishers that wait together are served by one transaction, and so are acknowledgements.  Keys
// lie in lanes; a consumer claims lanes that have messages, for a limited time by the database's
// clock, skipping what others are claiming, and renews the claims while it holds messages of them.
// Claims of a process that is gone run out.  A repeat of a message that some group has not
// acknowledged is accepted and dropped; afterwards its id is forgotten, so no time is promised.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/ports/environment.hpp"
#include "core/ports/message_queue.hpp"
#include "core/runtime/table_queue_sql.hpp"

namespace rushproof {

struct TableQueueOptions {
    // Messages that are kept for the group that has most; more are refused with "queue-full".  They
    // are counted with each transaction that publishes, so thousands at most.
    std::size_t capacity = 1000;
    // Of a message's texts together; a larger one is refused with "too-large".
    std::size_t message_bytes = 1 << 20;
    // How soon another process may take what a silent one holds.
    Duration claim = std::chrono::seconds(10);
    // How long a message from another process may go unseen.
    Duration poll = std::chrono::milliseconds(100);
    std::string_view provider = "sqlite";  // lives for ever
};

namespace table_queue {
// Of a key, for ever; a message without one lies where its id says.
inline constexpr std::int64_t lanes = 16;
std::int64_t lane_of(const Message& message);

// As one text of printable ASCII.
std::string to_content(const Message& message);
Message from_content(std::string_view content);
// What stands in column `id`.
std::string to_id(std::string_view id);
}  // namespace table_queue

// Everybody calls it on one executor.
class TableQueue final : public MessageQueue {
public:
    // All outlive the queue.
    TableQueue(Environment& environment, const TableQueueSql& sql, TableQueueOptions options);
    ~TableQueue() override;
    TableQueue(const TableQueue&) = delete;
    TableQueue& operator=(const TableQueue&) = delete;

    QueueFeatures features() const override;
    Result<void> check(const Message& message) const override;
    Task<Result<void>> publish(Context context, Message message) override;
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override;
    Task<Result<QueueStats>> stats(Context context, std::string group) override;

    // Before it goes away in good order, when no call is under way and its consumers are closed:
    // waits for what it does in the background.
    Task<void> stop();

private:
    class State;
    struct Member;
    class Place;
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
