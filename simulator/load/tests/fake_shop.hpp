// A public API for tests: answers by a script, in the virtual time of a fake world.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/http.hpp"
#include "core/runtime/tests/fake_world.hpp"
#include "simulator/load/driver.hpp"

namespace rushproof::simulator {

class FakeShop final : public HttpClient {
public:
    using Handler = std::function<Task<Result<HttpResponse>>(Context, HttpRequest)>;
    explicit FakeShop(Handler handler) : handler_(std::move(handler)) {}

    Task<Result<HttpResponse>> send(Context context, HttpRequest request) override {
        return handler_(std::move(context), std::move(request));
    }

private:
    Handler handler_;
};

inline HttpResponse reservation(std::string_view id) {
    return HttpResponse(201, R"({"id":")" + std::string(id) +
                                 R"(","sku":"SKU-1","quantity":1,"owner":"o","state":"held",)"
                                 R"("expires_at":"2026-01-01T00:00:00Z","expires_in_ms":1000})");
}
inline HttpResponse stock_of(std::int64_t available) {
    return HttpResponse(200, R"({"sku":"SKU-1","on_hand":9,"held":0,"sold":0,"available":)" +
                                 std::to_string(available) + R"(,"version":1})");
}
inline HttpResponse problem_answer(int status, std::string_view code,
                                   std::string_view detail = "d") {
    return HttpResponse(status,
                        R"({"title":"t","status":)" + std::to_string(status) + R"(,"code":")" +
                            std::string(code) + R"(","detail":")" + std::string(detail) + "\"}",
                        "application/problem+json");
}
inline tl::unexpected<Error> no_answer() {
    return failure(ErrorKind::unknown_outcome, "deadline-exceeded", "no answer in time");
}

// What a whole run of a driver leaves behind.
struct LoadRun {
    History history;
    LoadMetrics metrics;
    Duration took{};
    std::vector<Event> observed;
};

// `clock` is the generator's, if it is not the world's.
inline LoadRun run_load(FakeWorld& world, const Scenario& scenario, HttpClient& http,
                        std::uint64_t seed = 1, LoadShare share = {}, Clock* clock = nullptr) {
    LoadRun run;
    DriverOptions options;
    options.seed = seed;
    options.share = share;
    options.start = world.monotonic();
    Recorder recorder(run.history, share.part, share.parts,
                      [&](const Event& event) { run.observed.push_back(event); });
    Driver driver(scenario, options, ClientWorld{clock == nullptr ? world : *clock, world, http},
                  recorder);
    const auto whole = [](FakeWorld& in, Driver& runs) -> Task<Duration> {
        const MonotonicTime start = in.monotonic();
        co_await runs.run();
        co_return in.monotonic() - start;
    };
    run.took = world.finish(whole(world, driver)).value();
    run.metrics = driver.metrics();
    return run;
}

// One SKU, and one load of one journey.
inline Scenario one_load(Load load, std::vector<Step> steps, RetryPolicy retry = {}) {
    Scenario scenario;
    scenario.duration = std::chrono::seconds(10);
    Journey journey;
    journey.name = "journey";
    journey.steps = std::move(steps);
    journey.retry = retry;
    load.journey = journey.name;
    if (load.name.empty()) { load.name = "load"; }
    scenario.journeys.push_back(std::move(journey));
    scenario.loads.push_back(std::move(load));
    return scenario;
}

}  // namespace rushproof::simulator
