#include "core/real/kafka/link.hpp"

#include <chrono>

#include "core/real/kafka/client.hpp"

namespace rushproof::kafka {

namespace {

constexpr const char* interceptor = "rushproof";
constexpr std::int16_t join_group = 11;
constexpr std::int16_t sync_group = 14;

constexpr Duration assignment_within = std::chrono::seconds(10);
constexpr int poll_ms = 50;
// librdkafka 2.3 ends clients that were never assigned anything.
constexpr int ends_any_client = 0x02030000;

rd_kafka_resp_err_t on_sent(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t request,
                            std::int16_t, std::int32_t, std::size_t, void* link) {
    if (request == join_group) { static_cast<Link*>(link)->joining = true; }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_received(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t request,
                                std::int16_t, std::int32_t, std::size_t, std::int64_t,
                                rd_kafka_resp_err_t, void* link) {
    if (request == sync_group) { static_cast<Link*>(link)->joining = false; }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_new(rd_kafka_t* handle, const rd_kafka_conf_t*, void* link, char*,
                           std::size_t) {
    rd_kafka_interceptor_add_on_request_sent(handle, interceptor, on_sent, link);
    rd_kafka_interceptor_add_on_response_received(handle, interceptor, on_received, link);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

Result<void> watch(rd_kafka_conf_t* configuration, Link* link) {
    if (const auto error =
            rd_kafka_conf_interceptor_add_on_new(configuration, interceptor, on_new, link);
        error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(ErrorKind::permanent, "not-configured",
                       std::string("Kafka: ") + rd_kafka_err2str(error));
    }
    return {};
}

void end_client(rd_kafka_t* handle, const std::shared_ptr<Link>& link) {
    // Older ones abort (librdkafka issue 4312) when they have joined a group and were not told yet
    // what they own; so that is waited for.
    const bool delicate = rd_kafka_version() < ends_any_client;
    const MonotonicTime give_up = now() + assignment_within;
    while (delicate && !link->ever_assigned && now() < give_up) {
        if (rd_kafka_message_t* const record = rd_kafka_consumer_poll(handle, poll_ms);
            record != nullptr) {
            rd_kafka_message_destroy(record);
        }
    }
    rd_kafka_consumer_close(handle);
    if (delicate && !link->ever_assigned && link->joining) {
        // The group did not answer: a client too many is better than no process.
        static_cast<void>(new std::shared_ptr<Link>(link));
        return;
    }
    rd_kafka_destroy(handle);
}

}  // namespace rushproof::kafka
