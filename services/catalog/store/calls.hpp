// Typed ways to call the statements, and to read what they return.
#pragma once
#include <string_view>

#include "core/ports/database.hpp"
#include "core/ports/random.hpp"
#include "core/runtime/transactions.hpp"
#include "services/catalog/domain/product.hpp"

namespace rushproof::catalog {

Call product_call(const Statement& statement, const ProductId& id);
Call insert_call(const Product& product);
Call update_call(const Product& product);
// Tells what was done to a product, in the transaction that did it, after its row was locked.
Call event_call(Random& random, std::string_view kind, const Product& product);

Product product_of(const Row& row);

}  // namespace rushproof::catalog
