// Goal: jobs are done, tried again after the delay, and set aside with the reason of their last
// failure; nothing that was accepted is lost, whatever happens to the server.
// Method: a private server, which is killed and paused; a queue for each test.
#include "core/real/rabbitmq/rabbit_job_queue.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>

#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof::rabbitmq {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Queue = std::shared_ptr<JobQueue>;

constexpr auto patience = seconds(40);

MonotonicTime in(Duration time) {
    return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()) + time;
}

class RabbitJobQueueTest : public testing::Test {
protected:
    void run(Task<void> task) {
        std::exception_ptr thrown;
        bool done = false;
        asio::co_spawn(io_, std::move(task), [&](std::exception_ptr error) {
            thrown = error;
            done = true;
        });
        io_.restart();
        while (!done && io_.run_one() > 0) {}
        if (thrown) { std::rethrow_exception(thrown); }
    }

    Task<void> sleep(Duration time) {
        asio::steady_timer timer(io_, std::chrono::duration_cast<std::chrono::nanoseconds>(time));
        co_await timer.async_wait(asio::use_awaitable);
    }

    static RabbitOptions options() {
        RabbitOptions options;
        options.url = std::getenv("RUSHPROOF_RABBITMQ_URL");
        options.tries_max = 3;
        options.retry_after = milliseconds(300);
        return options;
    }

    Queue open(const RabbitOptions& options) {
        return make_rabbit_job_queue(testing::UnitTest::GetInstance()->current_test_info()->name(),
                                     options, telemetry_)
            .value();
    }

    static Job job(std::string id) {
        Job result;
        result.id = std::move(id);
        result.body = "do " + result.id;
        return result;
    }

    // Again until it is accepted.
    Task<void> put(Queue queue, Job given) {
        for (const MonotonicTime give_up = in(patience);;) {
            Context context(in(seconds(3)));
            Job copy = given;
            const auto done = co_await queue->put(context, std::move(copy));
            if (done) { co_return; }
            if (in({}) > give_up) { throw std::runtime_error(done.error().message()); }
            co_await sleep(milliseconds(30));
        }
    }

    Task<std::optional<JobDelivery>> take(Queue queue, Duration within = patience) {
        for (const MonotonicTime give_up = in(within); in({}) < give_up;) {
            Context context(give_up);
            auto taken = co_await queue->take(context);
            if (taken) { co_return *std::move(taken); }
            co_await sleep(milliseconds(30));
        }
        co_return std::nullopt;
    }

    Task<JobStats> stats(Queue queue) {
        Context context(in(patience));
        co_return (co_await queue->stats(context)).value();
    }

    static void server(const std::string& script) {
        const std::string command =
            "infra/stack/rabbitmq/" + script + " \"$RUSHPROOF_RABBITMQ_FOLDER\"";
        if (std::system(command.c_str()) != 0) { throw std::runtime_error(command); }
    }
    static void signal_server(int number) {
        std::ifstream file(std::string(std::getenv("RUSHPROOF_RABBITMQ_FOLDER")) + "/pid");
        pid_t process = 0;
        file >> process;
        if (process <= 0 || ::kill(process, number) != 0) { throw std::runtime_error("no server"); }
    }

    Task<void> done_once() {
        const Queue queue = open(options());
        Job given = job("one");
        given.headers = {{"traceparent", "00-1"}, {"x", "a\nb"}};
        co_await put(queue, given);
        const auto taken = co_await take(queue);
        EXPECT_TRUE(taken.has_value());
        if (!taken) { co_return; }
        EXPECT_EQ(taken->job.id, given.id);
        EXPECT_EQ(taken->job.body, given.body);
        EXPECT_EQ(taken->job.headers, given.headers);
        EXPECT_EQ(taken->attempt, 1);
        Context context(in(patience));
        EXPECT_TRUE(co_await queue->done(context, taken->number));
        const MonotonicTime began = in({});
        const auto none = co_await take(queue, milliseconds(400));
        EXPECT_FALSE(none.has_value());
        EXPECT_LT(in({}) - began, seconds(4));
        const JobStats now = co_await stats(queue);
        EXPECT_EQ(now.waiting + now.dead, 0);
    }

    Task<void> retried() {
        const Queue queue = open(options());
        co_await put(queue, job("stubborn"));
        for (std::int64_t attempt = 1; attempt <= 3; ++attempt) {
            const MonotonicTime asked = in({});
            const auto taken = co_await take(queue);
            EXPECT_TRUE(taken.has_value());
            if (!taken) { co_return; }
            EXPECT_EQ(taken->attempt, attempt);
            if (attempt > 1) { EXPECT_GT(in({}) - asked, milliseconds(200)); }
            Context context(in(patience));
            std::string why = "reason " + std::to_string(attempt);
            EXPECT_TRUE(co_await queue->failed(context, taken->number, std::move(why)));
        }
        for (int time = 0; time < 2; ++time) {  // looking takes nothing away
            Context context(in(patience));
            const auto dead = co_await queue->dead(context, 10);
            EXPECT_TRUE(dead && dead->size() == 1);
            if (!dead || dead->empty()) { co_return; }
            EXPECT_EQ(dead->front().job.id, "stubborn");
            EXPECT_EQ(dead->front().reason, "reason 3");
            EXPECT_EQ(dead->front().attempts, 3);
        }
        JobStats now = co_await stats(queue);
        EXPECT_EQ(now.waiting, 0);
        EXPECT_EQ(now.dead, 1);
        EXPECT_EQ(now.retried, 2u);
        Context context(in(patience));
        EXPECT_TRUE((co_await queue->revive(context)).value());
        EXPECT_FALSE((co_await queue->revive(context)).value());
        const auto again = co_await take(queue);
        EXPECT_TRUE(again && again->attempt == 1 && again->job.body == "do stubborn");
        if (again) { EXPECT_TRUE(co_await queue->done(context, again->number)); }
    }

    Task<void> inherited() {
        const Queue heir = open(options());
        Queue dying = open(options());
        co_await put(dying, job("orphan"));
        const auto first = co_await take(dying);
        EXPECT_TRUE(first.has_value());
        const auto none = co_await take(heir, milliseconds(400));
        EXPECT_FALSE(none.has_value());
        dying.reset();
        const auto second = co_await take(heir);
        EXPECT_TRUE(second && second->job.id == "orphan");
        Context context(in(patience));
        if (second) { EXPECT_TRUE(co_await heir->done(context, second->number)); }
    }

    Task<void> oldest_first() {
        RabbitOptions once = options();
        once.tries_max = 1;
        const Queue queue = open(once);
        for (const char* id : {"a", "b", "c"}) {
            co_await put(queue, job(id));
            const auto taken = co_await take(queue);
            Context context(in(patience));
            std::string why = "no";
            if (taken) {
                EXPECT_TRUE(co_await queue->failed(context, taken->number, std::move(why)));
            }
        }
        Context context(in(patience));
        const auto dead = co_await queue->dead(context, 2);
        EXPECT_TRUE(dead && dead->size() == 2 && dead->at(0).job.id == "a" &&
                    dead->at(1).job.id == "b");
        EXPECT_TRUE((co_await queue->revive(context)).value());
        const auto revived = co_await take(queue);
        EXPECT_TRUE(revived && revived->job.id == "a");
    }

    struct Told {
        std::set<std::string> accepted;
        bool enough = false;
        int putters = 0;
    };

    Task<void> put_many(Queue queue, int putter, Told& told) {
        for (int number = 0; !told.enough; ++number) {
            std::string id = std::to_string(putter) + "-" + std::to_string(number);
            Context context(in(milliseconds(800)));
            Job next = job(id);
            const auto done = co_await queue->put(context, std::move(next));
            if (done) {
                told.accepted.insert(id);
            } else {
                co_await sleep(milliseconds(20));
            }
        }
        --told.putters;
    }

    template <class Fault>
    Task<void> put_through(Fault fault) {
        const Queue queue = open(options());
        co_await put(queue, job("first"));
        Told told;
        told.accepted = {"first"};
        told.putters = 4;
        for (int putter = 0; putter < 4; ++putter) {
            asio::co_spawn(io_, put_many(queue, putter, told), asio::detached);
        }
        co_await sleep(milliseconds(300));
        co_await fault();
        const std::size_t before = told.accepted.size();
        for (const MonotonicTime give_up = in(patience);
             told.accepted.size() < before + 20 && in({}) < give_up;) {
            co_await sleep(milliseconds(20));
        }
        EXPECT_GE(told.accepted.size(), before + 20) << "nothing is accepted again";
        told.enough = true;
        while (told.putters > 0) { co_await sleep(milliseconds(5)); }
        std::set<std::string> lost = told.accepted;
        while (const auto taken = co_await take(queue, seconds(3))) {
            lost.erase(taken->job.id);
            Context context(in(patience));
            (void)co_await queue->done(context, taken->number);
        }
        EXPECT_TRUE(lost.empty()) << lost.size() << " of " << told.accepted.size();
    }

    Task<void> killed() {
        auto fault = [this]() -> Task<void> {
            server("stop");
            co_await sleep(milliseconds(200));
            server("restart");
        };
        co_await put_through(fault);
    }

    Task<void> paused() {
        auto fault = [this]() -> Task<void> {
            signal_server(SIGSTOP);
            co_await sleep(seconds(6));
            signal_server(SIGCONT);
        };
        co_await put_through(fault);
    }

    Task<void> nobody() {
        RabbitOptions nowhere = options();
        nowhere.url = "amqp://127.0.0.1:1";
        const Queue queue = open(nowhere);
        Context context(in(milliseconds(300)));
        const auto refused = co_await queue->put(context, job("x"));
        EXPECT_TRUE(!refused && refused.error().code() == "unavailable");
        const MonotonicTime began = in({});
        const auto none = co_await queue->take(context);
        EXPECT_TRUE(!none && none.error().code() == "unavailable");
        EXPECT_LT(in({}) - began, seconds(5));
    }

    RealTelemetry telemetry_{LogLevel::error};
    asio::io_context io_{1};
};

TEST_F(RabbitJobQueueTest, AJobIsDoneOnce) { run(done_once()); }
TEST_F(RabbitJobQueueTest, AFailedOneIsTriedAgainAndSetAside) { run(retried()); }
TEST_F(RabbitJobQueueTest, ADeadWorkersJobIsInherited) { run(inherited()); }
TEST_F(RabbitJobQueueTest, TheOldestIsRevivedFirst) { run(oldest_first()); }
TEST_F(RabbitJobQueueTest, NothingAcceptedIsLostWhenTheServerIsKilled) { run(killed()); }
TEST_F(RabbitJobQueueTest, NothingAcceptedIsLostWhenTheServerIsPaused) { run(paused()); }
TEST_F(RabbitJobQueueTest, NobodyThere) { run(nobody()); }

}  // namespace
}  // namespace rushproof::rabbitmq
