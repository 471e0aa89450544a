// What librdkafka's threads and callbacks know of a member.
#pragma once
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <memory>

#include "core/base/result.hpp"

namespace rushproof::kafka {

class Member;

// It outlives the member by the time that closing takes.
struct Link {
    Member* member = nullptr;  // until it is closed
    // From the request to join until the group's answer.  librdkafka gives up everything that it
    // owns when a commit of the old generation arrives after the new one has begun, so that none
    // may be sent meanwhile.
    std::atomic<bool> joining = false;
    std::atomic<bool> ever_assigned = false;
};

// Before the client is made: keeps `joining` true to its name.
Result<void> watch(rd_kafka_conf_t* configuration, Link* link);

// Leaves the group and destroys the client, while nobody else uses it.  Blocks.
void end_client(rd_kafka_t* handle, const std::shared_ptr<Link>& link);

}  // namespace rushproof::kafka
