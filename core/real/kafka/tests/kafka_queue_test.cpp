// Goal: nothing that a broker accepted is lost while the broker crashes, hangs or is away, and
// while members come and go; who lost a partition is told; records of others are understood.
// Method: the broker of infra/stack, killed, stopped and started again by its scripts and signals.
#include "core/real/kafka/kafka_queue.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "core/real/kafka/client.hpp"
#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Context within(Duration time) { return Context(kafka::now() + time); }

class KafkaQueueTest : public testing::Test {
protected:
    void SetUp() override {
        options_.brokers = variable("RUSHPROOF_KAFKA_BROKERS");
        ASSERT_FALSE(options_.brokers.empty())
            << "run this by ctest, or by infra/stack/stack run kafka";
        RecordProperty("kafka", variable("RUSHPROOF_KAFKA_KIND"));
        static int count = 0;
        options_.topic = "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
        options_.partitions = 4;
        options_.session_timeout = apache() ? seconds(2) : seconds(6);
    }

    static bool apache() { return variable("RUSHPROOF_KAFKA_KIND") == "apache"; }
    static void script(const std::string& name, const std::string& more = {}) {
        const std::string command =
            "infra/stack/kafka/" + name + " '" + variable("RUSHPROOF_KAFKA_FOLDER") + "' " + more;
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }
    static void signal_broker(int number) {
        int pid = 0;
        std::ifstream(variable("RUSHPROOF_KAFKA_FOLDER") + "/pid") >> pid;
        ASSERT_EQ(::kill(pid, number), 0);
    }

    template <class T>
    T wait(Task<T> task) {
        std::optional<T> answer;
        asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T value) {
            if (thrown) { std::rethrow_exception(thrown); }
            answer = std::move(value);
        });
        context_.restart();
        while (!answer) { context_.run_one(); }
        return *std::move(answer);
    }
    void start(Task<void> task) { asio::co_spawn(context_, std::move(task), asio::detached); }
    void run_until(const std::function<bool()>& done, Duration time) {
        const MonotonicTime end = kafka::now() + time;
        context_.restart();
        while (!done() && kafka::now() < end) { context_.run_one_for(milliseconds(20)); }
    }

    std::shared_ptr<KafkaQueue> open() {
        auto opened = wait(KafkaQueue::open(within(seconds(30)), options_, world_));
        EXPECT_TRUE(opened) << opened.error().message();
        return opened ? *opened : nullptr;
    }

    // Publishes one after the other until each is accepted: `count`, and more while trouble lasts.
    Task<void> publish(KafkaQueue& queue, int key, int count) {
        for (int number = 0; number < count || troubled_; ++number) {
            Message message;
            message.key = "key-" + std::to_string(key);
            message.id = message.key + ":" + std::to_string(number);
            message.body = message.id;
            while (true) {
                Message again = message;
                const auto accepted = co_await queue.publish(within(seconds(30)), std::move(again));
                if (accepted) { break; }
                ++refusals_;
            }
            ++accepted_;
        }
        ++published_keys_;
    }
    // Until everything was acknowledged, or the end of the test.
    Task<void> consume(Consumer& consumer) {
        while (!over_) {
            const auto taken = co_await consumer.next(within(milliseconds(200)), 20);
            if (!taken) { co_return; }
            std::vector<std::uint64_t> numbers;
            for (const Delivery& delivery : *taken) {
                numbers.push_back(delivery.number);
                ++deliveries_;
                if (seen_.insert(delivery.message.id).second) {
                    journal_[delivery.message.key].push_back(delivery.message.id);
                }
            }
            if (!numbers.empty()) { co_await consumer.acknowledge(within(seconds(30)), numbers); }
        }
        ++ended_;
    }
    bool everything_came(int keys) const {
        return published_keys_ == keys && seen_.size() == static_cast<std::size_t>(accepted_);
    }
    void expect_everything_in_order(int keys, int count) {
        EXPECT_TRUE(everything_came(keys)) << seen_.size() << " of " << accepted_;
        EXPECT_GE(accepted_, keys * count);
        for (const auto& [key, ids] : journal_) {
            for (std::size_t i = 0; i < ids.size(); ++i) {
                EXPECT_EQ(ids[i], key + ":" + std::to_string(i));
            }
        }
    }
    void end(int consumers) {
        over_ = true;
        run_until([&] { return ended_ == consumers; }, seconds(60));
        EXPECT_EQ(ended_, consumers);
    }

    // `trouble` happens on another thread while 8 keys are published and consumed.
    void lose_nothing(const std::function<void()>& trouble) {
        constexpr int keys = 8;
        constexpr int count = 150;
        const auto queue = open();
        const auto consumer = *wait(queue->join(within(seconds(10)), "workers"));
        start(consume(*consumer));
        troubled_ = true;
        for (int key = 0; key < keys; ++key) { start(publish(*queue, key, count)); }
        run_until([&] { return deliveries_ > 50; }, seconds(30));
        std::thread other([&] {
            trouble();
            troubled_ = false;
        });
        run_until([&] { return everything_came(keys); }, seconds(90));
        other.join();
        expect_everything_in_order(keys, count);
        end(1);
        auto stats = wait(queue->stats(within(seconds(30)), "workers"));
        ASSERT_TRUE(stats) << stats.error().message();
        EXPECT_EQ(stats->unfinished, 0);
    }

    KafkaOptions options_;
    FakeWorld world_;  // its telemetry
    asio::io_context context_{1};
    std::map<std::string, std::vector<std::string>> journal_;
    std::set<std::string> seen_;
    int deliveries_ = 0;
    int accepted_ = 0;
    int published_keys_ = 0;
    int refusals_ = 0;
    int ended_ = 0;
    bool over_ = false;
    std::atomic<bool> troubled_ = false;
};

TEST_F(KafkaQueueTest, LosesNothingWhenTheBrokerIsKilled) {
    if (!apache()) { GTEST_SKIP() << "the stand-in keeps nothing"; }
    lose_nothing([] {
        script("stop", "--crash");
        script("restart");
    });
}

TEST_F(KafkaQueueTest, LosesNothingWhenTheBrokerIsRestarted) {
    if (!apache()) { GTEST_SKIP() << "the stand-in keeps nothing"; }
    lose_nothing([] { script("restart"); });
}

TEST_F(KafkaQueueTest, LosesNothingInAnOutage) {
    if (!apache()) { GTEST_SKIP() << "the stand-in keeps nothing"; }
    lose_nothing([] {
        script("stop", "--crash");
        std::this_thread::sleep_for(seconds(15));
        script("restart");
    });
    EXPECT_GT(refusals_, 0);  // the delivery timeout is shorter than that
}

TEST_F(KafkaQueueTest, LosesNothingWhenTheBrokerHangs) {
    lose_nothing([] {
        signal_broker(SIGSTOP);
        std::this_thread::sleep_for(seconds(5));
        signal_broker(SIGCONT);
    });
}

TEST_F(KafkaQueueTest, MembersComeAndGoUnderLoad) {
    constexpr int keys = 8;
    constexpr int count = 400;
    const auto queue = open();
    const auto other_queue = open();
    const auto first = *wait(queue->join(within(seconds(10)), "workers"));
    start(consume(*first));
    for (int key = 0; key < keys; ++key) { start(publish(*queue, key, count)); }
    run_until([&] { return deliveries_ > 50; }, seconds(30));
    const auto second = *wait(other_queue->join(within(seconds(10)), "workers"));
    start(consume(*second));
    run_until(
        [&] { return wait(other_queue->stats(within(seconds(10)), "workers"))->delivered > 0; },
        seconds(30));
    auto closing = [&]() -> Task<bool> {
        co_await second->close();
        co_return true;
    };
    wait(closing());
    run_until([&] { return everything_came(keys); }, seconds(60));
    expect_everything_in_order(keys, count);
    end(1);
}

// librdkafka keeps a partition paused while another member has it.
TEST_F(KafkaQueueTest, APartitionThatWentWhilePausedIsReadWhenItComesBack) {
    constexpr int keys = 8;
    constexpr int count = 50;
    options_.ready_messages = 100;
    const auto queue = open();
    const auto other_queue = open();
    const auto first = *wait(queue->join(within(seconds(10)), "workers"));
    for (int key = 0; key < keys; ++key) { start(publish(*queue, key, count)); }
    run_until([&] { return published_keys_ == keys; }, seconds(30));
    run_until([] { return false; }, seconds(1));  // nobody reads, so it pauses

    const auto second = *wait(other_queue->join(within(seconds(10)), "workers"));
    start(consume(*second));
    run_until([&] { return deliveries_ > 0; }, seconds(30));
    start(consume(*first));
    run_until([&] { return everything_came(keys); }, seconds(30));
    auto closing = [&]() -> Task<bool> {
        co_await second->close();
        co_return true;
    };
    wait(closing());
    for (int key = keys; key < 2 * keys; ++key) { start(publish(*queue, key, count)); }
    run_until([&] { return everything_came(2 * keys); }, seconds(30));
    expect_everything_in_order(2 * keys, count);
    end(1);
}

TEST_F(KafkaQueueTest, WhoLostItsPartitionsIsTold) {
    const auto queue = open();
    const auto other_queue = open();
    const auto zombie = *wait(queue->join(within(seconds(10)), "workers"));
    start(publish(*queue, 0, 1));
    auto held = wait(zombie->next(within(seconds(30)), 1));
    ASSERT_TRUE(held && held->size() == 1);
    // A second member comes, and the first one closes while it holds the message: from then on it
    // is the second one's.
    const auto second = *wait(other_queue->join(within(seconds(10)), "workers"));
    auto closing = [&]() -> Task<bool> {
        co_await zombie->close();
        co_return true;
    };
    wait(closing());
    auto again = wait(second->next(within(seconds(30)), 1));
    ASSERT_TRUE(again && again->size() == 1);
    EXPECT_EQ((*again)[0].message.id, (*held)[0].message.id);
    std::vector<std::uint64_t> old{(*held)[0].number};
    const auto late = wait(zombie->acknowledge(within(seconds(5)), old));
    EXPECT_FALSE(late);
    EXPECT_EQ(wait(queue->stats(within(seconds(30)), "workers"))->unfinished, 1);
    std::vector<std::uint64_t> now{(*again)[0].number};
    EXPECT_TRUE(wait(second->acknowledge(within(seconds(5)), now)));
    EXPECT_EQ(wait(queue->stats(within(seconds(30)), "workers"))->unfinished, 0);
}

TEST_F(KafkaQueueTest, UnderstandsRecordsOfOthers) {
    const auto queue = open();
    auto configuration = kafka::configure(options_.brokers, {});
    ASSERT_TRUE(configuration);
    auto made = kafka::make_client(RD_KAFKA_PRODUCER, *std::move(configuration));
    ASSERT_TRUE(made);
    for (const std::string& value : {std::string(R"({"id":"their-id","payload":"aGVsbG8="})"),
                                     std::string("not JSON"), std::string()}) {
        ASSERT_EQ(
            rd_kafka_producev(*made, RD_KAFKA_V_TOPIC(options_.topic.c_str()),
                              RD_KAFKA_V_PARTITION(1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                              RD_KAFKA_V_HEADER("Kind", "theirs", -1), RD_KAFKA_V_END),
            RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    ASSERT_EQ(rd_kafka_flush(*made, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(*made);
    const auto consumer = *wait(queue->join(within(seconds(10)), "workers"));
    std::vector<Message> found;
    const Context patience = within(seconds(30));
    while (found.size() < 3 && kafka::now() < patience.deadline) {
        const auto next = wait(consumer->next(patience, 3));
        ASSERT_TRUE(next);
        for (const Delivery& delivery : *next) { found.push_back(delivery.message); }
    }
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].id, "their-id");
    EXPECT_EQ(found[1].id, options_.topic + "-1-1");
    EXPECT_EQ(found[1].body, "not JSON");
    EXPECT_EQ(found[2].id, options_.topic + "-1-2");
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(found[0].headers, (Headers{{"kind", "theirs"}}));
}

TEST_F(KafkaQueueTest, TakesMessagesUpToItsLimit) {
    const auto queue = open();
    Message large;
    large.id = "large";
    large.key = "k";
    large.body.assign(options_.message_bytes - 6, 'x');
    EXPECT_TRUE(wait(queue->publish(within(seconds(20)), large)));
    large.body += 'x';
    const auto refused = wait(queue->publish(within(seconds(20)), large));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "too-large");
    const auto consumer = *wait(queue->join(within(seconds(10)), "workers"));
    const auto taken = wait(consumer->next(within(seconds(20)), 1));
    ASSERT_TRUE(taken && taken->size() == 1);
    EXPECT_EQ((*taken)[0].message.body.size(), options_.message_bytes - 6);
}

TEST_F(KafkaQueueTest, ABrokerThatIsNotThereIsUnavailable) {
    options_.brokers = "127.0.0.1:1";
    const auto opened = wait(KafkaQueue::open(within(milliseconds(500)), options_, world_));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(opened.error().code(), "unavailable");
}

}  // namespace
}  // namespace rushproof
