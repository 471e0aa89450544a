#include "simulator/world/process.hpp"

#include <utility>

namespace rushproof::simulator {

namespace {

constexpr Duration drain_grace = std::chrono::seconds(10);
constexpr Duration drain_poll = std::chrono::milliseconds(1);

}  // namespace

Process::Process(Machine& machine, Parts parts, const MakeService& make, Duration request_timeout)
    : host_(machine),
      points_(parts.points),
      request_timeout_(request_timeout),
      rpc_(host_, parts.network, parts.answering, parts.shards),
      database_(host_, parts.network, parts.database, parts.points),
      queues_(host_, parts.network, parts.brokers),
      environment_{.clock = host_.clock(),
                   .random = host_.random(),
                   .spawner = host_.spawner(),
                   .rpc = rpc_,
                   .database = database_,
                   .telemetry = telemetry_,
                   .queues = queues_},
      http_routes_(telemetry_),
      rpc_methods_(telemetry_),
      service_(make(environment_)) {
    http_routes_.add(service_->http_routes());
    rpc_methods_.add(service_->rpc_methods());
    service_->start();
    host_.listen();
}

Process::~Process() {
    if (host_.alive()) { host_.crash(); }
    service_.reset();
}

Task<Result<HttpResponse>> Process::answer_http(HttpRequest request) {
    ++serving_;
    Context context(host_.clock().monotonic() + request_timeout_);
    HttpResponse response = co_await http_routes_.answer(std::move(context), std::move(request));
    // A stream is of this process, and ends with it: what travels is the whole answer.
    response = co_await whole(std::move(response));
    --serving_;
    co_return response;
}

Task<Result<std::string>> Process::answer_rpc(Context context, std::string_view method,
                                              std::string request) {
    ++serving_;
    const std::uint64_t span = points_.empty() ? 0 : points_.enter(use_case_of(method));
    context.trace.span = span;
    Result<std::string> answer =
        co_await rpc_methods_.answer(std::move(context), method, std::move(request));
    if (span != 0) { points_.leave(span); }
    --serving_;
    co_return answer;
}

void Process::drain(std::function<void()> ended) {
    draining_ = true;
    host_.close();
    host_.spawn("drain", drain_and_end(std::move(ended)));
}

Task<void> Process::drain_and_end(std::function<void()> ended) {
    Clock& clock = host_.clock();
    const MonotonicTime give_up = clock.monotonic() + drain_grace;
    while (serving_ > 0 && clock.monotonic() < give_up) { co_await sleep_for(clock, drain_poll); }
    co_await service_->stop();
    host_.scheduler().between_steps(std::move(ended));
}

}  // namespace rushproof::simulator
