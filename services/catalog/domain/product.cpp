#include "services/catalog/domain/product.hpp"

#include <utility>

#include "core/runtime/json.hpp"

namespace rushproof::catalog {

namespace {

template <class T>
void replace(T& value, const std::optional<T>& wanted) {
    if (wanted) { value = *wanted; }
}

void optional_member(JsonWriter& json, std::string_view name, const std::string& value) {
    if (!value.empty()) { json.member(name, value); }
}

}  // namespace

Product patched(Product product, const Patch& patch) {
    replace(product.name, patch.name);
    replace(product.description, patch.description);
    replace(product.category, patch.category);
    replace(product.price.minor_units, patch.minor_units);
    replace(product.price.currency, patch.currency);
    return product;
}

std::string as_json(const Product& product) {
    JsonWriter json;
    json.begin_object();
    optional_member(json, "id", product.id.text());
    json.member("sku", product.sku.text());
    json.member("name", product.name);
    optional_member(json, "description", product.description);
    optional_member(json, "category", product.category);
    json.begin_object("price");
    json.member("minor_units", product.price.minor_units);
    json.member("currency", product.price.currency);
    json.end_object();
    json.member("version", product.version);
    json.end_object();
    return std::move(json).text();
}

}  // namespace rushproof::catalog
