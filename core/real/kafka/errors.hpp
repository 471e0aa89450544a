// librdkafka's errors as ours.
#pragma once
#include <librdkafka/rdkafka.h>

#include "core/base/error.hpp"

namespace rushproof::kafka {

// Of a message that the client was asked to deliver.
Error publish_error(rd_kafka_resp_err_t error, rd_kafka_msg_status_t status);

// Of a question that changes nothing: "unavailable".
Error unavailable(rd_kafka_resp_err_t error, const char* doing);

}  // namespace rushproof::kafka
