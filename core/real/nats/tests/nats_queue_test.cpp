// Goal: the queue keeps its promises on a real NATS while nothing breaks: messages as they were,
// repeats dropped, limits that refuse and never drop, order by key over several members.
// Method: a private server; a topic for each test.
#include <algorithm>
#include <map>
#include <set>

#include "core/real/nats/jetstream.hpp"
#include "core/real/nats/tests/live_nats.hpp"

namespace rushproof::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NatsQueueTest : public LiveNats {
protected:
    Task<void> fidelity() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        Message given = message("an id with %2F \xc3\xa4", std::string("key\n\0%", 6),
                                std::string("{\"a\":1}\r\n\0", 10));
        given.headers = {{"traceparent", "00-1-2-01"}, {"empty", ""}, {"spaces", "  a : b "}};
        co_await publish(*queue, given);
        const auto taken = co_await take(*consumer, 1);
        EXPECT_EQ(taken.size(), 1u);
        if (taken.empty()) { co_return; }
        EXPECT_EQ(taken[0].message.id, given.id);
        EXPECT_EQ(taken[0].message.key, given.key);
        EXPECT_EQ(taken[0].message.headers, given.headers);
        EXPECT_EQ(taken[0].message.body, given.body);
        EXPECT_EQ(taken[0].attempt, 1);
        EXPECT_EQ(taken[0].provider, "nats");
        EXPECT_EQ(co_await unfinished(*queue), 1);
        EXPECT_TRUE(co_await acknowledge(*consumer, taken));
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    Task<void> refusals() {
        const auto queue = co_await open(options());
        Context context(in(patience));
        Message large = message("1", "", std::string(2 << 20, 'x'));
        auto refused = co_await queue->publish(context, std::move(large));
        EXPECT_TRUE(!refused && refused.error().code() == "too-large");
        Message broken = message("2", "");
        broken.headers.emplace_back("a", "b\r\nNats-Msg-Id: 9");
        refused = co_await queue->publish(context, std::move(broken));
        EXPECT_TRUE(!refused && refused.error().kind() == ErrorKind::permanent);
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    Task<void> repeats() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        for (int time = 0; time < 3; ++time) {
            Message one = message("one", "k", std::to_string(time));
            co_await publish(*queue, std::move(one));
        }
        Message other = message("other", "k");
        co_await publish(*queue, std::move(other));
        const auto taken = co_await take(*consumer, 2);
        EXPECT_EQ(ids(taken), (Strings{"one", "other"}));
        EXPECT_TRUE(co_await acknowledge(*consumer, taken));
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    Task<void> fills() {
        NatsOptions small = options();
        small.messages_max = 10;
        const auto queue = co_await open(small);
        const auto consumer = co_await join(*queue);
        for (int number = 0; number < 10; ++number) {
            Message next = message(std::to_string(number), std::to_string(number));
            co_await publish(*queue, std::move(next));
        }
        Context context(in(patience));
        Message one_more = message("10", "10");
        const auto refused = co_await queue->publish(context, one_more);
        EXPECT_FALSE(refused);
        if (!refused) {
            EXPECT_EQ(refused.error().code(), "queue-full");
            EXPECT_EQ(refused.error().kind(), ErrorKind::retryable);
        }
        auto taken = co_await take(*consumer, 10);
        EXPECT_EQ(taken.size(), 10u);
        const auto still = co_await queue->publish(context, one_more);
        EXPECT_FALSE(still) << "what is not acknowledged still fills the queue";
        EXPECT_TRUE(co_await acknowledge(*consumer, taken));
        co_await publish(*queue, one_more);
        taken = co_await take(*consumer, 1);
        EXPECT_EQ(ids(taken), Strings{"10"});
    }

    // What others publish to the topic's subject, without our headers.
    Task<void> foreigners() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        auto servers = parse_servers(options().url);
        const ClientHandle client(
            std::make_shared<Client>(io_.get_executor(), *std::move(servers), telemetry_));
        client->start();
        EXPECT_TRUE(co_await client->wait_until_connected(in(patience)));
        Outgoing foreign;
        foreign.subject = nats_topic(topic()).subject;
        foreign.headers = {{"X-Trace", "7"}};
        foreign.body = "{}";
        EXPECT_TRUE(client->send(foreign));
        const auto taken = co_await take(*consumer, 1);
        EXPECT_EQ(taken.size(), 1u);
        if (taken.empty()) { co_return; }
        EXPECT_EQ(taken[0].message.id, nats_topic(topic()).stream + ":1");
        EXPECT_EQ(taken[0].message.key, "");
        EXPECT_EQ(taken[0].message.headers,
                  (std::vector<std::pair<std::string, std::string>>{{"x-trace", "7"}}));
        EXPECT_TRUE(co_await acknowledge(*consumer, taken));
    }

    // Two members work while messages come, a third joins, the first leaves: in every key the
    // order of first deliveries is that of publishing, and nobody gets a key that another one
    // holds messages of.
    Task<void> order() {
        constexpr int count = 600, keys = 20;
        const auto queue = co_await open(options());
        std::vector<std::unique_ptr<Consumer>> members;
        members.push_back(co_await join(*queue));
        members.push_back(co_await join(*queue));
        for (int number = 0; number < count; ++number) {
            Message next = message(std::to_string(number), "key" + std::to_string(number % keys));
            co_await publish(*queue, std::move(next));
        }
        std::map<std::string, int> last;
        std::set<std::string> seen;
        std::map<std::size_t, std::size_t> worked;
        for (const MonotonicTime give_up = in(patience * 2);
             seen.size() < count && in({}) < give_up;) {
            for (std::size_t index = 0; index < members.size(); ++index) {
                if (!members[index]) { continue; }
                const auto taken = co_await take(*members[index], 10, milliseconds(30));
                worked[index] += taken.size();
                for (const Delivery& delivery : taken) {
                    if (!seen.insert(delivery.message.id).second) { continue; }
                    const int number = std::stoi(delivery.message.id);
                    const auto [known, is_new] = last.try_emplace(delivery.message.key, -1);
                    EXPECT_EQ(number, known->second < 0 ? number % keys : known->second + keys)
                        << delivery.message.key;
                    known->second = number;
                }
                EXPECT_TRUE(co_await acknowledge(*members[index], taken));
            }
            if (members.size() == 2 && seen.size() > count / 4) {
                members.push_back(co_await join(*queue));
            }
            if (members[0] && seen.size() > count / 2) {
                co_await members[0]->close();
                members[0].reset();
            }
        }
        EXPECT_EQ(seen.size(), count);
        EXPECT_EQ(co_await unfinished(*queue), 0);
        EXPECT_GT(worked[0], 0u);
        EXPECT_GT(worked[1], 0u);
    }

    Task<void> groups() {
        const auto queue = co_await open(options());
        const auto one = co_await join(*queue, "one");
        const auto two = co_await join(*queue, "two of them");
        for (const char* id : {"a", "b"}) {
            Message next = message(id, "k");
            co_await publish(*queue, std::move(next));
        }
        const auto ones = co_await take(*one, 2);
        EXPECT_EQ(ids(ones), (Strings{"a", "b"}));
        EXPECT_TRUE(co_await acknowledge(*one, ones));
        co_await sleep(milliseconds(1000));  // time to purge what only one group has done
        const auto twos = co_await take(*two, 2);
        EXPECT_EQ(ids(twos), (Strings{"a", "b"}));
        EXPECT_EQ(co_await unfinished(*queue, "one"), 0);
        EXPECT_EQ(co_await unfinished(*queue, "two of them"), 2);
    }

    Task<void> closing() {
        const auto queue = co_await open(options());
        auto first = co_await join(*queue);
        for (const char* id : {"a", "b", "c"}) {
            Message next = message(id, "k");
            co_await publish(*queue, std::move(next));
        }
        const auto held = co_await take(*first, 2);
        EXPECT_EQ(ids(held), (Strings{"a", "b"}));
        const auto second = co_await join(*queue);
        const auto none = co_await take(*second, 1, milliseconds(1500));
        EXPECT_EQ(ids(none), Strings()) << "of a key that the other one holds";
        co_await first->close();
        Context context(in(patience));
        const auto closed = co_await first->next(context, 1);
        EXPECT_TRUE(!closed && closed.error().code() == "closed");
        first.reset();
        const auto taken = co_await take(*second, 3);
        EXPECT_EQ(ids(taken), (Strings{"a", "b", "c"}));
        if (taken.size() < 2) { co_return; }
        EXPECT_EQ(taken[0].attempt, 2);
        EXPECT_TRUE(co_await acknowledge(*second, taken));
        EXPECT_EQ(co_await unfinished(*queue), 0);
    }

    Task<void> deadlines() {
        const auto queue = co_await open(options());
        const auto consumer = co_await join(*queue);
        const MonotonicTime began = in({});
        Context context(in(milliseconds(300)));
        const auto none = co_await consumer->next(context, 5);
        EXPECT_TRUE(none && none->empty());
        EXPECT_GE(in({}) - began, milliseconds(290));
        EXPECT_LT(in({}) - began, seconds(3));
    }
};

TEST_F(NatsQueueTest, KeepsMessagesAsTheyAre) { run(fidelity()); }
TEST_F(NatsQueueTest, RefusesWhatItCannotKeep) { run(refusals()); }
TEST_F(NatsQueueTest, DropsRepeats) { run(repeats()); }
TEST_F(NatsQueueTest, AFullStreamRefusesAndDropsNothing) { run(fills()); }
TEST_F(NatsQueueTest, TakesWhatOthersPublish) { run(foreigners()); }
TEST_F(NatsQueueTest, KeepsTheOrderOfAKeyOverMembersThatComeAndGo) { run(order()); }
TEST_F(NatsQueueTest, EveryGroupGetsEverything) { run(groups()); }
TEST_F(NatsQueueTest, WhatWasHeldComesBackInOrderToAnotherMember) { run(closing()); }
TEST_F(NatsQueueTest, WaitsUntilTheDeadline) { run(deadlines()); }

}  // namespace
}  // namespace rushproof::nats
