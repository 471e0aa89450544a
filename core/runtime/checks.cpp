#include "core/runtime/checks.hpp"

#include <algorithm>
#include <utility>

namespace rushproof {

namespace {

bool is_printable(char c) { return c >= 0x20 && c <= 0x7E; }

}  // namespace

Error invalid(std::string message) { return {ErrorKind::permanent, "invalid", std::move(message)}; }

Result<std::string> check_text(std::string_view name, std::string text, std::size_t length,
                               bool (*accepted)(char)) {
    if (text.empty() || text.size() > length) {
        return failure(invalid(std::string(name) + " must have 1 to " + std::to_string(length) +
                               " characters"));
    }
    if (!std::all_of(text.begin(), text.end(), accepted)) {
        return failure(invalid(std::string(name) + " has a character that is not allowed"));
    }
    return text;
}

Result<std::int64_t> check_range(std::string_view name, std::int64_t value, std::int64_t low,
                                 std::int64_t high) {
    if (value >= low && value <= high) { return value; }
    return failure(invalid(std::string(name) + " must be from " + std::to_string(low) + " to " +
                           std::to_string(high)));
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

Result<Sku> check_sku(std::string sku) {
    RP_TRY(std::string text,
           check_text("sku", std::move(sku), checks::sku_length, &is_name_character));
    return Sku(std::move(text));
}

Result<Owner> check_owner(std::string owner) {
    RP_TRY(std::string text,
           check_text("owner", std::move(owner), checks::owner_length, &is_printable));
    return Owner(std::move(text));
}

Result<IdempotencyKey> check_key(std::string key) {
    RP_TRY(std::string text,
           check_text("idempotency key", std::move(key), checks::key_length, &is_printable));
    return IdempotencyKey(std::move(text));
}

Error key_reused() {
    return {ErrorKind::permanent, "key-reused",
            "the idempotency key was used for another request: choose a new one"};
}

}  // namespace rushproof
