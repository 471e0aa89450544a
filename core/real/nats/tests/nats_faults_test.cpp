// Goal: nothing that was accepted is lost and nothing that was refused appears, whatever happens to
// the server or to a member of the group; and everything works again by itself.
// Method: a private server that is killed, restarted, paused and kept away while messages flow.
#include <algorithm>
#include <map>
#include <set>

#include "core/real/nats/tests/live_nats.hpp"

namespace rushproof::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Told {
    std::set<std::string> accepted;
    std::set<std::string> refused;
    std::set<std::string> unknown;
    int publishers = 0;
    bool enough = false;
};

class NatsFaultsTest : public LiveNats {
protected:
    // Publishes without repeating, and keeps what it was told; with a pause, so that what waits can
    // be taken in a few seconds on any machine.
    Task<void> keep_publishing(std::shared_ptr<MessageQueue> queue, Told& told, int publisher) {
        for (int number = 0; !told.enough; ++number) {
            std::string id = std::to_string(publisher) + "-" + std::to_string(number);
            Message next = message(id, "key" + std::to_string(publisher));
            Context context(in(milliseconds(800)));
            const auto published = co_await queue->publish(std::move(context), std::move(next));
            if (published) {
                told.accepted.insert(id);
                co_await sleep(milliseconds(1));
            } else if (published.error().kind() == ErrorKind::unknown_outcome) {
                told.unknown.insert(id);
            } else {
                told.refused.insert(id);
                co_await sleep(milliseconds(20));
            }
        }
        --told.publishers;
    }

    void start_publishers(const std::shared_ptr<MessageQueue>& queue, Told& told) {
        for (int publisher = 0; publisher < 8; ++publisher) {
            ++told.publishers;
            asio::co_spawn(io_, keep_publishing(queue, told, publisher), asio::detached);
        }
    }

    Task<void> expect_all_delivered(MessageQueue& queue, Consumer& consumer, const Told& told) {
        std::map<std::string, int> got;
        for (const MonotonicTime give_up = in(patience * 2); in({}) < give_up;) {
            const auto taken = co_await take(consumer, 500, milliseconds(300));
            // Only when none seems left: once it has counted, a server of 2.9 often counts again
            // with each message that it delivers.
            if (taken.empty() && co_await unfinished(queue) == 0) { break; }
            for (const Delivery& delivery : taken) { ++got[delivery.message.id]; }
            (void)co_await acknowledge(consumer, taken);
        }
        std::size_t lost = 0;
        for (const std::string& id : told.accepted) { lost += got.contains(id) ? 0 : 1; }
        EXPECT_EQ(lost, 0u) << "of " << told.accepted.size();
        for (const auto& [id, times] : got) {
            EXPECT_FALSE(told.refused.contains(id)) << id << " was refused";
            EXPECT_TRUE(told.accepted.contains(id) || told.unknown.contains(id)) << id;
        }
        EXPECT_FALSE(told.accepted.empty());
    }

    template <class Fault>
    Task<void> publish_through(Fault fault) {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        Told told;
        start_publishers(queue, told);
        co_await sleep(milliseconds(300));
        co_await fault();
        const std::size_t before = told.accepted.size();
        for (const MonotonicTime give_up = in(patience);
             told.accepted.size() < before + 200 && in({}) < give_up;) {
            co_await sleep(milliseconds(20));
        }
        EXPECT_GE(told.accepted.size(), before + 200) << "nothing is accepted again";
        told.enough = true;
        while (told.publishers > 0) { co_await sleep(milliseconds(5)); }
        co_await expect_all_delivered(*queue, *consumer, told);
    }

    Task<void> killed() {
        auto fault = [this]() -> Task<void> {
            for (int time = 0; time < 3; ++time) {
                server("stop", "--crash");
                co_await sleep(milliseconds(100));
                server("restart");
                co_await sleep(milliseconds(300));
            }
        };
        co_await publish_through(fault);
    }

    Task<void> restarted() {
        auto fault = [this]() -> Task<void> {
            server("restart");
            co_await sleep(milliseconds(50));
        };
        co_await publish_through(fault);
    }

    Task<void> paused() {
        auto fault = [this]() -> Task<void> {
            signal_server(SIGSTOP);
            co_await sleep(seconds(6));
            signal_server(SIGCONT);
        };
        co_await publish_through(fault);
    }

    Task<void> outage() {
        auto fault = [this]() -> Task<void> {
            server("stop", "--crash");
            co_await sleep(seconds(15));
            server("restart");
        };
        co_await publish_through(fault);
    }

    // What was delivered over a connection that broke is still held, and comes to nobody else;
    // what was lost on the way comes again, before all later ones.
    Task<void> held_over_a_crash() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        for (int number = 0; number < 4; ++number) {
            Message next = message(std::to_string(number), "k");
            co_await publish(*queue, std::move(next));
        }
        const auto held = co_await take(*consumer, 2);
        EXPECT_EQ(ids(held), (Strings{"0", "1"}));
        server("stop", "--crash");
        // Nobody can be told: it stays acknowledged, and is said again later.
        const auto lost = co_await acknowledge(*consumer, held, milliseconds(300));
        EXPECT_FALSE(lost);
        server("restart");
        Message more = message("4", "k");
        co_await publish(*queue, std::move(more));
        const auto rest = co_await take(*consumer, 3);
        EXPECT_EQ(ids(rest), (Strings{"2", "3", "4"}));
        EXPECT_TRUE(co_await acknowledge(*consumer, rest));
        for (const MonotonicTime give_up = in(seconds(15)); in({}) < give_up;) {
            const std::int64_t left = co_await unfinished(*queue);
            if (left == 0) { break; }
            co_await sleep(milliseconds(100));
        }
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    // A member whose process dies: here, whose executor is never run again.
    Task<void> orphaned(std::unique_ptr<asio::io_context>& other) {
        const auto queue = co_await open(options());
        for (int number = 0; number < 6; ++number) {
            Message next = message(std::to_string(number), "k");
            co_await publish(*queue, std::move(next));
        }
        co_await sleep(milliseconds(10));
        auto connection = NatsConnection::start(other->get_executor(), options(), telemetry_);
        if (!connection) { throw std::runtime_error("no connection"); }
        std::unique_ptr<Consumer> dying;
        Strings taken_by_dying;
        auto life = [&]() -> Task<void> {
            Context context(in(patience));
            std::string name = topic();
            auto theirs = co_await connection->open(context, std::move(name));
            if (!theirs) { throw std::runtime_error(theirs.error().message()); }
            dying = co_await join(**theirs);
            const auto taken = co_await take_there(*other, *dying, 2);
            taken_by_dying = ids(taken);
            other->stop();
        };
        asio::co_spawn(*other, life(), asio::detached);
        other->run();
        EXPECT_EQ(taken_by_dying, (Strings{"0", "1"}));
        const auto heir = co_await join(*queue);
        const auto none = co_await take(*heir, 1, seconds(2));
        EXPECT_EQ(ids(none), Strings()) << "too early";
        const auto taken = co_await take(*heir, 6);
        EXPECT_EQ(ids(taken), (Strings{"0", "1", "2", "3", "4", "5"}));
        EXPECT_TRUE(co_await acknowledge(*heir, taken));
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    Task<std::vector<Delivery>> take_there(asio::io_context& io, Consumer& consumer,
                                           std::size_t count) {
        std::vector<Delivery> taken;
        for (const MonotonicTime give_up = in(patience);
             taken.size() < count && in({}) < give_up;) {
            Context context(give_up);
            auto some = co_await consumer.next(std::move(context), count - taken.size());
            if (!some) { break; }
            for (Delivery& delivery : *some) { taken.push_back(std::move(delivery)); }
        }
        (void)io;
        co_return taken;
    }

    Task<void> emptied() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        server("reset");
        Message next = message("after", "k");
        co_await publish(*queue, std::move(next));
        const auto taken = co_await take(*consumer, 1);
        EXPECT_EQ(ids(taken), Strings{"after"});
        EXPECT_TRUE(co_await acknowledge(*consumer, taken));
    }

    Task<void> unreachable() {
        NatsOptions nowhere = options();
        nowhere.url = "nats://127.0.0.1:1";
        const NatsConnection connection = connect(nowhere);
        const MonotonicTime began = in({});
        Context context(in(milliseconds(500)));
        const auto opened = co_await connection.open(std::move(context), topic());
        EXPECT_FALSE(opened);
        if (!opened) { EXPECT_EQ(opened.error().kind(), ErrorKind::retryable); }
        EXPECT_LT(in({}) - began, seconds(5));
    }
};

TEST_F(NatsFaultsTest, KilledServer) { run(killed()); }
TEST_F(NatsFaultsTest, RestartedServer) { run(restarted()); }
TEST_F(NatsFaultsTest, PausedServer) { run(paused()); }
TEST_F(NatsFaultsTest, OutageOfFifteenSeconds) { run(outage()); }
TEST_F(NatsFaultsTest, WhatIsHeldOutlivesTheConnection) { run(held_over_a_crash()); }
TEST_F(NatsFaultsTest, AnEmptiedServerIsFurnishedAgain) { run(emptied()); }
TEST_F(NatsFaultsTest, NobodyThere) { run(unreachable()); }
TEST_F(NatsFaultsTest, AMemberThatDiedIsInherited) {
    auto other = std::make_unique<asio::io_context>(1);
    run(orphaned(other));
}

}  // namespace
}  // namespace rushproof::nats
