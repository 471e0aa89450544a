// The Queues port of each process, over the simulated network.
#pragma once
#include <memory>
#include <string_view>

#include "core/ports/queues.hpp"
#include "simulator/world/brokers.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"

namespace rushproof::simulator {

class SimQueues final : public Queues {
public:
    // All outlive the process.
    SimQueues(Host& host, Network& network, const Brokers& brokers)
        : host_(host), network_(network), brokers_(brokers) {}

    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context, std::string_view provider,
                                                     std::string_view topic) override;
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context context,
                                                      std::string_view name) override;

private:
    Task<Result<std::shared_ptr<MessageQueue>>> try_to_open(MonotonicTime deadline,
                                                            std::string_view provider,
                                                            std::string name);

    Host& host_;
    Network& network_;
    const Brokers& brokers_;
};

}  // namespace rushproof::simulator
