#include "core/real/kafka/errors.hpp"

#include <string>

namespace rushproof::kafka {

Error publish_error(rd_kafka_resp_err_t error, rd_kafka_msg_status_t status) {
    const std::string why = std::string("Kafka: ") + rd_kafka_err2str(error);
    switch (error) {
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: return Error(ErrorKind::retryable, "queue-full", why);
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            return Error(ErrorKind::permanent, "too-large", why);
        default: break;
    }
    if (status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
        return Error(ErrorKind::retryable, "unavailable", why);
    }
    return Error(ErrorKind::unknown_outcome, "connection-lost", why);
}

Error unavailable(rd_kafka_resp_err_t error, const char* doing) {
    return Error(ErrorKind::retryable, "unavailable",
                 std::string("Kafka: ") + doing + ": " + rd_kafka_err2str(error));
}

}  // namespace rushproof::kafka
