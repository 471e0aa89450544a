// Ports of a simulated process that go over the simulated network.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/http.hpp"
#include "core/ports/rpc.hpp"
#include "core/ports/telemetry.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

template <>
struct PayloadHash<HttpResponse> {
    static std::uint64_t of(const HttpResponse& response);
};

// What lives on a machine answers requests; called as a coroutine of that machine's host.
class Answering {
public:
    virtual ~Answering() = default;
    virtual Task<Result<HttpResponse>> answer_http(Host& target, HttpRequest request) = 0;
    // `method` lives as long as the scheduler.
    virtual Task<Result<std::string>> answer_rpc(Host& target, Context context,
                                                 std::string_view method, std::string request) = 0;
};

// Calls another role: of the instances of the group, the one that the shard names, then the others
// while they refuse.
class SimRpc final : public Rpc {
public:
    // All outlive the process.  Instance i of a role is in the group numbered i % groups + 1.
    SimRpc(Host& host, Network& network, Answering& answering, std::uint32_t groups);
    Task<Result<std::string>> call(Context context, RpcTarget target, std::string request) override;

private:
    using Group = std::pair<std::string, std::uint32_t>;
    const std::vector<Machine*>& instances_of(std::string_view role, std::uint32_t group);

    std::map<Group, std::vector<Machine*>> instances_;
    std::uint32_t groups_;
    Host& host_;
    Network& network_;
    Answering& answering_;
};

// Real clients behind a load balancer: each request goes to any of the targets.
class SimHttpClient final : public HttpClient {
public:
    SimHttpClient(Host& host, Network& network, Answering& answering,
                  std::vector<Machine*> targets);
    Task<Result<HttpResponse>> send(Context context, HttpRequest request) override;

private:
    Host& host_;
    Network& network_;
    Answering& answering_;
    std::vector<Machine*> targets_;
};

// Nobody scrapes a simulated process; what a run measures is measured by its clients.
class QuietTelemetry final : public Telemetry {
public:
    Counter& counter(std::string_view, std::string_view, Labels) override { return counter_; }
    Gauge& gauge(std::string_view, std::string_view, Labels) override { return gauge_; }
    Distribution& duration(std::string_view, std::string_view, Labels) override {
        return duration_;
    }
    void log(LogLevel, std::string_view, LogFields) override {}

private:
    struct QuietCounter final : Counter {
        void add(std::uint64_t) override {}
    };
    struct QuietGauge final : Gauge {
        void set(double) override {}
    };
    struct QuietDistribution final : Distribution {
        void observe(double) override {}
    };
    QuietCounter counter_;
    QuietGauge gauge_;
    QuietDistribution duration_;
};

}  // namespace rushproof::simulator
