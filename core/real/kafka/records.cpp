#include "core/real/kafka/records.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "core/runtime/json.hpp"

namespace rushproof::kafka {

namespace {

constexpr std::string_view id_header = "rushproof-id";

void add(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
}

std::string text(const void* data, std::size_t size) {
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::string in_lower_case(std::string name) {
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
}

std::string foreign_id(const rd_kafka_message_t& record, const std::string& body) {
    const JsonBody json(body);
    if (const auto id = json.text("id"); id && !id->empty()) { return std::string(*id); }
    return std::string(rd_kafka_topic_name(record.rkt)) + "-" + std::to_string(record.partition) +
           "-" + std::to_string(record.offset);
}

}  // namespace

Headers headers_of(const Message& message) {
    Headers headers(rd_kafka_headers_new(message.headers.size() + 1));
    add(headers.get(), id_header, message.id);
    for (const auto& [name, value] : message.headers) { add(headers.get(), name, value); }
    return headers;
}

Message message_of(const rd_kafka_message_t& record) {
    Message message;
    message.key = text(record.key, record.key_len);
    message.body = text(record.payload, record.len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&record, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                RD_KAFKA_RESP_ERR_NO_ERROR;
             ++i) {
            if (name == id_header) {
                message.id = text(value, size);
            } else {
                message.headers.emplace_back(in_lower_case(name), text(value, size));
            }
        }
    }
    if (message.id.empty()) { message.id = foreign_id(record, message.body); }
    return message;
}

}  // namespace rushproof::kafka
