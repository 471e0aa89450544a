#include "core/real/kafka/member.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/real/kafka/records.hpp"
#include "core/runtime/message_size.hpp"

namespace rushproof::kafka {

namespace {

// A delivery's number: the tag of its assignment, then its offset.
constexpr int offset_bits = 44;
constexpr std::uint64_t offset_mask = (std::uint64_t{1} << offset_bits) - 1;

constexpr int records_at_once = 500;
constexpr const char* fetch_wait_ms = "5";
// For the brokers a commit is as much work as a batch of messages.
constexpr Duration commit_every = std::chrono::milliseconds(100);
constexpr auto tick_every = std::chrono::milliseconds(50);
constexpr Duration finish_for = std::chrono::seconds(1);
constexpr Duration poll_interval_max = std::chrono::minutes(5);

Error closed() { return Error(ErrorKind::retryable, "closed", "the consumer is closed"); }
Error unknown_delivery() {
    return Error(ErrorKind::permanent, "unknown-delivery",
                 "this member does not own the message's partition any more");
}

bool cooperative(rd_kafka_t* handle) {
    const char* const protocol = rd_kafka_rebalance_protocol(handle);
    return protocol != nullptr && std::strcmp(protocol, "COOPERATIVE") == 0;
}

}  // namespace

Result<std::shared_ptr<Member>> Member::join(asio::any_io_executor executor,
                                             const KafkaOptions& options, const std::string& group,
                                             Telemetry& telemetry, std::shared_ptr<Reaper> reaper,
                                             std::shared_ptr<std::uint64_t> total) {
    std::shared_ptr<Member> member(new Member(std::move(executor), options, group, telemetry,
                                              std::move(reaper), std::move(total)));
    RP_CHECK(member->start(group));
    return member;
}

Member::Member(asio::any_io_executor executor, const KafkaOptions& options,
               const std::string& group, Telemetry& telemetry, std::shared_ptr<Reaper> reaper,
               std::shared_ptr<std::uint64_t> total)
    : executor_(std::move(executor)),
      options_(options),
      group_(group),
      telemetry_(telemetry),
      reaper_(std::move(reaper)),
      total_(std::move(total)),
      link_(std::make_shared<Link>()),
      timer_(executor_),
      next_commit_(executor_,
                   [this] {
                       const auto self = shared_from_this();
                       commit_some();
                   }),
      changes_(executor_),
      rebalances_(telemetry.counter("kafka_rebalances_total",
                                    "Times that partitions were given to or taken from a member",
                                    {{"topic", options.topic}, {"group", group}})),
      failed_commits_(telemetry.counter("kafka_failed_commits_total",
                                        "Commits that are tried again, or were too late",
                                        {{"topic", options.topic}, {"group", group}})) {
    link_->member = this;
}

Member::~Member() {
    if (!closed_) {
        leave([] {});
    }
}

Result<void> Member::start(const std::string& group) {
    RP_TRY(Configuration configuration,
           configure(options_.brokers,
                     {{"group.id", group},
                      {"enable.auto.commit", "false"},
                      {"enable.auto.offset.store", "false"},
                      {"auto.offset.reset", "earliest"},
                      {"partition.assignment.strategy", "cooperative-sticky"},
                      {"session.timeout.ms", milliseconds(options_.session_timeout)},
                      {"heartbeat.interval.ms", milliseconds(options_.session_timeout / 6)},
                      {"max.poll.interval.ms", milliseconds(poll_interval_max)},
                      {"topic.metadata.refresh.interval.ms", "30000"},
                      {"fetch.error.backoff.ms", "50"},
                      // Else the brokers answer once for each batch, however small.
                      {"fetch.min.bytes", "65536"},
                      {"fetch.wait.max.ms", fetch_wait_ms},
                      {"queued.min.messages", std::to_string(options_.ready_messages)},
                      {"queued.max.messages.kbytes",
                       std::to_string(std::max<std::size_t>(options_.ready_bytes >> 10, 64))}}));
    rd_kafka_conf_set_opaque(configuration.get(), link_.get());
    RP_CHECK(watch(configuration.get(), link_.get()));
    rd_kafka_conf_set_rebalance_cb(configuration.get(), on_rebalance);
    RP_TRY(handle_, make_client(RD_KAFKA_CONSUMER, std::move(configuration)));
    rd_kafka_poll_set_consumer(handle_);
    queue_.reset(rd_kafka_queue_get_consumer(handle_));
    events_ = std::make_unique<Events>(executor_, queue_.get());
    const PartitionList topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto error = rd_kafka_subscribe(handle_, topics.get());
        error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(ErrorKind::retryable, "unavailable",
                       std::string("Kafka: ") + rd_kafka_err2str(error));
    }
    events_->start([this] { return serve_some(); });
    tick();
    return {};
}

// ---- what librdkafka tells ----

bool Member::serve_some() {
    if (closed_) { return false; }
    for (int count = 0; count < records_at_once; ++count) {
        rd_kafka_message_t* const record = rd_kafka_consumer_poll(handle_, 0);
        if (record == nullptr) { return false; }
        if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            take(*record);
        } else {
            telemetry_.log(LogLevel::warning, "a Kafka consumer reports an error",
                           {{"topic", options_.topic},
                            {"error", rd_kafka_err2name(record->err)},
                            {"detail", rd_kafka_message_errstr(record)}});
        }
        rd_kafka_message_destroy(record);
    }
    return true;
}

void Member::take(const rd_kafka_message_t& record) {
    const auto assignment = owned(record.partition);
    if (!assignment) { return; }
    Ready ready{assignment, record.offset, 0, message_of(record)};
    ready.bytes = bytes_of(ready.message);
    ready_bytes_ += ready.bytes;
    ready_.push_back(std::move(ready));
    pause_or_resume();
    changes_.tell();
}

std::shared_ptr<Assignment> Member::owned(std::int32_t partition) const {
    for (const auto& [tag, assignment] : assignments_) {
        if (assignment->partition == partition) { return assignment; }
    }
    return nullptr;
}

void Member::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* list, void* link) {
    auto& known = *static_cast<Link*>(link);
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) { known.ever_assigned = true; }
    // Null while it is being closed, on another thread.
    Member* const member = known.member;
    if (member != nullptr && error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        return member->revoked(*list);
    }
    change_assignment(handle, error, list);
    if (member != nullptr && error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        member->assigned(*list);
    }
}

void Member::change_assignment(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                               rd_kafka_topic_partition_list_t* list) {
    const bool gains = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (cooperative(handle)) {
        rd_kafka_error_t* const refused = gains ? rd_kafka_incremental_assign(handle, list)
                                                : rd_kafka_incremental_unassign(handle, list);
        if (refused != nullptr) { rd_kafka_error_destroy(refused); }
    } else {
        rd_kafka_assign(handle, gains ? list : nullptr);
    }
}

void Member::assigned(const rd_kafka_topic_partition_list_t& list) {
    rebalances_.add();
    for (int i = 0; i < list.cnt; ++i) {
        const auto assignment = std::make_shared<Assignment>();
        assignment->partition = list.elems[i].partition;
        assignment->tag = next_tag_++;
        assignments_.emplace(assignment->tag, assignment);
    }
    // One that went while it was paused comes back so.
    pause_or_resume(const_cast<rd_kafka_topic_partition_list_t*>(&list));
}

void Member::revoked(const rd_kafka_topic_partition_list_t& list) {
    rebalances_.add();
    HandOver hand_over{PartitionList(rd_kafka_topic_partition_list_copy(&list)), now()};
    for (int i = 0; i < list.cnt; ++i) {
        if (const auto assignment = owned(list.elems[i].partition)) { assignment->leaving = true; }
    }
    leaving_ = std::move(hand_over);
    hand_over_when_done();
}

bool Member::done_with(const rd_kafka_topic_partition_list_t& list) const {
    for (int i = 0; i < list.cnt; ++i) {
        const auto assignment = owned(list.elems[i].partition);
        if (assignment &&
            (!assignment->held.empty() || assignment->committed < assignment->position)) {
            return false;
        }
    }
    return true;
}

void Member::hand_over_when_done() {
    if (!leaving_) { return; }
    commit_some();
    // A lost one is somebody else's already.
    if (rd_kafka_assignment_lost(handle_) != 0 ||
        now() >= leaving_->began + options_.hand_over_within || done_with(*leaving_->partitions)) {
        hand_over();
    }
}

bool Member::finishing() const {
    return leaving_ && (now() - leaving_->began) / finish_for % 2 == 0;
}

void Member::hand_over() {
    const HandOver done = *std::exchange(leaving_, std::nullopt);
    forget(*done.partitions);
    change_assignment(handle_, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, done.partitions.get());
    pause_or_resume();
    changes_.tell();
}

void Member::forget(const rd_kafka_topic_partition_list_t& list) {
    for (int i = 0; i < list.cnt; ++i) {
        const auto assignment = owned(list.elems[i].partition);
        if (!assignment) { continue; }
        assignment->lost = true;
        assignments_.erase(assignment->tag);
        if (const auto lag = lags_.find(assignment->partition); lag != lags_.end()) {
            lag->second->set(0);
        }
    }
    std::deque<Ready> kept;
    ready_bytes_ = 0;
    for (Ready& ready : ready_) {
        if (ready.assignment->lost) { continue; }
        ready_bytes_ += ready.bytes;
        kept.push_back(std::move(ready));
    }
    ready_.swap(kept);
}

// A slow reader stops fetching, while the group goes on to hear of this member.
void Member::pause_or_resume() {
    const bool full =
        ready_.size() >= options_.ready_messages || ready_bytes_ >= options_.ready_bytes;
    const bool low =
        ready_.size() <= options_.ready_messages / 2 && ready_bytes_ <= options_.ready_bytes / 2;
    if (paused_ ? !low : !full) { return; }
    paused_ = !paused_;
    if (assignments_.empty()) { return; }
    const PartitionList list(
        rd_kafka_topic_partition_list_new(static_cast<int>(assignments_.size())));
    for (const auto& [tag, assignment] : assignments_) {
        rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(),
                                          assignment->partition);
    }
    pause_or_resume(list.get());
}

void Member::pause_or_resume(rd_kafka_topic_partition_list_t* partitions) {
    if (paused_) {
        rd_kafka_pause_partitions(handle_, partitions);
    } else {
        rd_kafka_resume_partitions(handle_, partitions);
    }
}

// ---- what the caller asks ----

Task<Result<std::vector<Delivery>>> Member::next(Context context, std::size_t limit) {
    const auto self = shared_from_this();
    std::vector<Delivery> deliveries = take_ready(limit);
    while (deliveries.empty() && !closed_ && now() < context.deadline) {
        co_await changes_.wait(context.deadline);
        deliveries = take_ready(limit);
    }
    if (closed_) { co_return failure(closed()); }
    pause_or_resume();
    co_return deliveries;
}

std::vector<Delivery> Member::take_ready(std::size_t limit) {
    std::vector<Delivery> deliveries;
    std::deque<Ready> kept;
    const bool only_held = finishing();
    while (!ready_.empty() && deliveries.size() < limit) {
        Ready ready = std::move(ready_.front());
        ready_.pop_front();
        Assignment& assignment = *ready.assignment;
        if (only_held && assignment.leaving && !assignment.held.contains(ready.message.key)) {
            assignment.passed_over.insert(ready.offset);
            kept.push_back(std::move(ready));
            continue;
        }
        assignment.passed_over.erase(ready.offset);
        ready_bytes_ -= ready.bytes;
        deliveries.push_back(deliver(std::move(ready)));
    }
    ready_.insert(ready_.begin(), std::move_iterator(kept.begin()), std::move_iterator(kept.end()));
    return deliveries;
}

Delivery Member::deliver(Ready ready) {
    Assignment& assignment = *ready.assignment;
    if (assignment.position < 0) { assignment.position = assignment.committed = ready.offset; }
    assignment.delivered.emplace(ready.offset, Delivered{ready.message.key});
    ++assignment.held[ready.message.key];
    ++*total_;
    Delivery delivery;
    delivery.message = std::move(ready.message);
    delivery.number = assignment.tag << offset_bits | static_cast<std::uint64_t>(ready.offset);
    delivery.provider = "kafka";
    return delivery;
}

bool Member::acknowledge(std::uint64_t number, std::map<std::uint64_t, std::int64_t>& targets) {
    const auto found = assignments_.find(number >> offset_bits);
    if (found == assignments_.end()) { return false; }
    Assignment& assignment = *found->second;
    const auto offset = static_cast<std::int64_t>(number & offset_mask);
    std::int64_t& target = targets[assignment.tag];
    if (offset < assignment.position) {  // again
        target = std::max(target, offset + 1);
        return true;
    }
    const auto delivered = assignment.delivered.find(offset);
    if (delivered == assignment.delivered.end()) { return false; }
    if (!std::exchange(delivered->second.acknowledged, true)) {
        const auto held = assignment.held.find(delivered->second.key);
        if (--held->second == 0) { assignment.held.erase(held); }
    }
    const auto& passed_over = assignment.passed_over;
    while (!assignment.delivered.empty()) {
        const auto first = assignment.delivered.begin();
        if (!first->second.acknowledged) { break; }
        if (!passed_over.empty() && first->first > *passed_over.begin()) { break; }
        assignment.position = first->first + 1;
        assignment.delivered.erase(first);
    }
    if (offset < assignment.position) { target = std::max(target, assignment.position); }
    return true;
}

Task<Result<void>> Member::acknowledge(Context context, std::vector<std::uint64_t> numbers) {
    const auto self = shared_from_this();
    if (closed_) { co_return failure(closed()); }
    std::map<std::uint64_t, std::int64_t> targets;
    bool all_known = true;
    for (const std::uint64_t number : numbers) {
        all_known = acknowledge(number, targets) && all_known;
    }
    Targets waited_for;
    for (const auto& [tag, position] : targets) {
        waited_for.emplace_back(assignments_.at(tag), position);
    }
    commit_some();
    hand_over_when_done();
    const auto committed = co_await wait_for_commits(context.deadline, std::move(waited_for));
    if (committed && !all_known) { co_return failure(unknown_delivery()); }
    co_return committed;
}

Task<Result<void>> Member::wait_for_commits(MonotonicTime deadline, Targets targets) {
    while (true) {
        bool done = true;
        for (const auto& [assignment, position] : targets) {
            if (assignment->committed >= position) { continue; }
            if (assignment->lost) { co_return failure(unknown_delivery()); }
            done = false;
        }
        if (done) { co_return Result<void>(); }
        if (closed_) { co_return failure(closed()); }
        if (now() >= deadline) {
            // It is tried on for as long as the partition is owned.
            co_return failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                              "Kafka did not answer the commit until the deadline");
        }
        co_await changes_.wait(deadline);
    }
}

// ---- commits ----

void Member::commit_some() {
    if (commit_under_way_ || link_->joining) { return; }  // tick() will
    Targets positions;
    for (const auto& [tag, assignment] : assignments_) {
        if (assignment->position > assignment->committed) {
            positions.emplace_back(assignment, assignment->position);
        }
    }
    if (positions.empty()) { return; }
    if (!leaving_ && now() < commits_again_) { return next_commit_.set(commits_again_); }
    commits_again_ = now() + commit_every;
    commit(positions);
}

void Member::commit(const Targets& positions) {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
    for (const auto& [assignment, position] : positions) {
        rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), assignment->partition)
            ->offset = position;
    }
    auto asked = std::make_unique<Commit>();
    asked->link = link_;
    asked->positions = positions;
    if (const auto error =
            rd_kafka_commit_queue(handle_, list.get(), queue_.get(), on_commit, asked.get());
        error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failed_commits_.add();
        return;  // tick() tries again
    }
    [[maybe_unused]] const auto* const handed_over = asked.release();
    commit_under_way_ = true;
}

void Member::on_commit(rd_kafka_t*, rd_kafka_resp_err_t error,
                       rd_kafka_topic_partition_list_t* list, void* commit) {
    const std::unique_ptr<Commit> asked(static_cast<Commit*>(commit));
    if (Member* const member = asked->link->member; member != nullptr) {
        member->committed(error, list, *asked);
    }
}

void Member::committed(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* list,
                       const Commit& commit) {
    commit_under_way_ = false;
    bool all = true;
    for (const auto& [assignment, position] : commit.positions) {
        rd_kafka_resp_err_t verdict = error;
        if (const auto* const answered =
                list == nullptr ? nullptr
                                : rd_kafka_topic_partition_list_find(
                                      const_cast<rd_kafka_topic_partition_list_t*>(list),
                                      options_.topic.c_str(), assignment->partition);
            answered != nullptr && error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            verdict = answered->err;
        }
        if (verdict == RD_KAFKA_RESP_ERR_NO_ERROR) {
            assignment->committed = std::max(assignment->committed, position);
        } else {
            all = false;
        }
    }
    changes_.tell();
    if (all) {
        commit_some();
    } else {
        failed_commits_.add();  // tick() tries again
    }
    hand_over_when_done();
}

void Member::tick() {
    timer_.expires_after(tick_every);
    timer_.async_wait([this, alive = weak_from_this()](boost::system::error_code error) {
        const auto kept = alive.lock();
        if (error || !kept || closed_) { return; }
        serve_some();
        commit_some();
        hand_over_when_done();
        if (leaving_) { changes_.tell(); }  // what is ready depends on the time
        show_lag();
        tick();
    });
}

void Member::show_lag() {
    for (const auto& [tag, assignment] : assignments_) {
        if (assignment->position < 0) { continue; }
        std::int64_t first = 0;
        std::int64_t end = 0;
        if (rd_kafka_get_watermark_offsets(handle_, options_.topic.c_str(), assignment->partition,
                                           &first, &end) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            continue;
        }
        Gauge*& gauge = lags_[assignment->partition];
        if (gauge == nullptr) {
            gauge = &telemetry_.gauge("kafka_lag_messages",
                                      "Messages of a partition that the group did not acknowledge",
                                      {{"topic", options_.topic},
                                       {"group", group_},
                                       {"partition", std::to_string(assignment->partition)}});
        }
        const std::int64_t lag = end - assignment->position;
        gauge->set(static_cast<double>(std::max<std::int64_t>(lag, 0)));
    }
}

// ---- the end ----

// From here on librdkafka's callbacks come on the reaper's thread and find nobody.
void Member::leave(std::function<void()> left) {
    // librdkafka would wait for it.
    if (leaving_) { hand_over(); }
    closed_ = true;
    link_->member = nullptr;
    timer_.cancel();
    next_commit_.cancel();
    events_.reset();
    queue_.reset();
    for (const auto& [tag, assignment] : assignments_) { assignment->lost = true; }
    for (const auto& [partition, lag] : lags_) { lag->set(0); }
    ready_.clear();
    changes_.tell();
    if (handle_ == nullptr) { return left(); }
    reaper_->post([handle = handle_, link = link_, left = std::move(left)]() mutable {
        end_client(handle, link);
        left();
    });
}

Task<void> Member::close() {
    const auto self = shared_from_this();
    if (closed_) { co_return; }
    auto gone = std::make_shared<bool>(false);
    const auto executor = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
    // The reaper's thread must not be the last one to let go of this.
    leave([last = self, executor, gone]() mutable {
        asio::post(executor, [member = std::move(last), gone] {
            *gone = true;
            member->changes_.tell();
        });
    });
    while (!*gone) { co_await changes_.wait(MonotonicTime::max()); }
}

}  // namespace rushproof::kafka
