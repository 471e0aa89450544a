// What catalog accepts from outside.  Errors are permanent and name the member: "invalid", or
// "not-found" for what can only be an id that was never given out.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/result.hpp"
#include "core/runtime/checks.hpp"
#include "services/catalog/domain/product.hpp"

namespace rushproof::catalog {

Result<ProductId> check_product_id(std::string id);
// All but id and version.
Result<void> check_product(const Product& product);
Result<std::string> check_category(std::string category);   // name characters; empty: none
Result<std::int64_t> check_page_limit(std::int64_t limit);  // 0 means the default

Error no_such_product();
// The refusal of what was meant for another version.
Error version_differs(std::int64_t version);

}  // namespace rushproof::catalog
