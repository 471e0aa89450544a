#include "services/catalog/domain/checks.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "services/catalog/limits.hpp"

namespace rushproof::catalog {

namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Of UTF-8.
std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_other_control(char c) { return is_control(c) && c != '\n' && c != '\t'; }

// For people to read: any characters but control characters.
Result<void> check_words(std::string_view name, std::string_view text, std::size_t low,
                         std::size_t high, bool (*refused)(char)) {
    const std::size_t length = characters_in(text);
    if (length < low || length > high) {
        return failure(invalid(std::string(name) + " must have " + std::to_string(low) + " to " +
                               std::to_string(high) + " characters"));
    }
    if (std::any_of(text.begin(), text.end(), refused)) {
        return failure(invalid(std::string(name) + " has a control character"));
    }
    return {};
}

Result<void> check_price(const Price& price) {
    RP_CHECK(check_range("price.minor_units", price.minor_units, 0, limits::minor_units));
    const std::string& currency = price.currency;
    if (currency.size() != limits::currency_length ||
        !std::all_of(currency.begin(), currency.end(), &is_upper)) {
        return failure(invalid("price.currency must be an ISO 4217 code such as EUR"));
    }
    return {};
}

}  // namespace

Result<ProductId> check_product_id(std::string id) {
    const bool possible = id.size() == limits::product_id_length &&
                          std::all_of(id.begin(), id.end(), &is_name_character);
    if (possible) { return ProductId(std::move(id)); }
    return failure(no_such_product());
}

Result<void> check_product(const Product& product) {
    RP_CHECK(check_sku(product.sku.text()));
    RP_CHECK(check_words("name", product.name, 1, limits::name_length, &is_control));
    RP_CHECK(check_words("description", product.description, 0, limits::description_length,
                         &is_other_control));
    RP_CHECK(check_category(product.category));
    return check_price(product.price);
}

Result<std::string> check_category(std::string category) {
    if (category.empty()) { return category; }
    return check_text("category", std::move(category), limits::category_length, &is_name_character);
}

Result<std::int64_t> check_page_limit(std::int64_t limit) {
    if (limit == 0) { return limits::page_default; }
    return check_range("limit", limit, 1, limits::page);
}

Error no_such_product() { return {ErrorKind::permanent, "not-found", "no such product"}; }

Error version_differs(std::int64_t version) {
    return {ErrorKind::permanent, "precondition-failed",
            "the product is at version " + std::to_string(version) + ": read it again"};
}

}  // namespace rushproof::catalog
