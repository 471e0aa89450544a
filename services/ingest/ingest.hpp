// ingest: turns what clients send into messages and puts them into the queue.
#pragma once
#include <cstdint>
#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/runtime/queue_choice.hpp"

namespace rushproof::ingest {

struct Options {
    QueueOptions queue;
    // Instances in this process, one for each core: /stats tells their sum.
    std::uint32_t instances = 1;
};

// Answers ingest.v1 (core/protocol/ingest.proto), diplom.v1.IngestService, and POST /ingest, GET
// /stats and GET /health; keeps no state.
std::unique_ptr<Service> make_ingest(Environment& environment, Options options);

}  // namespace rushproof::ingest
