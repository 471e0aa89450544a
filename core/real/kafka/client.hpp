// What producer and consumer share: librdkafka's handles, and its events on an executor.
#pragma once
#include <librdkafka/rdkafka.h>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/task.hpp"

namespace rushproof::kafka {

template <auto function>
struct Destroy {
    template <class T>
    void operator()(T* object) const {
        function(object);
    }
};
using Settings = std::vector<std::pair<std::string, std::string>>;
using Configuration = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroy<rd_kafka_topic_partition_list_destroy>>;

MonotonicTime now();

// Settings that every client has, and these.  Error: permanent "not-configured".
Result<Configuration> configure(const std::string& brokers, const Settings& settings);
// Destroying the handle waits for librdkafka's threads: that is what
// Reaper is for.
Result<rd_kafka_t*> make_client(rd_kafka_type_t type, Configuration configuration);

std::string milliseconds(Duration duration);

// Threads for what blocks: ending clients, asking brokers.
class Reaper {
public:
    explicit Reaper(std::size_t threads) : pool_(threads) {}
    ~Reaper() { pool_.join(); }
    Reaper(const Reaper&) = delete;
    Reaper& operator=(const Reaper&) = delete;

    void post(std::function<void()> work) { asio::post(pool_, std::move(work)); }

    // Resumes the caller on its own executor with what `work` returned.
    template <class T>
    Task<T> run(std::function<T()> work) {
        auto initiate = [this](auto handler, std::function<T()> given) {
            auto executor = asio::prefer(asio::get_associated_executor(handler),
                                         asio::execution::outstanding_work.tracked);
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            post([executor, shared, given = std::move(given)] {
                auto answer = std::make_shared<T>(given());
                asio::post(executor, [shared, answer] { std::move (*shared)(std::move(*answer)); });
            });
        };
        return asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
            std::move(initiate), asio::use_awaitable, std::move(work));
    }

private:
    asio::thread_pool pool_;
};

// Where coroutines of one executor wait for a change.
class Changes {
public:
    explicit Changes(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    // Until tell() or the deadline.
    Task<void> wait(MonotonicTime deadline);
    void tell();

private:
    asio::any_io_executor executor_;
    std::list<asio::steady_timer*> waiting_;
};

// Calls `serve` on an executor whenever there is something in a client's queue, and as often again
// as it returns true.
class Events {
public:
    Events(const asio::any_io_executor& executor, rd_kafka_queue_t* queue);
    ~Events();
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    void start(std::function<bool()> serve);

private:
    void again();
    void wait();
    void serve_some();

    rd_kafka_queue_t* queue_;
    asio::posix::stream_descriptor file_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // seen by handlers that come late
    std::function<bool()> serve_;
};

}  // namespace rushproof::kafka
