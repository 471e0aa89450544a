#include "core/runtime/message_codec.hpp"

#include <utility>

namespace rushproof {

::processor::v1::Message to_wire(const Message& message) {
    ::processor::v1::Message wire;
    wire.set_id(message.id);
    wire.set_key(message.key);
    for (const auto& [name, value] : message.headers) {
        auto& header = *wire.add_headers();
        header.set_name(name);
        header.set_value(value);
    }
    wire.set_body(message.body);
    return wire;
}

Message from_wire(::processor::v1::Message&& wire) {
    Message message;
    message.id = std::move(*wire.mutable_id());
    message.key = std::move(*wire.mutable_key());
    for (auto& header : *wire.mutable_headers()) {
        message.headers.emplace_back(std::move(*header.mutable_name()),
                                     std::move(*header.mutable_value()));
    }
    message.body = std::move(*wire.mutable_body());
    return message;
}

}  // namespace rushproof
