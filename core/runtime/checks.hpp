// What roles accept from outside.  Errors are permanent "invalid" and name the member.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/strong.hpp"

namespace rushproof {

namespace checks {
inline constexpr std::size_t sku_length = 64;
inline constexpr std::size_t owner_length = 128;
inline constexpr std::size_t key_length = 128;
}  // namespace checks

Error invalid(std::string message);

// Of 1 to `length` characters, all of them accepted.
Result<std::string> check_text(std::string_view name, std::string text, std::size_t length,
                               bool (*accepted)(char));
Result<std::int64_t> check_range(std::string_view name, std::int64_t value, std::int64_t low,
                                 std::int64_t high);

bool is_name_character(char c);  // letters, digits, '-', '_', '.'

Result<Sku> check_sku(std::string sku);             // name characters
Result<Owner> check_owner(std::string owner);       // printable ASCII
Result<IdempotencyKey> check_key(std::string key);  // printable ASCII

// The refusal of a key that came with another request before.
Error key_reused();

}  // namespace rushproof
