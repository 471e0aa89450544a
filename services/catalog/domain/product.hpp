// A product, and what a patch makes of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/strong.hpp"

namespace rushproof::catalog {

using ProductId = StrongText<struct ProductIdTag>;

struct Price {
    std::int64_t minor_units = 0;  // cents of a euro, whole yen
    std::string currency;          // ISO 4217

    friend bool operator==(const Price&, const Price&) = default;
};

// The SKU is for ever: inventory knows the stock under it.
struct Product {
    ProductId id;
    Sku sku;
    std::string name;
    std::string description;  // empty: none
    std::string category;     // empty: none
    Price price;
    std::int64_t version = 1;  // counts the changes

    friend bool operator==(const Product&, const Product&) = default;
};

// What is absent stays as it is.
struct Patch {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::string> category;
    std::optional<std::int64_t> minor_units;
    std::optional<std::string> currency;
};

// Its version is still that of `product`.
Product patched(Product product, const Patch& patch);

// As a JSON object, for events and as a request's fingerprint: without an id if it has none.
std::string as_json(const Product& product);

}  // namespace rushproof::catalog
