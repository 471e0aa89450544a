#include "core/real/kafka/client.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <chrono>
#include <system_error>

namespace rushproof::kafka {

namespace {

constexpr std::uint64_t one = 1;  // what librdkafka writes into an eventfd

int make_eventfd() {
    const int file = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (file < 0) { throw std::system_error(errno, std::generic_category(), "eventfd"); }
    return file;
}

}  // namespace

MonotonicTime now() { return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()); }

std::string milliseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

Result<Configuration> configure(const std::string& brokers, const Settings& settings) {
    Settings all = {
        {"bootstrap.servers", brokers},
        {"client.id", "rushproof"},
        {"allow.auto.create.topics", "false"},
        // Back within a second of the brokers' return, however long they were away.
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"retry.backoff.ms", "50"},
        {"topic.metadata.refresh.fast.interval.ms", "100"},
        {"socket.nagle.disable", "true"},
        {"socket.timeout.ms", "10000"},
        {"log_level", "0"},  // what matters comes as an error
    };
    all.insert(all.end(), settings.begin(), settings.end());
    Configuration configuration(rd_kafka_conf_new());
    for (const auto& [name, value] : all) {
        std::array<char, 512> why{};
        if (rd_kafka_conf_set(configuration.get(), name.c_str(), value.c_str(), why.data(),
                              why.size()) != RD_KAFKA_CONF_OK) {
            return failure(ErrorKind::permanent, "not-configured",
                           "Kafka: " + std::string(why.data()));
        }
    }
    return configuration;
}

Result<rd_kafka_t*> make_client(rd_kafka_type_t type, Configuration configuration) {
    std::array<char, 512> why{};
    rd_kafka_t* const client = rd_kafka_new(type, configuration.get(), why.data(), why.size());
    if (client == nullptr) {
        return failure(ErrorKind::permanent, "not-configured", "Kafka: " + std::string(why.data()));
    }
    static_cast<void>(configuration.release());
    return client;
}

Task<void> Changes::wait(MonotonicTime deadline) {
    using Clock = std::chrono::steady_clock;
    asio::steady_timer timer(executor_, Clock::time_point(deadline.time_since_epoch()));
    // Leaves the list also when the coroutine is destroyed.
    struct Place {
        std::list<asio::steady_timer*>& list;
        std::list<asio::steady_timer*>::iterator at;
        Place(std::list<asio::steady_timer*>& waiting, asio::steady_timer* own)
            : list(waiting), at(waiting.insert(waiting.end(), own)) {}
        ~Place() { list.erase(at); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
    };
    const Place place(waiting_, &timer);
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    co_await timer.async_wait(token);
}

void Changes::tell() {
    for (asio::steady_timer* timer : waiting_) { timer->cancel(); }
}

Events::Events(const asio::any_io_executor& executor, rd_kafka_queue_t* queue)
    : queue_(queue), file_(executor, make_eventfd()) {
    rd_kafka_queue_io_event_enable(queue_, file_.native_handle(), &one, sizeof one);
}

Events::~Events() { rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0); }

void Events::start(std::function<bool()> serve) {
    serve_ = std::move(serve);
    again();  // what came before the first wait told nobody
}

void Events::again() {
    asio::post(file_.get_executor(), [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) { serve_some(); }
    });
}

void Events::wait() {
    file_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code error) {
                         if (error || alive.expired()) { return; }
                         std::uint64_t count = 0;
                         static_cast<void>(::read(file_.native_handle(), &count, sizeof count));
                         serve_some();
                     });
}

void Events::serve_some() {
    if (serve_()) {
        again();
    } else {
        wait();
    }
}

}  // namespace rushproof::kafka
