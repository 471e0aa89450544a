#include "services/processor/domain/work.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/base64.hpp"
#include "core/runtime/data_message.hpp"
#include "core/runtime/message_codec.hpp"
#include "core/runtime/uuid.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= limits::id_length &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<void> read_into(Work& work) {
    const Message& message = work.delivery.message;
    auto body = parse_data_message(message.body);
    // Its publisher's own id: the provider may have made one up for a message that carried none.
    work.id = body && !body->id.empty() ? body->id : message.id;
    if (!body) { return failure(body.error()); }
    if (!is_id(work.id)) {
        return failure(ErrorKind::permanent, "malformed", "the message has no usable id");
    }
    RP_CHECK(check_data(body->source, body->payload, body->metadata));
    work.key = message.key.empty() ? ordering_key(body->metadata, body->source) : message.key;
    if (work.key.size() > data_limits::key_length || !is_storable_text(work.key)) {
        return failure(ErrorKind::permanent, "malformed", "the message has no usable key");
    }
    work.source = std::move(body->source);
    work.payload = std::move(body->payload);
    const std::string_view kind = header_of(message, kind_header);
    work.kind = kind.empty() ? plain_kind : kind;
    return {};
}

}  // namespace

bool Work::is_replay() const { return !header_of(delivery.message, replay_header).empty(); }

Work read_delivery(Delivery delivery) {
    Work work;
    work.delivery = std::move(delivery);
    const auto read = read_into(work);
    if (read) { return work; }
    work.unreadable = Error(ErrorKind::permanent, "unreadable", read.error().message());
    if (!is_id(work.id)) { work.id = uuid_of("unreadable", work.delivery.message.body); }
    work.key.clear();
    return work;
}

std::string pack(const Message& message) {
    std::string text;
    append_base64(text, to_wire(message).SerializeAsString());
    return text;
}

std::optional<Message> unpack(std::string_view text) {
    const auto bytes = base64_decoded(text);
    ::processor::v1::Message packed;
    if (!bytes || !packed.ParseFromString(*bytes)) { return std::nullopt; }
    return from_wire(std::move(packed));
}

}  // namespace rushproof::processor
