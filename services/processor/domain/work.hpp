// What a delivery asks for.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/ports/message_queue.hpp"

namespace rushproof::processor {

inline constexpr std::string_view plain_kind = "plain";

struct Work {
    Delivery delivery;
    std::string id;  // of the message; made of its body when it has none that could be kept
    std::string key;
    std::string source;
    std::string kind;
    std::string payload;
    // Why it can have no effect.
    std::optional<Error> unreadable;

    // It needs calls to another role.
    bool needs_call() const { return !unreadable && kind != plain_kind; }
    bool is_replay() const;
};

Work read_delivery(Delivery delivery);

// As text for the database, and back: a dead letter can be replayed as it was.
std::string pack(const Message& message);
std::optional<Message> unpack(std::string_view text);

}  // namespace rushproof::processor
