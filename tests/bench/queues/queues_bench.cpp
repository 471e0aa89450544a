// Messages a second through NatsQueue, beside NATS's own C library doing the same work, in turns:
//   infra/stack/stack run nats -- build/release/tests/bench/queues/queues_bench
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "core/real/nats/nats_queue.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "tests/bench/queues/raw_nats.hpp"

namespace rushproof::bench {
namespace {

constexpr int messages = 20'000;
constexpr int turns = 3;
const std::string body(256, 'x');

MonotonicTime in(Duration time) {
    return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()) + time;
}
Context patient() { return Context(in(std::chrono::seconds(60))); }

[[noreturn]] void fail(const Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.code().c_str(), error.message().c_str());
    std::exit(1);
}

struct Run {
    std::shared_ptr<MessageQueue> queue;
    int left = messages;
    int unsettled = messages;
    int publishers = 0;
    Seconds taken{};
};

Task<void> publish(Run& run) {
    while (run.left > 0) {
        const int number = --run.left;
        Message message;
        message.id = std::to_string(number);
        message.key = "SKU-" + std::to_string(number % 100);
        message.body = body;
        Context context = patient();
        const auto done = co_await run.queue->publish(std::move(context), std::move(message));
        if (!done) { fail(done.error()); }
    }
    --run.publishers;
}

Task<void> consume(Run& run, std::unique_ptr<Consumer> consumer) {
    while (run.unsettled > 0) {
        Context context = patient();
        const auto taken = co_await consumer->next(context, 256);
        if (!taken) { fail(taken.error()); }
        std::vector<std::uint64_t> numbers;
        for (const Delivery& delivery : *taken) { numbers.push_back(delivery.number); }
        const auto done = co_await consumer->acknowledge(context, std::move(numbers));
        if (!done) { fail(done.error()); }
        run.unsettled -= static_cast<int>(taken->size());
    }
}

// Runs until the publishers, and with `pass` the consumer, are done.
Seconds ours(const NatsOptions& options, int at_once, bool pass, const std::string& topic) {
    RealTelemetry telemetry(LogLevel::error);
    asio::io_context io(1);
    Run run;
    std::unique_ptr<Consumer> consumer;
    const auto connection = NatsConnection::start(io.get_executor(), options, telemetry);
    if (!connection) { fail(connection.error()); }
    bool ready = false;
    auto prepare = [&]() -> Task<void> {
        Context context = patient();
        std::string name = topic;
        auto opened = co_await connection->open(context, std::move(name));
        if (!opened) { fail(opened.error()); }
        run.queue = *std::move(opened);
        if (pass) {
            auto joined = co_await run.queue->join(context, "bench");
            if (!joined) { fail(joined.error()); }
            consumer = *std::move(joined);
        }
        ready = true;
    };
    asio::co_spawn(io, prepare(), asio::detached);
    while (!ready) { io.run_one(); }
    const auto began = std::chrono::steady_clock::now();
    run.publishers = at_once;
    for (int publisher = 0; publisher < at_once; ++publisher) {
        asio::co_spawn(io, publish(run), asio::detached);
    }
    if (pass) { asio::co_spawn(io, consume(run, std::move(consumer)), asio::detached); }
    while (run.publishers > 0 || (pass && run.unsettled > 0)) { io.run_one(); }
    return std::chrono::steady_clock::now() - began;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void compare(const NatsOptions& options, const char* what, int at_once, bool pass) {
    std::vector<double> we;
    std::vector<double> they;
    for (int turn = 0; turn < turns; ++turn) {
        const std::string topic = std::string(pass ? "pass" : "publish") + "-" +
                                  std::to_string(at_once) + "-" + std::to_string(turn);
        we.push_back(messages / ours(options, at_once, pass, topic).count());
        const Seconds raw = pass ? raw_pass(options.url, messages, at_once, body)
                                 : raw_publish(options.url, messages, at_once, body);
        they.push_back(messages / raw.count());
    }
    std::printf("%-30s %3d at once: %8.0f/s  libnats %8.0f/s  ratio %.2f\n", what, at_once,
                median(we), median(they), median(we) / median(they));
}

int run_all() {
    const char* url = std::getenv("RUSHPROOF_NATS_URL");
    if (url == nullptr) {
        std::fprintf(stderr, "no RUSHPROOF_NATS_URL. Remedy: infra/stack/stack run nats -- ...\n");
        return 77;
    }
    NatsOptions options;
    options.url = url;
    options.bytes_max = 64 << 20;
    for (const int at_once : {10, 64}) { compare(options, "publish", at_once, false); }
    for (const int at_once : {10, 64}) {
        compare(options, "publish, consume, acknowledge", at_once, true);
    }
    return 0;
}

}  // namespace
}  // namespace rushproof::bench

int main() { return rushproof::bench::run_all(); }
