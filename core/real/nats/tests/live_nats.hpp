// What tests against a real NATS share: an executor, a queue, and the server's faults.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/real/nats/nats_queue.hpp"
#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof::nats {

inline MonotonicTime in(Duration time) {
    return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()) + time;
}

class LiveNats : public testing::Test {
protected:
    using Strings = std::vector<std::string>;
    static constexpr auto patience = std::chrono::seconds(30);

    // Runs the coroutine on the executor until it is done.
    void run(Task<void> task) {
        std::exception_ptr thrown;
        bool done = false;
        asio::co_spawn(io_, std::move(task), [&](std::exception_ptr error) {
            thrown = error;
            done = true;
            io_.stop();
        });
        io_.restart();
        io_.run();
        if (thrown) { std::rethrow_exception(thrown); }
        ASSERT_TRUE(done);
    }

    Task<void> sleep(Duration time) {
        asio::steady_timer timer(io_, std::chrono::duration_cast<std::chrono::nanoseconds>(time));
        co_await timer.async_wait(asio::use_awaitable);
    }

    NatsOptions options() const {
        NatsOptions options;
        options.url = variable("RUSHPROOF_NATS_URL");
        options.bytes_max = 32 << 20;  // of several topics on one small server
        return options;
    }

    NatsConnection connect(const NatsOptions& options) {
        auto connection = NatsConnection::start(io_.get_executor(), options, telemetry_);
        if (!connection) { throw std::runtime_error(connection.error().message()); }
        return *std::move(connection);
    }

    // A topic of this test alone.
    static std::string topic() {
        return testing::UnitTest::GetInstance()->current_test_info()->name();
    }

    Task<std::shared_ptr<MessageQueue>> open(NatsOptions options) {
        const NatsConnection connection = connect(options);
        Context context(in(patience));
        std::string name = topic();
        auto queue = co_await connection.open(std::move(context), std::move(name));
        if (!queue) { throw std::runtime_error(queue.error().message()); }
        co_return *std::move(queue);
    }

    static Message message(std::string id, std::string key, std::string body = "body") {
        Message result;
        result.id = std::move(id);
        result.key = std::move(key);
        result.body = std::move(body);
        return result;
    }

    // Again, as a publisher does, until it is accepted.
    Task<int> publish(MessageQueue& queue, Message given, Duration within = patience) {
        const MonotonicTime give_up = in(within);
        for (int tries = 1;; ++tries) {
            Context context(std::min(give_up, in(std::chrono::seconds(2))));
            Message copy = given;
            const auto published = co_await queue.publish(std::move(context), std::move(copy));
            if (published) { co_return tries; }
            if (in(Duration()) > give_up) { throw std::runtime_error(published.error().message()); }
            co_await sleep(std::chrono::milliseconds(20));
        }
    }

    Task<std::unique_ptr<Consumer>> join(MessageQueue& queue, std::string group = "workers") {
        Context context(in(patience));
        auto consumer = co_await queue.join(std::move(context), std::move(group));
        if (!consumer) { throw std::runtime_error(consumer.error().message()); }
        co_return *std::move(consumer);
    }

    // Takes until there are `count`, or time is up; not acknowledged.
    Task<std::vector<Delivery>> take(Consumer& consumer, std::size_t count,
                                     Duration within = patience) {
        std::vector<Delivery> taken;
        for (const MonotonicTime give_up = in(within); taken.size() < count && in({}) < give_up;) {
            Context context(give_up);
            auto some = co_await consumer.next(std::move(context), count - taken.size());
            if (!some) {
                co_await sleep(std::chrono::milliseconds(20));
                continue;
            }
            for (Delivery& delivery : *some) { taken.push_back(std::move(delivery)); }
        }
        co_return taken;
    }

    Task<Result<void>> acknowledge(Consumer& consumer, const std::vector<Delivery>& deliveries,
                                   Duration within = patience) {
        std::vector<std::uint64_t> numbers;
        numbers.reserve(deliveries.size());
        for (const Delivery& delivery : deliveries) { numbers.push_back(delivery.number); }
        Context context(in(within));
        co_return co_await consumer.acknowledge(std::move(context), std::move(numbers));
    }

    Task<std::int64_t> unfinished(MessageQueue& queue, std::string group = "workers") {
        Context context(in(patience));
        const auto stats = co_await queue.stats(std::move(context), std::move(group));
        if (!stats) { throw std::runtime_error(stats.error().message()); }
        co_return stats->unfinished;
    }

    static Strings ids(const std::vector<Delivery>& deliveries) {
        Strings result;
        for (const Delivery& delivery : deliveries) { result.push_back(delivery.message.id); }
        return result;
    }

    static std::string variable(const char* name) {
        const char* const value = std::getenv(name);
        if (value == nullptr) { throw std::runtime_error(std::string(name) + " is not set"); }
        return value;
    }

    static void server(const std::string& script, const std::string& option = "") {
        const std::string command =
            "infra/stack/nats/" + script + " \"$RUSHPROOF_NATS_FOLDER\" " + option;
        if (std::system(command.c_str()) != 0) { throw std::runtime_error(command); }
    }
    static void signal_server(int number) {
        std::ifstream file(variable("RUSHPROOF_NATS_FOLDER") + "/pid");
        pid_t process = 0;
        file >> process;
        if (process <= 0 || ::kill(process, number) != 0) { throw std::runtime_error("no server"); }
    }

    RealTelemetry telemetry_{LogLevel::info};
    asio::io_context io_{1};
};

}  // namespace rushproof::nats
