// What catalog tells others.  The aggregate of every event is a product; the body is the product as
// JSON, with the version that the event made: 1, then one more with each event of the product.
#pragma once
#include <string>
#include <string_view>

#include "services/catalog/domain/product.hpp"

namespace rushproof::catalog {

inline constexpr std::string_view created_event = "product.created";
inline constexpr std::string_view updated_event = "product.updated";
inline constexpr std::string_view deleted_event = "product.deleted";

// Of an event's body; 0 if it has none.
std::int64_t version_in(const std::string& body);

}  // namespace rushproof::catalog
