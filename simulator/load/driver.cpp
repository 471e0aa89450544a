#include "simulator/load/driver.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/runtime/scope.hpp"
#include "simulator/load/buyer.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration pause_min = std::chrono::milliseconds(1);

const Journey& find_journey(const Scenario& scenario, const std::string& name) {
    const auto found = std::find_if(scenario.journeys.begin(), scenario.journeys.end(),
                                    [&](const Journey& journey) { return journey.name == name; });
    if (found == scenario.journeys.end()) {
        throw std::invalid_argument("no journey is named " + name);
    }
    return *found;
}

}  // namespace

class Driver::Implementation {
public:
    Implementation(const Scenario& scenario, DriverOptions options, ClientWorld world,
                   Recorder& recorder)
        : scenario_(scenario),
          options_(options),
          shop_{.clock = world.clock,
                .client = ReservationClient(world.http),
                .pipeline = PipelineClient(world.http),
                .recorder = recorder,
                .metrics = metrics_,
                .seed = options.seed,
                .start = options.start,
                .stop = options.start + scenario.duration,
                .hard_stop = options.start + scenario.duration + options.finish_within},
          users_(world.spawner) {
        const std::vector<std::string> skus = sku_names(scenario.stock);
        for (const Load& load : scenario.loads) {
            const Popularity& popularity = load.popularity ? *load.popularity : scenario.popularity;
            RunningLoad running{
                LoadPlan{.load = load,
                         .journey = find_journey(scenario, load.journey),
                         .popular = PopularSku(popularity, skus, options.seed),
                         .draws = BuyerDraws(options.seed, load.name),
                         .index = static_cast<std::uint16_t>(metrics_.loads.size())}};
            loads_.push_back(std::move(running));
            metrics_.loads.push_back(load.name);
        }
    }

    Task<void> run() {
        for (RunningLoad& running : loads_) {
            if (running.plan.load.executor != Executor::constant_vus) {
                users_.start("load", release_arrivals(running));
                continue;
            }
            const auto users = static_cast<std::uint64_t>(running.plan.load.vus);
            for (std::uint64_t user = options_.share.part; user < users;
                 user += options_.share.parts) {
                users_.start("user", visit_again_and_again(running.plan, user));
            }
        }
        co_await users_.join();
    }

    const LoadMetrics& metrics() const { return metrics_; }

private:
    struct RunningLoad {
        LoadPlan plan;
        std::int64_t in_flight = 0;
    };

    // One timer for the load: whenever it fires, all arrivals whose time has come are released.
    Task<void> release_arrivals(RunningLoad& running) {
        const Load& load = running.plan.load;
        const std::int64_t parts = options_.share.parts;
        const std::int64_t in_flight_max = (load.max_in_flight + parts - 1) / parts;
        ArrivalSchedule schedule(load, scenario_.duration, options_.seed, options_.share);
        while (const auto arrival = schedule.next()) {
            if (arrival->at > shop_.now()) {
                co_await sleep_until(shop_.clock, shop_.start + Duration(arrival->at));
            }
            ArrivalSample sample;
            sample.intended = arrival->at;
            sample.load = running.plan.index;
            sample.shed =
                running.in_flight >= in_flight_max || shop_.clock.monotonic() >= shop_.stop;
            metrics_.arrivals.push_back(sample);
            if (sample.shed) { continue; }
            ++running.in_flight;
            users_.start("buyer", visit_once(running, *arrival));
        }
    }

    Task<void> visit_once(RunningLoad& running, Arrival arrival) {
        Visitor visitor;
        visitor.number = arrival.number;
        Buyer buyer(shop_, running.plan, visitor);
        co_await buyer.walk(arrival.at);
        --running.in_flight;
    }

    Task<void> visit_again_and_again(const LoadPlan& plan, std::uint64_t user) {
        const MonotonicTime begin = shop_.start + plan.load.start_time;
        MonotonicTime end = shop_.stop;
        if (plan.load.duration) { end = std::min(end, begin + *plan.load.duration); }
        if (begin > shop_.clock.monotonic()) { co_await sleep_until(shop_.clock, begin); }
        Visitor visitor;
        visitor.number = user;
        for (std::uint64_t visit = 0; shop_.clock.monotonic() < end; ++visit) {
            visitor.visit = visit;
            const std::int64_t began = shop_.now();
            Buyer buyer(shop_, plan, visitor);
            co_await buyer.walk(began);
            // Whoever was turned away at once would otherwise come back at once, for ever.
            const bool in_vain = buyer.had_trouble() || shop_.now() == began;
            const Duration pause = std::max(plan.journey.retry.base, pause_min);
            if (in_vain) { co_await sleep_for(shop_.clock, pause); }
        }
    }

    const Scenario& scenario_;
    DriverOptions options_;
    LoadMetrics metrics_;
    Shop shop_;
    std::vector<RunningLoad> loads_;
    Scope users_;
};

Driver::Driver(const Scenario& scenario, DriverOptions options, ClientWorld world,
               Recorder& recorder)
    : implementation_(std::make_unique<Implementation>(scenario, options, world, recorder)) {}

Driver::~Driver() = default;

Task<void> Driver::run() { return implementation_->run(); }

const LoadMetrics& Driver::metrics() const { return implementation_->metrics(); }

}  // namespace rushproof::simulator
