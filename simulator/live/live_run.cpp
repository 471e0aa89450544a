#include "simulator/live/live_run.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "core/real/beast/http_connection_pool.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_spawner.hpp"
#include "simulator/faults/campaign.hpp"
#include "simulator/live/clock_offset.hpp"
#include "simulator/live/live_system.hpp"
#include "simulator/live/read_database.hpp"
#include "simulator/load/audit.hpp"
#include "simulator/load/driver.hpp"
#include "simulator/load/operator.hpp"
#include "simulator/load/popularity.hpp"
#include "simulator/load/thresholds.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration stock_within = std::chrono::seconds(30);
constexpr Duration head_start = std::chrono::milliseconds(300);  // to get all threads going
constexpr Duration audit_margin = std::chrono::seconds(2);
constexpr Duration audit_within = std::chrono::seconds(120);
constexpr Duration pipeline_rest = std::chrono::seconds(2);

// Real clients behind a load balancer: each request goes to the next gateway.
class Balancer final : public HttpClient {
public:
    Balancer(const asio::any_io_executor& executor, Clock& clock,
             const std::vector<std::string>& urls) {
        for (const std::string& url : urls) {
            HttpPoolOptions options;
            options.connections_max = 256;
            pools_.push_back(std::make_unique<HttpConnectionPool>(
                executor, clock, HttpEndpoint::parse(url).value(), options));
        }
    }
    Task<Result<HttpResponse>> send(Context context, HttpRequest request) override {
        HttpConnectionPool& pool = *pools_[next_++ % pools_.size()];
        return pool.send(std::move(context), std::move(request));
    }

private:
    std::vector<std::unique_ptr<HttpConnectionPool>> pools_;
    std::size_t next_ = 0;
};

// One generator thread: an io_context, its clients and its part of the history.
struct Generator {
    Generator(const std::vector<std::string>& urls, std::uint32_t part, std::uint32_t parts)
        : clock(context.get_executor()),
          spawner(context.get_executor()),
          http(context.get_executor(), clock, urls),
          recorder(history, part, parts) {}

    // Runs `task` to its end on this thread; an exception comes out here.
    void run(Task<void> task) {
        std::exception_ptr problem;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown) {
            problem = thrown;
            context.stop();
        });
        context.restart();
        context.run();
        if (problem) { std::rethrow_exception(problem); }
    }

    asio::io_context context{1};
    RealClock clock;
    RealSpawner spawner;
    Balancer http;
    History history;
    Recorder recorder;
    std::unique_ptr<Driver> driver;
    double cpu_share = 0;
};

double thread_cpu_seconds() {
    rusage usage = {};
    ::getrusage(RUSAGE_THREAD, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct CpuTimes {
    double stolen = 0;
    double all = 0;
};
CpuTimes machine_cpu_times() {
    std::ifstream file("/proc/stat");
    std::string name;
    file >> name;
    CpuTimes times;
    double value = 0;
    for (int field = 0; field < 8 && file >> value; ++field) {
        times.all += value;
        if (field == 7) { times.stolen = value; }
    }
    return times;
}

class LiveRun {
public:
    LiveRun(const Scenario& scenario, const LiveOptions& options)
        : scenario_(scenario),
          options_(options),
          system_(scenario, options.program, options.stack, options.directory),
          campaign_(options.plan, system_, fault_history_) {
        LiveSystem::Operators operators;
        operators.begin = [this](const SwitchOrder& order) { begin_switch(order); };
        operators.evidence = [this](const std::string& id) { return switch_evidence(id); };
        system_.set_operators(std::move(operators));
    }

    LiveOutcome run() {
        if (auto started = system_.start_all(); !started) {
            outcome_.troubles.push_back(started.error().message());
            return std::move(outcome_);
        }
        for (unsigned i = 0; i < std::max(1u, options_.threads); ++i) {
            generators_.push_back(std::make_unique<Generator>(system_.gateway_urls(), i,
                                                              std::max(1u, options_.threads)));
        }
        if (set_stock()) {
            drive();
            collect();
            audit_run();
        }
        for (auto& note : system_.notes()) { outcome_.notes.push_back(std::move(note)); }
        if (auto stopped = system_.stop_all(); !stopped) {
            outcome_.troubles.push_back(stopped.error().message());
        }
        over_.set_value();
        if (nemesis_.joinable()) { nemesis_.join(); }
        if (outcome_.history.audited) {
            outcome_.disagreements =
                compare_with_database(outcome_.history, system_.read_database());
        }
        outcome_.interrupted = interrupted_;
        return std::move(outcome_);
    }

private:
    Generator& first() { return *generators_.front(); }

    bool set_stock() {
        History& history = first().history;
        history.scenario = scenario_.title;
        history.seed = options_.seed;
        history.world = "live";
        history.reservation_ttl = scenario_.system.reservation_ttl.count();
        const auto stock = initial_stock(scenario_.stock, options_.seed);
        for (const auto& [sku, units] : stock) {
            history.initial_stock.emplace_back(history.texts.intern(sku), units);
        }
        Result<void> result;
        first().run([](Generator& me, Result<void>& answer, auto units) -> Task<void> {
            answer = co_await set_initial_stock(me.clock, me.http, std::move(units),
                                                me.clock.monotonic() + stock_within);
        }(first(), result, stock));
        if (!result) {
            outcome_.troubles.push_back("the stock could not be set: " + result.error().message());
        }
        return result.has_value();
    }

    void drive() {
        start_ = first().clock.monotonic() + head_start;
        offset_ = read_clock_offset(first().clock);
        const CpuTimes before = machine_cpu_times();
        nemesis_ = std::thread([this] { carry_out_faults(); });
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < generators_.size(); ++i) {
            others.emplace_back([this, i] { generate(i); });
        }
        watch_signals();
        generate(0);
        for (std::thread& thread : others) { thread.join(); }
        load_done_ = true;
        if (!interrupted_) { wait_for_operators(); }
        load_ended_.set_value();
        healed_.get_future().wait();
        const CpuTimes after = machine_cpu_times();
        steal_share_ =
            after.all > before.all ? (after.stolen - before.stolen) / (after.all - before.all) : 0;
    }

    void generate(std::size_t index) {
        Generator& me = *generators_[index];
        DriverOptions options;
        options.seed = options_.seed;
        options.share = LoadShare{static_cast<std::uint32_t>(index),
                                  static_cast<std::uint32_t>(generators_.size())};
        options.start = start_;
        me.driver = std::make_unique<Driver>(
            scenario_, options, ClientWorld{me.clock, me.spawner, me.http}, me.recorder);
        const double cpu_before = thread_cpu_seconds();
        const auto began = std::chrono::steady_clock::now();
        me.run(me.driver->run());
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
        me.cpu_share = (thread_cpu_seconds() - cpu_before) / elapsed.count();
    }

    // From the thread of the faults: an operator goes to work on the first generator's thread.
    void begin_switch(const SwitchOrder& order) {
        SwitchTask task;
        task.id = order.id;
        task.to = order.to;
        task.start = start_;
        task.deadline = RealClock(asio::any_io_executor()).monotonic() + order.deadline;
        ++switches_begun_;
        asio::co_spawn(
            first().context,
            [](LiveRun& run, SwitchTask its) -> Task<void> {
                Generator& me = run.first();
                QueueSwitch change = co_await switch_queue(me.clock, me.http, std::move(its));
                const std::lock_guard lock(run.switches_mutex_);
                run.switches_.push_back(std::move(change));
            }(*this, std::move(task)),
            asio::detached);
    }

    std::string switch_evidence(const std::string& id) {
        const std::lock_guard lock(switches_mutex_);
        for (const QueueSwitch& change : switches_) {
            if (change.id == id) { return evidence_of(change); }
        }
        return {};
    }

    // Those that were not told yet.
    void end_switches(std::int64_t now) {
        std::vector<std::string> ids;
        {
            const std::lock_guard lock(switches_mutex_);
            for (; switches_told_ < switches_.size(); ++switches_told_) {
                ids.push_back(switches_[switches_told_].id);
            }
        }
        for (const std::string& id : ids) { campaign_.end(id, now); }
    }

    // The first generator's thread runs on until every operator has done.
    void wait_for_operators() {
        first().run([](LiveRun& run) -> Task<void> {
            Clock& clock = run.first().clock;
            while (run.count_switches() < run.switches_begun_) {
                co_await sleep_for(clock, std::chrono::milliseconds(20));
            }
        }(*this));
    }
    std::size_t count_switches() {
        const std::lock_guard lock(switches_mutex_);
        return switches_.size();
    }

    // Ctrl-C ends the load at once; everything that follows (healing, stopping) still happens.
    void watch_signals() {
        signals_ = std::make_unique<asio::signal_set>(first().context, SIGINT, SIGTERM);
        signals_->async_wait([this](boost::system::error_code error, int) {
            if (error) { return; }
            interrupted_ = true;
            for (auto& generator : generators_) { generator->context.stop(); }
        });
    }

    // On a thread of its own, so that waiting for a process never makes the load late.
    void carry_out_faults() {
        const auto now = [this] {
            return (RealClock(asio::any_io_executor()).monotonic() - start_).count();
        };
        for (const auto& moment : campaign_.moments()) {
            while (now() < moment.at.count() && !load_done_ && !interrupted_) {
                const auto left = std::min<Duration>(Duration(moment.at.count() - now()),
                                                     std::chrono::milliseconds(20));
                std::this_thread::sleep_for(std::max(left, Duration(0)));
                end_switches(now());
            }
            if (load_done_ || interrupted_) { break; }
            moment.begins ? campaign_.begin(moment.fault, now())
                          : campaign_.end(moment.fault, now());
        }
        if (switches_begun_ > 0) { load_ended_.get_future().wait(); }
        end_switches(now());
        campaign_.heal_all(now());
        healed_.set_value();
        // A process dies with the thread that started it: stay until the run is over.
        over_.get_future().wait();
    }

    void collect() {
        signals_.reset();
        std::vector<History> parts;
        double cpu_share_max = 0;
        for (auto& generator : generators_) {
            outcome_.load.merge(generator->driver->metrics());
            cpu_share_max = std::max(cpu_share_max, generator->cpu_share);
            parts.push_back(std::move(generator->history));
        }
        outcome_.history = merge_histories(std::move(parts));
        outcome_.history.faults = std::move(fault_history_.faults);
        outcome_.history.switches = std::move(switches_);
        outcome_.faults = campaign_.records();
        const GeneratorHealth health{cpu_share_max, steal_share_};
        outcome_.doubts =
            generator_doubts(scenario_, options_.seed, outcome_.load, outcome_.faults, health);
    }

    void audit_run() {
        if (interrupted_) { return; }
        AuditOptions audit;
        for (const auto& [sku, units] : outcome_.history.initial_stock) {
            audit.skus.push_back(outcome_.history.texts.text(sku));
        }
        audit.start = start_;
        audit.wall_start = offset_.wall(start_);
        audit.quiet_from = first().clock.monotonic() + scenario_.system.reservation_ttl +
                           scenario_.system.sweep_interval + audit_margin;
        audit.deadline = audit.quiet_from + audit_within;
        audit.pipeline = !scenario_.system.queue.empty();
        audit.pipeline_rest = pipeline_rest;
        audit.parts = scenario_.system.queue_options.providers;
        Result<void> result;
        first().run([](Generator& me, AuditOptions what, History& history,
                       const ClockOffset& before, Result<void>& answer) -> Task<void> {
            co_await sleep_until(me.clock, what.quiet_from);
            history.clock_bound = clock_bound(before, read_clock_offset(me.clock)).count();
            answer = co_await simulator::audit(me.clock, me.http, std::move(what), history);
        }(first(), std::move(audit), outcome_.history, offset_, result));
        if (!result) {
            outcome_.troubles.push_back("the audit failed: " + result.error().message());
        }
    }

    const Scenario& scenario_;
    const LiveOptions& options_;
    LiveOutcome outcome_;
    LiveSystem system_;
    History fault_history_;
    Campaign campaign_;
    std::vector<std::unique_ptr<Generator>> generators_;
    std::unique_ptr<asio::signal_set> signals_;
    MonotonicTime start_;
    ClockOffset offset_;  // at the start
    std::thread nemesis_;
    std::promise<void> healed_;
    std::promise<void> over_;
    std::promise<void> load_ended_;
    std::mutex switches_mutex_;
    std::vector<QueueSwitch> switches_;  // that have ended
    std::size_t switches_told_ = 0;      // ... and whose faults, too
    std::atomic<std::size_t> switches_begun_ = 0;
    std::atomic<bool> load_done_ = false;
    std::atomic<bool> interrupted_ = false;
    double steal_share_ = 0;
};

}  // namespace

LiveOutcome run_live(const Scenario& scenario, const LiveOptions& options) {
    return LiveRun(scenario, options).run();
}

}  // namespace rushproof::simulator
