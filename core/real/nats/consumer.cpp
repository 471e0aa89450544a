#include "core/real/nats/consumer.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <random>

#include "core/runtime/resumption.hpp"

namespace rushproof::nats {

namespace {

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

// A member that stops stands still at some moment after its last turn.  Until `asks_within` after
// it, it may ask for messages, which come for `asked_for` at most; only after `silence` does
// another one take its place.  `hands_out_within`: what it was given then is nobody else's yet.
constexpr auto turn_every = std::chrono::milliseconds(400);
constexpr auto asks_within = std::chrono::milliseconds(1500);
constexpr auto asked_for = std::chrono::milliseconds(1000);
constexpr auto hands_out_within = std::chrono::milliseconds(3000);
constexpr auto silence = std::chrono::milliseconds(4000);
static_assert(asks_within + asked_for < silence && hands_out_within < silence);
static_assert(turn_every * 3 < asks_within);

constexpr auto call_within = std::chrono::seconds(1);
// A request that waits makes the server deliver message by message, which costs it and us more than
// the messages do.  So each request ends with the first that there are, and the next one, which
// finds what came meanwhile, is so much later; after a longer silence it is at once.
constexpr auto asks_every = std::chrono::milliseconds(8);
constexpr auto alive_every = NatsConsumer::answer_within / 3;
constexpr auto recover_again_after = std::chrono::milliseconds(100);
// A wait this short makes the server take everything that is pending for lost; it looks after it
// changed by 100 ms.
constexpr auto at_once = std::chrono::milliseconds(1);
constexpr auto server_looks_after = std::chrono::milliseconds(200);
constexpr std::string_view provider_name = "nats";

struct DeliveryFacts {
    std::int64_t attempt = 1;
    std::uint64_t sequence = 0;
};

// "$JS.ACK.stream.consumer.attempt.sequence...", or with domain and account before the stream.
std::optional<DeliveryFacts> read_reply(std::string_view reply) {
    std::array<std::string_view, 16> words;
    std::size_t count = 0;
    while (count < words.size()) {
        const auto dot = std::min(reply.find('.'), reply.size());
        words[count++] = reply.substr(0, dot);
        if (dot == reply.size()) { break; }
        reply.remove_prefix(dot + 1);
    }
    if (count < 9 || words[0] != "$JS" || words[1] != "ACK") { return std::nullopt; }
    const std::size_t at = count == 9 ? 4 : 6;
    DeliveryFacts facts;
    const auto read = [](std::string_view text, auto& number) {
        return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
    };
    if (!read(words[at], facts.attempt) || !read(words[at + 1], facts.sequence)) {
        return std::nullopt;
    }
    return facts;
}

std::string new_name() {
    std::random_device device;
    return std::to_string((std::uint64_t{device()} << 32) | device());
}

Outgoing answer_to(const std::string& reply, const char* what) {
    Outgoing message;
    message.subject = reply;
    message.body = what;
    return message;
}

}  // namespace

Membership::Membership(std::shared_ptr<Topic> topic, std::string group)
    : topic_(std::move(topic)),
      group_(std::move(group)),
      me_(new_name()),
      shares_(topic_->options.shares),
      watch_(silence, asks_within),
      renewed_(now() - std::chrono::hours(1)),
      heartbeat_at_(now() + alive_every),
      turn_timer_((*topic_->client)->executor()),
      message_timer_((*topic_->client)->executor()),
      next_pull_((*topic_->client)->executor(), [this] { pull_all(); }),
      redelivered_(topic_->telemetry.counter("nats_redelivered_total",
                                             "Messages that NATS delivered once more")) {}

void Membership::start() {
    const std::weak_ptr<Membership> weak = weak_from_this();
    listener_ = (*topic_->client)->listen([weak] {
        if (const auto self = weak.lock()) { self->reconnected(); }
    });
    known_connection_ = (*topic_->client)->connection();
    asio::co_spawn((*topic_->client)->executor(),
                   [self = shared_from_this()] { return self->attend(); }, asio::detached);
}

void Membership::close() {
    if (std::exchange(closed_, true)) { return; }
    turn_timer_.cancel();
    message_timer_.cancel();
    next_pull_.cancel();
    for (Share& share : shares_) { lose(share); }
}

bool Membership::lease_is_fresh(Duration within) const { return now() - renewed_ < within; }

bool Membership::owns(const Share& share, std::uint64_t term) const {
    return !closed_ && share.term == term && share.state != State::foreign;
}

// ---- the table ----

Task<void> Membership::attend() {
    bool told = false;
    while (!closed_) {
        const auto turn = co_await take_a_turn();
        if (!turn && !told) {
            topic_->telemetry.log(LogLevel::warning, "a consumer of NATS cannot take its turn",
                                  {{"why", turn.error().message()}});
        }
        told = !turn;
        if (closed_) { break; }
        stay_alive();
        pull_all();
        if (acknowledged_since_purge_ && !purging_ && connected()) {
            acknowledged_since_purge_ = false;
            purging_ = true;
            asio::co_spawn(
                turn_timer_.get_executor(),
                [self = shared_from_this()] { return self->purge_acknowledged(); }, asio::detached);
        }
        turn_timer_.expires_after(turn_every);
        co_await turn_timer_.async_wait(await_tuple);
    }
    co_await say_goodbye();
}

Task<Result<void>> Membership::take_a_turn() {
    Client& client = **topic_->client;
    const std::string subject = topic_->table_subject(group_);
    for (;;) {
        const MonotonicTime began = now();
        const auto entry =
            co_await read_entry(client, began + call_within, std::string(table_stream), subject);
        if (!entry) {
            // A server that lost its data has lost the table too.
            if (entry.error().code() == "not-found") {
                co_await topic_->ensure(began + call_within);
            }
            co_return failure(entry.error());
        }
        RP_CO_TRY(ShareTable table, read_share_table(entry->body));
        const std::set<std::string> dead = watch_.look(table, me_, now());
        std::set<std::size_t> released;
        for (std::size_t index = 0; index < shares_.size(); ++index) {
            Share& share = shares_[index];
            if (share.spare && share.asked == 0 && share.pending.empty()) {
                released.insert(index);
            }
        }
        const ShareTurn turn = take_turn(std::move(table), me_, shares_.size(), dead, released);
        std::string text = write_share_table(turn.table);
        RP_CO_TRY(const bool written,
                  co_await write_entry(client, began + call_within, std::string(table_stream),
                                       subject, entry->sequence, std::move(text)));
        if (closed_) { co_return Result<void>(); }
        if (written) {
            renewed_ = began;
            own(turn);
            co_return Result<void>();
        }
    }
}

Task<void> Membership::say_goodbye() {
    Client& client = **topic_->client;
    const std::string subject = topic_->table_subject(group_);
    for (const MonotonicTime give_up = now() + call_within; now() < give_up;) {
        const auto entry = co_await read_entry(client, give_up, std::string(table_stream), subject);
        if (!entry) { co_return; }  // the others will find out
        auto table = read_share_table(entry->body);
        if (!table) { co_return; }
        std::string text = write_share_table(leave(*std::move(table), me_));
        const auto written = co_await write_entry(client, give_up, std::string(table_stream),
                                                  subject, entry->sequence, std::move(text));
        if (!written || *written) { co_return; }
    }
}

void Membership::own(const ShareTurn& turn) {
    for (std::size_t index = 0; index < shares_.size(); ++index) {
        Share& share = shares_[index];
        const bool mine = turn.mine.contains(index);
        share.spare = turn.spare.contains(index);
        if (mine && share.state == State::foreign) {
            share.state = State::recovering;
            ++share.term;
            asio::co_spawn(
                turn_timer_.get_executor(),
                [self = shared_from_this(), index, term = share.term] {
                    return self->recover(index, term);
                },
                asio::detached);
        } else if (!mine && share.state != State::foreign) {
            lose(share);
        }
    }
}

void Membership::lose(Share& share) {
    if (share.inbox != 0) { (*topic_->client)->close_inbox(share.inbox); }
    const std::uint64_t term = share.term + 1;
    // What was handed out may still be acknowledged: its effect has taken place.
    auto unconfirmed = std::move(share.unconfirmed);
    share = Share();
    share.term = term;
    share.unconfirmed = std::move(unconfirmed);
}

void Membership::reconnected() {
    const std::uint64_t connection = (*topic_->client)->connection();
    if (closed_ || !connected() || connection == known_connection_) { return; }
    known_connection_ = connection;
    // What was under way on the old connection is neither here nor coming.
    for (std::size_t index = 0; index < shares_.size(); ++index) {
        Share& share = shares_[index];
        share.inbox = 0;
        share.asked = 0;
        if (share.state == State::foreign) { continue; }
        share.state = State::recovering;
        ++share.term;
        asio::co_spawn(
            turn_timer_.get_executor(),
            [self = shared_from_this(), index, term = share.term] {
                return self->recover(index, term);
            },
            asio::detached);
    }
    turn_timer_.cancel();
}

// ---- one share ----

Task<void> Membership::recover(std::size_t index, std::uint64_t term) {
    asio::steady_timer timer(turn_timer_.get_executor());
    while (owns(shares_[index], term)) {
        if (lease_is_fresh(asks_within)) {
            const auto recovered = co_await try_to_recover(index, term);
            if (!owns(shares_[index], term)) { co_return; }
            if (recovered) {
                shares_[index].state = State::open;
                pull(index);
                co_return;
            }
        }
        timer.expires_after(recover_again_after);
        co_await timer.async_wait(await_tuple);
    }
}

Task<Result<void>> Membership::try_to_recover(std::size_t index, std::uint64_t term) {
    confirm_again(index);
    auto state = co_await topic_->ensure_durable(now() + call_within, group_, index,
                                                 NatsConsumer::answer_within);
    if (!state) {
        if (state.error().code() == "not-found") { co_await topic_->ensure(now() + call_within); }
        co_return failure(state.error());
    }
    Share& share = shares_[index];
    if (!owns(share, term)) { co_return Result<void>(); }
    if (state->unacknowledged <= static_cast<std::int64_t>(share.pending.size())) {
        co_return Result<void>();
    }
    // Somebody who is gone held messages, or they were lost on the way here: as if their time were
    // up, so that they come before all later ones.
    RP_CO_CHECK(co_await topic_->ensure_durable(now() + call_within, group_, index, at_once));
    asio::steady_timer timer(turn_timer_.get_executor(), server_looks_after);
    co_await timer.async_wait(await_tuple);
    co_return (co_await topic_->ensure_durable(now() + call_within, group_, index,
                                               NatsConsumer::answer_within))
        .map([](const DurableState&) {});
}

void Membership::pull_all() {
    for (std::size_t index = 0; index < shares_.size(); ++index) { pull(index); }
}

void Membership::pull(std::size_t index) {
    Share& share = shares_[index];
    // The server ends a request, and says so; this is for an answer that was lost.
    if (now() > share.asked_at + asked_for * 2) { share.asked = 0; }
    const std::size_t wanted = topic_->options.prefetch;
    if (!connected() || share.state != State::open || share.asked > 0 || share.spare ||
        share.buffered.size() > wanted / 2 || !lease_is_fresh(asks_within)) {
        return;
    }
    if (now() < share.asked_at + asks_every) { return next_pull_.set(share.asked_at + asks_every); }
    Outgoing request;
    request.subject =
        "$JS.API.CONSUMER.MSG.NEXT." + topic_->names.stream + "." + topic_->durable(group_, index);
    const std::size_t asked = wanted - share.buffered.size();
    request.body = "{\"batch\":" + std::to_string(asked) +
                   ",\"no_wait\":true,\"expires\":" + std::to_string(Duration(asked_for).count()) +
                   "}";
    if (share.inbox == 0) {
        const std::weak_ptr<Membership> weak = weak_from_this();
        share.inbox =
            (*topic_->client)->open_inbox([weak, index, term = share.term](Incoming incoming) {
                const auto self = weak.lock();
                if (self) { self->receive(index, term, std::move(incoming)); }
            });
    }
    if (!(*topic_->client)->send(request, share.inbox)) { return; }
    share.asked = asked;
    share.asked_at = now();
}

void Membership::receive(std::size_t index, std::uint64_t term, Incoming incoming) {
    Share& share = shares_[index];
    if (!owns(share, term)) { return; }
    const auto facts = read_reply(incoming.reply);
    if (!facts) {
        if (incoming.status == 100) { return; }
        share.asked = 0;
        // 408: that is all, or nothing came.  Others are about the consumer, and the next turn
        // tries again.
        if (incoming.status == 408) { pull(index); }
        return;
    }
    if (share.asked > 0) { --share.asked; }
    if (const auto done = share.unconfirmed.find(facts->sequence);
        done != share.unconfirmed.end()) {
        done->second = incoming.reply;
        confirm_again(index);
    } else {
        const auto [known, is_new] = share.pending.try_emplace(facts->sequence, incoming.reply);
        known->second = incoming.reply;
        if (is_new) {
            if (facts->attempt > 1) { redelivered_.add(); }
            Buffered buffered;
            buffered.sequence = facts->sequence;
            buffered.attempt = facts->attempt;
            buffered.message =
                from_wire(std::move(incoming), topic_->names.stream, facts->sequence);
            share.buffered.push_back(std::move(buffered));
            message_timer_.cancel();
        }
    }
    if (share.asked == 0) {
        share.asked_at = {};  // all that was asked for: there is more
        pull(index);
    }
}

// What is held stays ours.
void Membership::stay_alive() {
    if (now() < heartbeat_at_) { return; }
    heartbeat_at_ = now() + alive_every;
    for (std::size_t index = 0; index < shares_.size(); ++index) {
        for (const auto& [sequence, reply] : shares_[index].pending) {
            if (!(*topic_->client)->send(answer_to(reply, "+WPI"))) { return; }
        }
        confirm_again(index);
    }
}

// ---- what the consumer's owner does ----

std::vector<Delivery> Membership::take(std::size_t limit) {
    std::vector<Delivery> taken;
    if (!lease_is_fresh(hands_out_within)) { return taken; }
    for (std::size_t turn = 0; turn < shares_.size() && taken.size() < limit; ++turn) {
        const std::size_t index = next_share_++ % shares_.size();
        Share& share = shares_[index];
        while (!share.buffered.empty() && taken.size() < limit) {
            Buffered& first = share.buffered.front();
            Delivery delivery;
            delivery.message = std::move(first.message);
            delivery.attempt = first.attempt;
            delivery.number = ++last_number_;
            delivery.provider = provider_name;
            held_.emplace(last_number_, Held{index, first.sequence, share.pending[first.sequence]});
            taken.push_back(std::move(delivery));
            share.buffered.pop_front();
        }
        pull(index);
    }
    topic_->delivered += taken.size();
    return taken;
}

Task<bool> Membership::wait_for_messages(MonotonicTime deadline) {
    const auto ready = [this] {
        return lease_is_fresh(hands_out_within) &&
               std::ranges::any_of(shares_,
                                   [](const Share& share) { return !share.buffered.empty(); });
    };
    while (!closed_ && !ready()) {
        if (now() >= deadline) { co_return false; }
        // What is buffered and stale becomes fresh or foreign by a turn.
        const MonotonicTime wake = std::min<MonotonicTime>(deadline, now() + turn_every);
        message_timer_.expires_at(std::chrono::steady_clock::time_point(wake.time_since_epoch()));
        co_await message_timer_.async_wait(await_tuple);
    }
    co_return !closed_;
}

namespace {

// Several questions to the server, and one who waits for all answers.
struct Gathering {
    std::size_t open = 1;  // one for the start itself
    std::optional<Error> error;
    std::optional<Resumption<Result<void>>> waiting;

    void done() {
        if (--open > 0) { return; }
        (*waiting)(error ? Result<void>(failure(*error)) : Result<void>());
    }
};

}  // namespace

Task<Result<void>> Membership::acknowledge(MonotonicTime deadline,
                                           std::vector<std::uint64_t> numbers) {
    std::map<std::size_t, std::vector<std::pair<std::uint64_t, std::string>>> by_share;
    for (const std::uint64_t number : numbers) {
        if (!held_.contains(number)) {
            co_return failure(ErrorKind::permanent, "unknown-delivery",
                              "no delivery has this number");
        }
    }
    for (const std::uint64_t number : numbers) {
        const auto held = held_.find(number);
        if (held == held_.end()) { continue; }  // twice in the list
        auto [index, sequence, reply] = std::move(held->second);
        held_.erase(held);
        Share& share = shares_[index];
        // Of a share that is no longer ours the server takes it too, and rightly.
        if (const auto pending = share.pending.find(sequence); pending != share.pending.end()) {
            reply = std::move(pending->second);
            share.pending.erase(pending);
        }
        share.unconfirmed.emplace(sequence, reply);
        by_share[index].emplace_back(sequence, std::move(reply));
    }
    acknowledged_since_purge_ = true;
    if (by_share.empty()) { co_return Result<void>(); }
    auto start = [self = shared_from_this(), deadline,
                  parts = std::move(by_share)](Resumption<Result<void>> resumption) {
        const auto gathering = std::make_shared<Gathering>();
        gathering->waiting.emplace(std::move(resumption));
        for (const auto& [index, part] : parts) {
            // The server reads them in order: its answer to the last one stands for all.
            for (std::size_t at = 0; at + 1 < part.size(); ++at) {
                (void)(*self->topic_->client)->send(answer_to(part[at].second, "+ACK"));
            }
            ++gathering->open;
            (*self->topic_->client)
                ->ask(deadline, answer_to(part.back().second, "+ACK"),
                      [self, gathering, share = index, acknowledged = part](auto answer) {
                          if (answer) {
                              for (const auto& [sequence, reply] : acknowledged) {
                                  self->shares_[share].unconfirmed.erase(sequence);
                              }
                          } else {
                              gathering->error = std::move(answer).error();
                          }
                          gathering->done();
                      });
        }
        gathering->done();
    };
    co_return co_await suspend<Result<void>>(std::move(start));
}

// What was acknowledged and not confirmed, until it is: the effect has taken place.
void Membership::confirm_again(std::size_t index) {
    const auto unconfirmed = shares_[index].unconfirmed;
    for (const auto& [sequence, reply] : unconfirmed) {
        (*topic_->client)
            ->ask(now() + call_within, answer_to(reply, "+ACK"),
                  [self = shared_from_this(), index, done = sequence](const auto& answer) {
                      if (answer) { self->shares_[index].unconfirmed.erase(done); }
                  });
    }
}

// The stream keeps everything until it is purged: what came before the first message that a
// consumer of its subject has not acknowledged, and before any that nobody consumes.  Never by
// subject: a server of 2.9 then takes the messages of all consumers for done.
Task<void> Membership::purge_acknowledged() {
    Client& client = **topic_->client;
    const MonotonicTime deadline = now() + call_within * 2;
    const auto stream = co_await stream_state(client, deadline, topic_->names.stream);
    const auto known = co_await durables(client, deadline, topic_->names.stream);
    purging_ = false;
    if (!stream || !known) { co_return; }
    std::uint64_t done = stream->last;
    for (const std::string& subject : stream->subjects) {
        std::optional<std::uint64_t> floor;
        for (const auto& [name, state] : *known) {
            const bool wide = state.subject.find_first_of("*>") != std::string::npos;
            if (state.subject.empty() || wide || state.subject == subject) {
                floor = std::min(floor.value_or(state.floor), state.floor);
            }
        }
        done = std::min(done, floor.value_or(0));
    }
    if (stream->messages == 0 || done < stream->first) { co_return; }
    (void)co_await purge(client, deadline, topic_->names.stream, done + 1);
}

std::unique_ptr<NatsConsumer> NatsConsumer::start(std::shared_ptr<Topic> topic, std::string group) {
    auto membership = std::make_shared<Membership>(std::move(topic), std::move(group));
    membership->start();
    return std::make_unique<NatsConsumer>(std::move(membership));
}

Task<Result<std::vector<Delivery>>> NatsConsumer::next(Context context, std::size_t limit) {
    const auto membership = membership_;
    const bool ready = co_await membership->wait_for_messages(context.deadline);
    if (membership->closed()) {
        co_return failure(ErrorKind::retryable, "closed", "this consumer has left its group");
    }
    if (!ready && !membership->connected()) {
        co_return failure(ErrorKind::retryable, "unavailable", "NATS cannot be reached");
    }
    co_return membership->take(limit);
}

Task<Result<void>> NatsConsumer::acknowledge(Context context, std::vector<std::uint64_t> numbers) {
    const auto membership = membership_;
    return membership->acknowledge(context.deadline, std::move(numbers));
}

Task<void> NatsConsumer::close() {
    membership_->close();
    co_return;
}

}  // namespace rushproof::nats
