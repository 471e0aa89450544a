// Goal: what is not configured, unknown or not reachable is said with the port's own words.
// Method: no broker at all.
#include "core/real/queues/real_queues.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

namespace rushproof {
namespace {

class QuietTelemetry final : public Telemetry {
public:
    Counter& counter(std::string_view, std::string_view, Labels) override { return instrument_; }
    Gauge& gauge(std::string_view, std::string_view, Labels) override { return instrument_; }
    Distribution& duration(std::string_view, std::string_view, Labels) override {
        return instrument_;
    }
    void log(LogLevel, std::string_view, LogFields) override {}

private:
    struct Instrument final : Counter, Gauge, Distribution {
        void add(std::uint64_t) override {}
        void set(double) override {}
        void observe(double) override {}
    };
    Instrument instrument_;
};

class RealQueuesTest : public testing::Test {
protected:
    static Context soon() {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return Context(MonotonicTime(now) + std::chrono::milliseconds(200));
    }
    std::string open(const QueuesOptions& options, const char* provider) {
        std::string code;
        auto ask = [&]() -> Task<void> {
            RealQueues queues(io_.get_executor(), options, telemetry_);
            const auto opened = co_await queues.open(soon(), provider, "messages");
            code = opened ? "ok" : opened.error().code();
        };
        asio::co_spawn(io_, ask(), [](const std::exception_ptr&) {});
        io_.restart();
        io_.run();
        return code;
    }
    std::string open_jobs(const QueuesOptions& options) {
        std::string code;
        auto ask = [&]() -> Task<void> {
            RealQueues queues(io_.get_executor(), options, telemetry_);
            const auto opened = co_await queues.open_jobs(soon(), "mail");
            const auto again = co_await queues.open_jobs(soon(), "mail");
            code = !opened ? opened.error().code() : *opened == *again ? "shared" : "another";
        };
        asio::co_spawn(io_, ask(), [](const std::exception_ptr&) {});
        io_.restart();
        io_.run();
        return code;
    }

    QuietTelemetry telemetry_;
    asio::io_context io_{1};
};

TEST_F(RealQueuesTest, SaysWhatItCannotOpen) {
    QueuesOptions options;
    EXPECT_EQ(open(options, "nats"), "not-configured");
    EXPECT_EQ(open(options, "carrier-pigeon"), "unknown-provider");
    EXPECT_EQ(open_jobs(options), "not-configured");
    options.nats.emplace();
    options.nats->url = "nats://127.0.0.1:1";
    EXPECT_EQ(open(options, "nats"), "unavailable");
    EXPECT_EQ(open(options, "kafka"), "not-configured");
    options.kafka.emplace();
    options.kafka->brokers = "127.0.0.1:1";
    options.kafka->topic = "diplom-messages";
    EXPECT_EQ(open(options, "kafka"), "unavailable");
    options.nats->url = "http://127.0.0.1";
    EXPECT_EQ(open(options, "nats"), "malformed");
}

TEST_F(RealQueuesTest, SharesWhatIsOpen) {
    QueuesOptions options;
    options.rabbitmq.emplace();
    options.rabbitmq->url = "amqp://127.0.0.1:1";
    EXPECT_EQ(open_jobs(options), "shared");
}

}  // namespace
}  // namespace rushproof
