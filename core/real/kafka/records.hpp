// Messages as records of Kafka:
//   key      the message's; none when it is empty
//   value    the body, byte for byte
//   headers  rushproof-id: the message's id; then its own headers
// A record without that header is a foreign publisher's: its id is the member "id" of its JSON
// value, else "<topic>-<partition>-<offset>", which is the same in every delivery too.
#pragma once
#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <memory>

#include "core/ports/message_queue.hpp"
#include "core/real/kafka/client.hpp"

namespace rushproof::kafka {

using Headers = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;

Headers headers_of(const Message& message);
Message message_of(const rd_kafka_message_t& record);

}  // namespace rushproof::kafka
