#include "core/runtime/table_queue.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/base/hash.hpp"
#include "core/runtime/gather.hpp"
#include "core/runtime/message_size.hpp"
#include "core/runtime/transactions.hpp"
#include "core/runtime/uuid.hpp"
#include "core/runtime/wakeup.hpp"

namespace rushproof {

namespace table_queue {

namespace {

constexpr char digits[] = "0123456789ABCDEF";

int digit_of(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

void escape(std::string_view text, std::string& out) {
    for (const char c : text) {
        if (c >= ' ' && c <= '~' && c != '%') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte / 16];
            out += digits[byte % 16];
        }
    }
}

// The next line of what is left.
std::string unescape_line(std::string_view& rest) {
    std::string result;
    std::size_t i = 0;
    for (; i < rest.size() && rest[i] != '\n'; ++i) {
        if (rest[i] == '%' && i + 2 < rest.size()) {
            result += static_cast<char>(digit_of(rest[i + 1]) * 16 + digit_of(rest[i + 2]));
            i += 2;
        } else {
            result += rest[i];
        }
    }
    rest.remove_prefix(std::min(i + 1, rest.size()));
    return result;
}

}  // namespace

std::int64_t lane_of(const Message& message) {
    return static_cast<std::int64_t>(hash64(message.key.empty() ? message.id : message.key) %
                                     static_cast<std::uint64_t>(lanes));
}

// A line for each of id, key, body, and each header's name and value.
std::string to_content(const Message& message) {
    std::string content;
    const auto line = [&](std::string_view text) {
        escape(text, content);
        content += '\n';
    };
    line(message.id);
    line(message.key);
    line(message.body);
    for (const auto& [name, value] : message.headers) {
        line(name);
        line(value);
    }
    return content;
}

Message from_content(std::string_view content) {
    Message message;
    message.id = unescape_line(content);
    message.key = unescape_line(content);
    message.body = unescape_line(content);
    while (!content.empty()) {
        std::string name = unescape_line(content);
        message.headers.emplace_back(std::move(name), unescape_line(content));
    }
    return message;
}

std::string to_id(std::string_view id) {
    std::string result;
    escape(id, result);
    return result;
}

}  // namespace table_queue

namespace {

constexpr std::size_t published_at_once = 100;
constexpr std::size_t acknowledged_at_once = 100;
constexpr std::size_t lanes_at_once = 4;
constexpr Duration background_patience = std::chrono::seconds(5);

// A database's error, in the words of the port.
Error queue_error(const Error& error) {
    const std::string message = error.code() + ": " + error.message();
    if (error.kind() == ErrorKind::unknown_outcome) {
        return {error.kind(), "connection-lost", message};
    }
    if (error.kind() == ErrorKind::retryable) { return {error.kind(), "unavailable", message}; }
    return error;
}

std::int64_t microseconds_of(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

struct Publishing {
    Context context;
    std::string id;  // as it stands in the table
    std::int64_t lane;
    std::string content;
};

struct Acknowledging {
    Context context;
    std::vector<std::int64_t> numbers;
};

template <class Item>
MonotonicTime last_deadline(const std::vector<Item>& items) {
    MonotonicTime deadline = items.front().context.deadline;
    for (const Item& item : items) { deadline = std::max(deadline, item.context.deadline); }
    return deadline;
}

}  // namespace

struct TableQueue::Member {
    std::string group;
    std::string claim;                          // names it in the database
    std::map<std::int64_t, std::int64_t> held;  // number -> lane
    std::set<std::int64_t> lanes;               // that it may have claimed
    Wakeup arrival;
};

class TableQueue::State : public std::enable_shared_from_this<State> {
public:
    State(Environment& environment, const TableQueueSql& sql, TableQueueOptions options)
        : environment_(environment),
          sql_(sql),
          options_(options),
          publishing_(
              environment.spawner, "table_queue.publish", published_at_once,
              [this](std::vector<Publishing> batch) { return publish_batch(std::move(batch)); }),
          acknowledging_(environment.spawner, "table_queue.acknowledge", acknowledged_at_once,
                         [this](std::vector<Acknowledging> batch) {
                             return acknowledge_batch(std::move(batch));
                         }),
          background_(environment.spawner) {}

    Clock& clock() const { return environment_.clock; }
    const TableQueueOptions& options() const { return options_; }

    Task<Result<void>> publish(Context context, const Message& message) {
        RP_CO_CHECK(check_size(message, options_.message_bytes));
        Publishing item{std::move(context), table_queue::to_id(message.id),
                        table_queue::lane_of(message), table_queue::to_content(message)};
        co_return co_await publishing_.add(std::move(item));
    }

    // Makes the group when it is new.
    Task<Result<void>> add_group(Context context, std::string group) {
        RP_CO_CHECK(co_await prepare(context));
        auto add = pipeline(Call(sql_.lock, {}), Call(sql_.add_group, {group}));
        RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
        RP_CO_TRY(const auto added, co_await transaction->execute(std::move(add)));
        if (added[1].affected == 0) { co_return Result<void>(); }
        std::vector<std::int64_t> lanes(table_queue::lanes);
        std::iota(lanes.begin(), lanes.end(), 0);
        auto fill = pipeline(Call(sql_.create_lanes, {group, std::move(lanes)}),
                             Call(sql_.copy, {group}), Call(sql_.remove_unread, {}));
        RP_CO_CHECK(co_await transaction->commit(std::move(fill)));
        co_return Result<void>();
    }

    std::shared_ptr<Member> add_member(std::string group) {
        auto member = std::make_shared<Member>();
        member->group = std::move(group);
        member->claim = uuid_v4(environment_.random);
        members_.push_back(member);
        return member;
    }

    // What comes next for the member, in one transaction: lanes that it has done with go, lanes
    // with the oldest messages come.  Cut off anywhere, the next call finds what this one has
    // claimed.
    Task<Result<std::vector<Delivery>>> fetch(Context context, Member& member, std::size_t limit) {
        std::vector<std::int64_t> held;
        std::set<std::int64_t> busy;
        for (const auto& [number, lane] : member.held) {
            held.push_back(number);
            busy.insert(lane);
        }
        std::vector<std::int64_t> done;
        std::set_difference(member.lanes.begin(), member.lanes.end(), busy.begin(), busy.end(),
                            std::back_inserter(done));
        const std::vector<std::string> abandoned = abandoned_;
        const auto lanes = static_cast<std::int64_t>(std::min(limit, lanes_at_once));
        auto calls = pipeline(
            Call(sql_.abandon, {abandoned}), Call(sql_.release, {member.group, member.claim, done}),
            Call(sql_.claim,
                 {member.group, member.claim, microseconds_of(options_.claim), held, lanes}),
            Call(sql_.read, {member.group, member.claim, held, static_cast<std::int64_t>(limit)}));
        if (done.empty()) { calls.erase(calls.begin() + 1); }
        if (abandoned.empty()) { calls.erase(calls.begin()); }
        RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
        RP_CO_TRY(const auto found, co_await transaction->commit(std::move(calls)));
        for (const std::string& claim : abandoned) { std::erase(abandoned_, claim); }
        for (const std::int64_t lane : done) { member.lanes.erase(lane); }
        if (!abandoned.empty() || !done.empty()) { wake_others(member); }
        const std::vector<Row>& claimed = found[found.size() - 2].rows;
        for (const Row& row : claimed) { member.lanes.insert(integer(row, 0)); }
        co_return deliver(member, found.back().rows);
    }

    Task<Result<void>> acknowledge(Context context, std::vector<std::int64_t> numbers) {
        Acknowledging item{std::move(context), std::move(numbers)};
        co_return co_await acknowledging_.add(std::move(item));
    }

    // A destructor may call it.
    void abandon(const std::shared_ptr<Member>& member) {
        abandoned_.push_back(member->claim);
        std::erase(members_, member);
    }

    // Gives back what was abandoned.  Who is not heard here is heard by the next fetch, or runs
    // out.
    Task<void> give_back() {
        const std::vector<std::string> abandoned = abandoned_;
        const Context context(clock().monotonic() + background_patience);
        auto calls = pipeline(Call(sql_.abandon, {abandoned}));
        const auto transaction = co_await environment_.database.begin(context);
        if (!transaction) { co_return; }
        const auto done = co_await (*transaction)->commit(std::move(calls));
        if (!done) { co_return; }
        for (const std::string& claim : abandoned) { std::erase(abandoned_, claim); }
        wake();
    }

    Task<Result<QueueStats>> stats(Context context, std::string group) {
        auto calls = pipeline(Call(sql_.find_group, {group}), Call(sql_.count, {group}),
                              Call(sql_.fullest, {}));
        auto found =
            co_await read_only(environment_.database, std::move(context), std::move(calls));
        if (!found) { co_return failure(queue_error(found.error())); }
        QueueStats stats;
        stats.published = published_;
        stats.delivered = delivered_;
        const bool known = !(*found)[0].rows.empty();
        stats.unfinished = known ? integer((*found)[1].rows.at(0), 0) : fullest((*found)[2]);
        stats.size = stats.unfinished;
        stats.capacity = static_cast<std::int64_t>(options_.capacity);
        co_return stats;
    }

    // While somebody holds something.
    void keep_claims() {
        if (std::exchange(keeping_, true)) { return; }
        background_.start("table_queue.keep_claims", keep(shared_from_this()));
    }

    Task<void> stop() {
        background_.cancel();
        co_await background_.join();
        co_await publishing_.join();
        co_await acknowledging_.join();
        if (!abandoned_.empty()) { co_await give_back(); }
    }

private:
    static std::int64_t fullest(const Rows& found) {
        return found.rows.empty() ? 0 : integer(found.rows[0], 0);
    }

    Task<Result<void>> prepare(Context context) {
        if (prepared_) { co_return Result<void>(); }
        auto create = pipeline(Call(sql_.create, {}));
        RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
        RP_CO_CHECK(co_await transaction->commit(std::move(create)));
        prepared_ = true;
        co_return Result<void>();
    }

    Task<std::vector<Result<void>>> publish_batch(std::vector<Publishing> batch) {
        std::vector<Result<void>> answers(batch.size());
        auto written = co_await write_batch(batch, answers);
        if (!written) {
            const Error error = queue_error(written.error());
            answers.assign(batch.size(), failure(error));
        }
        co_return answers;
    }

    // An error is that of them all.
    Task<Result<void>> write_batch(const std::vector<Publishing>& batch,
                                   std::vector<Result<void>>& answers) {
        const Context context(last_deadline(batch));
        RP_CO_CHECK(co_await prepare(context));
        std::vector<std::string> ids;
        ids.reserve(batch.size());
        for (const Publishing& item : batch) { ids.push_back(item.id); }
        auto look = pipeline(Call(sql_.lock, {}), Call(sql_.fullest, {}),
                             Call(sql_.find_ids, {std::move(ids)}));
        RP_CO_TRY(const auto transaction, co_await environment_.database.begin(context));
        RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
        std::set<std::string> kept;
        for (const Row& row : found[2].rows) { kept.insert(text(row, 0)); }
        auto room = static_cast<std::int64_t>(options_.capacity) - fullest(found[1]);
        std::vector<std::string> new_ids;
        std::vector<std::int64_t> lanes;
        std::vector<std::string> contents;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (kept.contains(batch[i].id)) { continue; }
            if (room <= 0) {
                answers[i] = failure(ErrorKind::retryable, "queue-full",
                                     "the queue keeps as many messages as it may");
                continue;
            }
            --room;
            kept.insert(batch[i].id);
            new_ids.push_back(batch[i].id);
            lanes.push_back(batch[i].lane);
            contents.push_back(batch[i].content);
        }
        if (new_ids.empty()) { co_return Result<void>(); }
        const std::size_t count = new_ids.size();
        auto append = pipeline(
            Call(sql_.append, {std::move(new_ids), std::move(lanes), std::move(contents)}));
        RP_CO_CHECK(co_await transaction->commit(std::move(append)));
        published_ += count;
        wake();
        co_return Result<void>();
    }

    Task<std::vector<Result<void>>> acknowledge_batch(std::vector<Acknowledging> batch) {
        const Context context(last_deadline(batch));
        std::vector<std::int64_t> numbers;
        for (const Acknowledging& item : batch) {
            numbers.insert(numbers.end(), item.numbers.begin(), item.numbers.end());
        }
        const auto removed = co_await remove(context, std::move(numbers));
        co_return std::vector<Result<void>>(batch.size(), removed);
    }

    Task<Result<void>> remove(Context context, std::vector<std::int64_t> numbers) {
        auto calls = pipeline(Call(sql_.remove, {std::move(numbers)}));
        const auto transaction = co_await environment_.database.begin(std::move(context));
        if (!transaction) { co_return failure(queue_error(transaction.error())); }
        const auto removed = co_await (*transaction)->commit(std::move(calls));
        if (!removed) { co_return failure(queue_error(removed.error())); }
        co_return Result<void>();
    }

    std::vector<Delivery> deliver(Member& member, const std::vector<Row>& rows) {
        std::vector<Delivery> deliveries;
        for (const Row& row : rows) {
            Delivery& delivery = deliveries.emplace_back();
            delivery.message = table_queue::from_content(text(row, 1));
            delivery.number = static_cast<std::uint64_t>(integer(row, 0));
            delivery.provider = options_.provider;
            member.held.emplace(integer(row, 0), table_queue::lane_of(delivery.message));
        }
        delivered_ += deliveries.size();
        if (!deliveries.empty()) { keep_claims(); }
        return deliveries;
    }

    static Task<void> keep(std::shared_ptr<State> self) {
        while (self->keeping_) {
            co_await sleep_for(self->clock(), self->options_.claim / 3);
            std::vector<std::string> claims;
            for (const auto& member : self->members_) {
                if (!member->held.empty()) { claims.push_back(member->claim); }
            }
            self->keeping_ = !claims.empty();
            if (self->keeping_) { co_await self->renew(std::move(claims)); }
        }
    }

    // When it fails there is time for another try.
    Task<void> renew(std::vector<std::string> claims) {
        const Context context(clock().monotonic() + options_.claim / 3);
        auto calls =
            pipeline(Call(sql_.renew, {std::move(claims), microseconds_of(options_.claim)}));
        const auto transaction = co_await environment_.database.begin(context);
        if (transaction) { (void)co_await (*transaction)->commit(std::move(calls)); }
    }

    void wake() {
        for (const auto& member : members_) { member->arrival.wake(); }
    }
    void wake_others(const Member& member) {
        for (const auto& other : members_) {
            if (other.get() != &member) { other->arrival.wake(); }
        }
    }

    Environment& environment_;
    const TableQueueSql& sql_;
    TableQueueOptions options_;
    bool prepared_ = false;
    std::vector<std::shared_ptr<Member>> members_;
    std::vector<std::string> abandoned_;  // claims that nobody has any more
    std::uint64_t published_ = 0;
    std::uint64_t delivered_ = 0;
    bool keeping_ = false;
    Gather<Publishing, Result<void>> publishing_;
    Gather<Acknowledging, Result<void>> acknowledging_;
    Scope background_;
};

class TableQueue::Place final : public Consumer {
public:
    Place(const std::shared_ptr<State>& state, std::shared_ptr<Member> member)
        : state_(*state), alive_(state), member_(std::move(member)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() override { leave(); }

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        const std::shared_ptr<Member> member = member_;
        Clock& clock = state_.clock();
        while (!closed_) {
            auto fetched = co_await state_.fetch(context, *member, limit);
            if (closed_) {
                state_.abandon(member);  // once more: the fetch may have claimed since
                break;
            }
            const bool late = clock.monotonic() >= context.deadline;
            if (!fetched && !late) { co_return failure(queue_error(fetched.error())); }
            if (late && !fetched) { co_return std::vector<Delivery>(); }
            if (late || !fetched->empty()) { co_return fetched; }
            const MonotonicTime again = clock.monotonic() + state_.options().poll;
            co_await member->arrival.wait_until(clock, std::min(again, context.deadline));
        }
        co_return failure(closed());
    }

    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        if (closed_) { co_return failure(closed()); }
        const std::shared_ptr<Member> member = member_;
        std::vector<std::int64_t> known;
        for (const std::uint64_t number : numbers) {
            if (member->held.contains(static_cast<std::int64_t>(number))) {
                known.push_back(static_cast<std::int64_t>(number));
            }
        }
        const bool all = known.size() == numbers.size();
        if (!known.empty()) {
            RP_CO_CHECK(co_await state_.acknowledge(std::move(context), known));
            for (const std::int64_t number : known) { member->held.erase(number); }
            member->arrival.wake();  // its lanes may be done
        }
        if (all) { co_return Result<void>(); }
        co_return failure(ErrorKind::permanent, "unknown-delivery",
                          "a number that this consumer does not hold");
    }

    Task<void> close() override {
        if (closed_) { co_return; }
        member_->arrival.wake();
        leave();
        co_await state_.give_back();
    }

private:
    static Error closed() { return {ErrorKind::retryable, "closed", "the consumer was closed"}; }

    void leave() {
        if (std::exchange(closed_, true)) { return; }
        member_->held.clear();
        if (const auto alive = alive_.lock()) { alive->abandon(member_); }
    }

    State& state_;
    // Not shared: a crash may leave the frame that owns this in the hands of the state.
    std::weak_ptr<State> alive_;
    std::shared_ptr<Member> member_;
    bool closed_ = false;
};

TableQueue::TableQueue(Environment& environment, const TableQueueSql& sql,
                       TableQueueOptions options)
    : state_(std::make_shared<State>(environment, sql, options)) {}

TableQueue::~TableQueue() = default;

QueueFeatures TableQueue::features() const {
    QueueFeatures features;
    features.survives_kill = true;
    return features;
}

Result<void> TableQueue::check(const Message& message) const {
    return check_size(message, state_->options().message_bytes);
}

Task<Result<void>> TableQueue::publish(Context context, Message message) {
    co_return co_await state_->publish(std::move(context), message);
}

Task<Result<std::unique_ptr<Consumer>>> TableQueue::join(Context context, std::string group) {
    const auto added = co_await state_->add_group(std::move(context), group);
    if (!added) { co_return failure(queue_error(added.error())); }
    std::unique_ptr<Consumer> consumer =
        std::make_unique<Place>(state_, state_->add_member(std::move(group)));
    co_return consumer;
}

Task<Result<QueueStats>> TableQueue::stats(Context context, std::string group) {
    co_return co_await state_->stats(std::move(context), std::move(group));
}

Task<void> TableQueue::stop() { co_await state_->stop(); }

}  // namespace rushproof
