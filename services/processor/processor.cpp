#include "services/processor/processor.hpp"

#include <stdexcept>
#include <utility>

#include "core/runtime/deadline.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/sweeper.hpp"
#include "services/processor/api/http.hpp"
#include "services/processor/api/rpc.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

class Processor final : public Service {
public:
    Processor(Environment& environment, Options options)
        : environment_(environment),
          options_(std::move(options)),
          calls_scope_(environment.spawner),
          scope_(environment.spawner),
          waiters_(environment),
          messages_(environment, waiters_, options_.mutant),
          effects_(environment, options_,
                   [this](const std::vector<Work>& batch) {
                       if (waiters_.empty()) { return; }
                       for (const Work& work : batch) { waiters_.tell(work.id); }
                   }),
          divergences_(environment),
          pool_(environment, effects_, options_),
          routing_(environment, options_, pool_, divergences_),
          api_(environment, calls_scope_, {routing_, pool_, effects_, messages_, divergences_},
               options_.instances),
          http_api_(environment, calls_scope_, routing_, api_),
          sweeper_(environment, "processor"),
          lost_(environment.telemetry.counter(
              "processor_lost_total", "Messages that the process took with it when it ended")) {}

    std::vector<HttpRoute> http_routes() override { return http_api_.routes(); }
    std::vector<RpcMethod> rpc_methods() override { return api_.methods(); }

    void start() override {
        routing_.start();
        std::vector<SweepJob> jobs;
        jobs.push_back({[this](Context context) { return messages_.forget(std::move(context)); },
                        {},
                        limits::forgotten_at_once});
        jobs.push_back(
            {[this](Context context) { return routing_.switchboard().forget(std::move(context)); },
             {},
             limits::forgotten_at_once});
        scope_.start("processor.sweep",
                     sweeper_.run(limits::forget_interval, limits::step_timeout, std::move(jobs)));
        std::vector<SweepJob> repairs;
        repairs.push_back({[this](Context context) { return repair(std::move(context)); },
                           {},
                           static_cast<std::size_t>(limits::page)});
        scope_.start("processor.repair", sweeper_.run(limits::repair_interval, limits::step_timeout,
                                                      std::move(repairs)));
    }

    // Nothing new; what the queue would lose is finished first.
    Task<void> stop() override {
        http_api_.close();
        api_.close();
        co_await waiters_.close();
        co_await calls_scope_.join();
        scope_.cancel();
        co_await scope_.join();
        co_await routing_.stop(options_.drain_grace);
        co_await count_lost();
    }

    Task<bool> ready(Context context) override {
        if (!routing_.is_open()) { co_return false; }
        const MonotonicTime deadline = context.deadline;
        auto question = is_answering(std::move(context));
        co_return co_await answers_in_time(environment_, deadline, std::move(question));
    }

private:
    Task<Result<bool>> is_answering(Context context) {
        RP_CO_CHECK(co_await routing_.stats(context));
        co_return co_await messages_.ping(std::move(context));
    }

    // Also of a composite that was left before this process began.
    Task<Result<std::size_t>> repair(Context context) {
        if (!looked_for_divergences_) {
            RP_CO_TRY(const auto left, co_await divergences_.list(context, std::string(), 1));
            if (!left.empty()) { RP_CO_CHECK(co_await routing_.reach(context, "composite")); }
            looked_for_divergences_ = true;
        }
        CompositeQueue* const composite = routing_.composite();
        if (composite == nullptr) { co_return 0; }
        RP_CO_TRY(const RepairCounts counts,
                  co_await divergences_.repair(std::move(context), *composite, limits::page));
        co_return static_cast<std::size_t>(counts.repaired);
    }

    Task<void> count_lost() {
        const std::int64_t left = co_await routing_.left_behind();
        if (left == 0) { co_return; }
        lost_.add(static_cast<std::uint64_t>(left));
        environment_.telemetry.log(LogLevel::error, "messages were lost: the grace was too short",
                                   {{"count", std::to_string(left)}});
    }

    Environment& environment_;
    Options options_;
    Scope calls_scope_;
    Scope scope_;
    Waiters waiters_;
    Messages messages_;
    Effects effects_;
    Divergences divergences_;
    Pool pool_;
    Routing routing_;
    Api api_;
    HttpApi http_api_;
    Sweeper sweeper_;
    bool looked_for_divergences_ = false;
    Counter& lost_;
};

}  // namespace

std::unique_ptr<Service> make_processor(Environment& environment, Options options) {
    if (options.workers < 1 || options.workers > limits::workers) {
        throw std::invalid_argument("processor: workers must be from 1 to " +
                                    std::to_string(limits::workers));
    }
    if (options.instance >= options.instances) {
        throw std::invalid_argument("processor: the instance must be one of the instances");
    }
    if (!is_provider(options.queue.provider)) {
        throw std::invalid_argument("processor: there is no queue called " +
                                    options.queue.provider);
    }
    return std::make_unique<Processor>(environment, std::move(options));
}

}  // namespace rushproof::processor
