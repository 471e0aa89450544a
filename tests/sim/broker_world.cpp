#include "tests/sim/broker_world.hpp"

#include <algorithm>

namespace rushproof::simulator {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration trouble_ends = seconds(30);
constexpr Duration gives_up = seconds(240);
constexpr int troubles = 6;

std::string id_of(const std::string& key, int number) { return key + ":" + std::to_string(number); }

}  // namespace

std::vector<std::string> BrokerOutcome::wrongs() const {
    std::vector<std::string> wrongs;
    for (const std::string& id : accepted) {
        if (!deliveries.contains(id)) { wrongs.push_back("accepted and never delivered: " + id); }
    }
    for (const auto& [id, count] : deliveries) {
        if (!tried.contains(id)) { wrongs.push_back("delivered and never published: " + id); }
    }
    for (const auto& [key, ids] : firsts) {
        for (std::size_t i = 1; i < ids.size(); ++i) {
            const auto number = [&](std::size_t at) {
                return std::stoi(ids[at].substr(ids[at].find(':') + 1));
            };
            if (number(i) < number(i - 1)) {
                wrongs.push_back(ids[i] + " was first delivered after " + ids[i - 1]);
            }
        }
    }
    return wrongs;
}

BrokerWorld::BrokerWorld(std::string broker, std::uint64_t seed, BrokerOptions options)
    : broker_(std::move(broker)),
      scheduler_(SchedulerOptions{.seed = seed}, trace_, tape_),
      network_(scheduler_),
      brokers_(network_, options),
      draws_(keyed_stream(seed, "broker-trouble")) {
    brokers_.add(scheduler_.add_machine(broker_));
    for (int i = 0; i < publishers; ++i) {
        Machine& machine = scheduler_.add_machine("publisher/" + std::to_string(i));
        publishers_.push_back(std::make_unique<Process>(machine, network_, brokers_));
    }
    for (int i = 0; i < consumers; ++i) {
        consumer_machines_.push_back(&scheduler_.add_machine("consumer/" + std::to_string(i)));
        consumers_.emplace_back();
    }
}

BrokerWorld::~BrokerWorld() {
    publishers_.clear();
    consumers_.clear();
    brokers_.destroy_processes();
}

BrokerOutcome BrokerWorld::run() {
    for (int i = 0; i < publishers; ++i) {
        Process& process = *publishers_[static_cast<std::size_t>(i)];
        ++publishing_;
        process.host.spawn("publish", jobs() ? put(process, i) : publish(process, i));
    }
    for (std::size_t i = 0; i < consumers_.size(); ++i) { start_consumer(i); }
    plan_trouble();
    const auto done = [this] {
        return publishing_ == 0 && healed_ &&
               std::all_of(outcome_.accepted.begin(), outcome_.accepted.end(),
                           [this](const auto& id) { return outcome_.deliveries.contains(id); });
    };
    while (!done() && scheduler_.now() < gives_up) {
        scheduler_.run_until(scheduler_.now() + milliseconds(500));
    }
    outcome_.hash = trace_.summary().hash;
    outcome_.steps = scheduler_.steps();
    return outcome_;
}

void BrokerWorld::delivered(const std::string& key, const std::string& id) {
    if (++outcome_.deliveries[id] == 1) { outcome_.firsts[key].push_back(id); }
}

// ---- publishers ----

Task<void> BrokerWorld::publish(Process& process, int publisher) {
    Clock& clock = process.host.clock();
    for (;;) {
        const Context context(clock.monotonic() + seconds(1));
        const auto queue = co_await process.queues.open(context, broker_, "messages");
        if (queue) {
            for (int key = 0; key < keys; ++key) {
                ++publishing_;
                std::string name = "key-" + std::to_string(publisher) + "-" + std::to_string(key);
                process.host.spawn("publish key", publish_key(process, *queue, std::move(name)));
            }
            break;
        }
        co_await sleep_for(clock, milliseconds(100));
    }
    --publishing_;
}

Task<void> BrokerWorld::publish_key(Process& process, std::shared_ptr<MessageQueue> queue,
                                    std::string key) {
    Clock& clock = process.host.clock();
    for (int number = 0; number < each; ++number) {
        Message message;
        message.id = id_of(key, number);
        message.key = key;
        message.body = "body of " + message.id;
        outcome_.tried.insert(message.id);
        for (;;) {
            const Context context(clock.monotonic() + seconds(1));
            const auto published = co_await queue->publish(context, message);
            if (published) { break; }
            co_await sleep_for(clock, milliseconds(50));
        }
        outcome_.accepted.insert(message.id);
        const Duration pause = milliseconds(process.host.random().next() % 6'000);
        co_await sleep_for(clock, pause);
    }
    --publishing_;
}

Task<void> BrokerWorld::put(Process& process, int publisher) {
    Clock& clock = process.host.clock();
    std::shared_ptr<JobQueue> queue;
    while (!queue) {
        const Context context(clock.monotonic() + seconds(1));
        const auto opened = co_await process.queues.open_jobs(context, "jobs");
        if (opened) {
            queue = *opened;
        } else {
            co_await sleep_for(clock, milliseconds(100));
        }
    }
    for (int number = 0; number < each * keys; ++number) {
        rushproof::Job job;
        job.id = id_of("job-" + std::to_string(publisher), number);
        job.body = "body of " + job.id;
        outcome_.tried.insert(job.id);
        for (;;) {
            const Context context(clock.monotonic() + seconds(1));
            const auto accepted = co_await queue->put(context, job);
            if (accepted) { break; }
            co_await sleep_for(clock, milliseconds(50));
        }
        outcome_.accepted.insert(job.id);
        const Duration pause = milliseconds(process.host.random().next() % 1'500);
        co_await sleep_for(clock, pause);
    }
    --publishing_;
}

// ---- consumers ----

void BrokerWorld::start_consumer(std::size_t index) {
    consumers_[index] = std::make_unique<Process>(*consumer_machines_[index], network_, brokers_);
    Process& process = *consumers_[index];
    process.host.spawn("consume", jobs() ? work(process) : consume(process));
}

Task<void> BrokerWorld::consume(Process& process) {
    Clock& clock = process.host.clock();
    std::shared_ptr<MessageQueue> queue;
    std::unique_ptr<Consumer> consumer;
    while (!consumer) {
        const Context context(clock.monotonic() + seconds(1));
        if (!queue) {
            const auto opened = co_await process.queues.open(context, broker_, "messages");
            if (opened) { queue = *opened; }
        } else if (auto joined = co_await queue->join(context, "workers"); joined) {
            consumer = std::move(*joined);
        }
        if (!consumer) { co_await sleep_for(clock, milliseconds(20)); }
    }
    for (;;) {
        const Context context(clock.monotonic() + seconds(1));
        const auto next = co_await consumer->next(context, 5);
        if (!next) {
            co_await sleep_for(clock, milliseconds(50));
            continue;
        }
        std::vector<std::uint64_t> numbers;
        for (const Delivery& delivery : *next) {
            delivered(delivery.message.key, delivery.message.id);
            numbers.push_back(delivery.number);
            const Duration effect = milliseconds(process.host.random().next() % 20);
            co_await sleep_for(clock, effect);
        }
        if (numbers.empty()) { continue; }
        const Context after(clock.monotonic() + seconds(1));
        const auto acknowledged = co_await consumer->acknowledge(after, std::move(numbers));
        static_cast<void>(acknowledged);  // what was not is delivered again
    }
}

Task<void> BrokerWorld::work(Process& process) {
    Clock& clock = process.host.clock();
    std::shared_ptr<JobQueue> queue;
    for (;;) {
        const Context context(clock.monotonic() + seconds(1));
        if (!queue) {
            const auto opened = co_await process.queues.open_jobs(context, "jobs");
            if (opened) { queue = *opened; }
        } else if (const auto taken = co_await queue->take(context); taken && *taken) {
            const JobDelivery& delivery = **taken;
            const Duration effect = milliseconds(process.host.random().next() % 20);
            co_await sleep_for(clock, effect);
            const Context after(clock.monotonic() + seconds(1));
            const bool fails = delivery.attempt == 1 && process.host.random().next() % 4 == 0;
            if (fails) {
                const auto failed = co_await queue->failed(after, delivery.number, "it would not");
                static_cast<void>(failed);
            } else {
                // A job has no order to keep.
                delivered(delivery.job.id, delivery.job.id);
                const auto done = co_await queue->done(after, delivery.number);
                static_cast<void>(done);
            }
            continue;
        }
        co_await sleep_for(clock, milliseconds(20));
    }
}

// ---- trouble ----

void BrokerWorld::later(Duration after, std::function<void()> call) {
    scheduler_.at(scheduler_.now() + after, std::move(call));
}

void BrokerWorld::plan_trouble() {
    for (int number = 0; number < troubles; ++number) {
        const Duration at = draws_.between(milliseconds(500), trouble_ends - seconds(8));
        later(at, [this, number] { trouble(number); });
    }
    later(trouble_ends, [this] { heal(); });
}

void BrokerWorld::trouble(int number) {
    BrokerServer& server = *brokers_.find(broker_);
    const std::string id = "trouble-" + std::to_string(number);
    const std::uint64_t kind = draws_.below(7);
    const Duration length = draws_.between(milliseconds(100), seconds(7));
    const std::size_t victim = draws_.below(consumers);
    std::string evidence = "some";
    switch (kind) {
        case 0:
            evidence = Brokers::kill(server);
            later(length / 4, [&server] { Brokers::start(server); });
            break;
        case 1:
        case 2: {
            LinkFault fault;
            fault.id = id;
            fault.hold = true;
            const std::string other =
                kind == 1 ? "consumer/" + std::to_string(victim) : "publisher/0";
            fault.links = {{other, broker_}, {broker_, other}};
            network_.inject(std::move(fault));
            links_.insert(id);
            later(length, [this, id] {
                if (links_.erase(id) > 0) { network_.lift(id); }
            });
            break;
        }
        case 3:
            consumers_[victim].reset();
            later(length / 2, [this, victim] {
                if (!consumers_[victim]) { start_consumer(victim); }
            });
            break;
        case 4: {
            if (!consumers_[victim]) { break; }
            consumers_[victim]->host.pause();
            later(length, [this, victim] {
                if (consumers_[victim]) { consumers_[victim]->host.resume(); }
            });
            break;
        }
        case 5:
            if (server.up()) { server.redeliver(); }
            break;
        default:
            server.begin_election();
            server.drop_acks(id, 300'000);
            later(length / 4, [&server, id] {
                server.end_election();
                server.heal_acks(id);
            });
            break;
    }
    if (!evidence.empty()) { ++outcome_.troubles; }
}

void BrokerWorld::heal() {
    BrokerServer& server = *brokers_.find(broker_);
    for (const std::string& id : links_) { network_.lift(id); }
    links_.clear();
    server.end_election();
    for (int number = 0; number < troubles; ++number) {
        server.heal_acks("trouble-" + std::to_string(number));
    }
    Brokers::start(server);
    for (std::size_t i = 0; i < consumers_.size(); ++i) {
        if (!consumers_[i]) { start_consumer(i); }
        if (consumers_[i]->host.paused()) { consumers_[i]->host.resume(); }
    }
    healed_ = true;
}

}  // namespace rushproof::simulator
