// The body of every message, whatever carries it: diplom.v1.DataMessage as JSON, with a base64
// payload and without its empty members.
//   {"id":"a","timestamp":1,"source":"s","payload":"aGVsbG8=","metadata":{"k":"v"}}
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/message_queue.hpp"

namespace rushproof {

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct DataMessage {
    std::string id;
    std::int64_t timestamp = 0;  // seconds since 1970
    std::string source;
    std::string payload;  // any bytes
    Metadata metadata;
};

// Headers of a Message.
inline constexpr std::string_view kind_header = "rushproof-kind";      // absent: plain
inline constexpr std::string_view owner_header = "rushproof-owner";    // for whom a command is
inline constexpr std::string_view replay_header = "rushproof-replay";  // of a dead letter
inline constexpr std::string_view trace_header = "traceparent";
// Empty when absent.
std::string_view header_of(const Message& message, std::string_view name);
// When it was accepted, as a header of its own, by the clock of whoever accepted it.
void set_accepted_at(Message& message, WallTime at);
std::optional<WallTime> accepted_at(const Message& message);

// The kind of a queued reservation: its key is the SKU, its payload {"sku":...,"quantity":...}.
inline constexpr std::string_view reserve_kind = "reserve";

namespace data_limits {
inline constexpr std::size_t source_length = 256;
inline constexpr std::size_t key_length = 256;
inline constexpr std::size_t metadata_bytes = 32 * 1024;
// As base64, with everything else, it fits into the 1 MiB that brokers take.
inline constexpr std::size_t payload_bytes = 640 * 1024;
static_assert((payload_bytes + 2) / 3 * 4 + 2 * metadata_bytes + 8 * 1024 < 1024 * 1024);
}  // namespace data_limits

std::string to_json(const DataMessage& message);

// Unknown members are ignored, null is as absent.  Errors: permanent "malformed".
Result<DataMessage> parse_data_message(std::string_view json);

// What a client sends to have it made into a message:
//   {"source":"s","data":"text","metadata":{"k":"v"}}
// likewise, each member optional.
struct IngestBody {
    std::string source;
    std::string data;
    Metadata metadata;
};
Result<IngestBody> parse_ingest_body(std::string_view json);

// Of the metadata "key", else of the source: what keeps the order of messages.
std::string_view ordering_key(const Metadata& metadata, std::string_view source);

// Permanent "malformed", or "too-large" for what no provider would carry.  Texts are UTF-8 without
// NUL, as databases keep them.
Result<void> check_data(std::string_view source, std::string_view payload,
                        const Metadata& metadata);

bool is_storable_text(std::string_view text);

}  // namespace rushproof
