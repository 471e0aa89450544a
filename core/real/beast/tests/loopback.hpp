// What the tests of this folder share: one io_context that the test itself drives, a clock that it
// moves by hand, and raw sockets on loopback.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/append.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "core/ports/clock.hpp"
#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof {

using asio::ip::tcp;

// Time passes only in advance().
class ManualClock final : public Clock {
public:
    explicit ManualClock(asio::io_context& context) : context_(context) {}

    MonotonicTime monotonic() const override { return now_; }
    WallTime wall() const override {
        return WallTime(std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch()));
    }
    void wait_until(MonotonicTime at, WaitHandler handler) override {
        const auto key = std::make_pair(at, next_++);
        auto slot = asio::get_associated_cancellation_slot(handler);
        waits_.emplace(key, std::move(handler));
        if (!slot.is_connected()) { return; }
        slot.assign([this, key](asio::cancellation_type) {
            if (auto wait = waits_.extract(key)) {
                complete(std::move(wait.mapped()), asio::error::operation_aborted);
            }
        });
    }
    void advance(Duration duration) {
        now_ += duration;
        while (!waits_.empty() && waits_.begin()->first.first <= now_) {
            auto wait = waits_.extract(waits_.begin());
            complete(std::move(wait.mapped()), {});
        }
    }

private:
    void complete(WaitHandler handler, boost::system::error_code error) {
        asio::post(context_, asio::append(std::move(handler), error));
    }

    asio::io_context& context_;
    MonotonicTime now_{std::chrono::hours(1)};
    std::uint64_t next_ = 0;
    std::map<std::pair<MonotonicTime, std::uint64_t>, WaitHandler> waits_;
};

class Loopback : public testing::Test {
protected:
    // Runs what can run until `done`; gives up, and fails the test, after ten real seconds.
    void pump(const std::function<bool()>& done) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done()) {
            context.restart();
            if (context.poll() == 0) { std::this_thread::yield(); }
            ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing happened";
        }
    }
    // Moves the clock in small steps, as the server's watch looks now and then.
    void pass(Duration duration) {
        for (int step = 0; step < 20; ++step) {
            clock.advance(duration / 20);
            settle();
        }
    }
    // Runs what can run now.
    void settle() {
        context.restart();
        while (context.poll() > 0) { context.restart(); }
    }
    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr failed, T value) {
            if (failed) { std::rethrow_exception(failed); }
            result.emplace(std::move(value));
        });
        pump([&] { return result.has_value(); });
        return std::move(result).value();
    }
    void run(Task<void> task) {
        bool ended = false;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr failed) {
            if (failed) { std::rethrow_exception(failed); }
            ended = true;
        });
        pump([&] { return ended; });
    }
    Context context_for(Duration duration = std::chrono::seconds(5)) const {
        return Context(clock.monotonic() + duration);
    }

    asio::io_context context{1};
    ManualClock clock{context};
    RealTelemetry telemetry{LogLevel::error};
};

// A client that sends exactly what it is told.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) {
        socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
        socket.set_option(tcp::no_delay(true));
        socket.non_blocking(true);
    }

    void send(std::string_view bytes) {
        socket.non_blocking(false);
        asio::write(socket, asio::buffer(bytes));
        socket.non_blocking(true);
    }
    // Reads what is there into `received`; notes the end of the stream.
    void look() {
        char buffer[4096];
        boost::system::error_code error;
        while (!error) {
            const std::size_t count = socket.read_some(asio::buffer(buffer), error);
            received.append(buffer, count);
        }
        if (error == asio::error::eof) { closed = true; }
        if (error == asio::error::connection_reset) { reset = true; }
    }
    bool has(std::string_view text) {
        look();
        return received.find(text) != std::string::npos;
    }
    bool ended() {
        look();
        return closed || reset;
    }
    std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (auto at = received.find(text); at != received.npos; at = received.find(text, at + 1)) {
            ++found;
        }
        return found;
    }

    asio::io_context context{1};
    tcp::socket socket{context};
    std::string received;
    bool closed = false;
    bool reset = false;
};

}  // namespace rushproof
