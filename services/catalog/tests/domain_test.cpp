// Goal: the rules about what a product may be.  Method: values on both sides of each bound.
#include <gtest/gtest.h>

#include "services/catalog/domain/checks.hpp"
#include "services/catalog/domain/event.hpp"
#include "services/catalog/limits.hpp"
#include "services/catalog/tests/bench.hpp"

namespace rushproof::catalog {
namespace {

std::string refusal(const Product& product) {
    const auto checked = check_product(product);
    return checked ? "" : checked.error().message();
}

TEST(CatalogDomain, ProductsHaveBounds) {
    EXPECT_EQ(refusal(mug()), "");
    Product product = mug();
    product.name = std::string(limits::name_length, 'x');
    product.description = "";
    product.category = "";
    product.price = {limits::minor_units, "JPY"};
    EXPECT_EQ(refusal(product), "");

    product = mug();
    product.name += std::string(limits::name_length, 'x');
    EXPECT_EQ(refusal(product), "name must have 1 to 200 characters");
    product.name = "";
    EXPECT_EQ(refusal(product), "name must have 1 to 200 characters");
    product.name = "two\nlines";
    EXPECT_EQ(refusal(product), "name has a control character");

    product = mug();
    product.description = std::string(limits::description_length + 1, 'x');
    EXPECT_EQ(refusal(product), "description must have 0 to 4000 characters");
    product.description = std::string("a\0b", 3);
    EXPECT_EQ(refusal(product), "description has a control character");

    product = mug();
    product.category = "two words";
    EXPECT_EQ(refusal(product), "category has a character that is not allowed");
    product = mug("two words");
    EXPECT_EQ(refusal(product), "sku has a character that is not allowed");

    product = mug();
    product.price.minor_units = -1;
    EXPECT_EQ(refusal(product), "price.minor_units must be from 0 to 1000000000000");
    product.price.minor_units = limits::minor_units + 1;
    EXPECT_EQ(refusal(product), "price.minor_units must be from 0 to 1000000000000");
    product.price = {1, "eur"};
    EXPECT_EQ(refusal(product), "price.currency must be an ISO 4217 code such as EUR");
    product.price = {1, "EURO"};
    EXPECT_EQ(refusal(product), "price.currency must be an ISO 4217 code such as EUR");
}

TEST(CatalogDomain, LengthsAreInCharactersNotBytes) {
    Product product = mug();
    product.name.clear();
    for (std::size_t i = 0; i < limits::name_length; ++i) { product.name += "\xC3\xA9"; }
    EXPECT_EQ(refusal(product), "");
    product.name += "\xC3\xA9";
    EXPECT_EQ(refusal(product), "name must have 1 to 200 characters");
}

TEST(CatalogDomain, IdsThatWereNeverGivenOutAreNotFound) {
    EXPECT_TRUE(check_product_id("3f0c8f4e-0000-4000-8000-000000000001"));
    for (const char* id : {"", "1", "3f0c8f4e-0000-4000-8000-00000000000\n"}) {
        EXPECT_EQ(check_product_id(id).error().code(), "not-found") << id;
    }
}

TEST(CatalogDomain, PagesHaveBounds) {
    EXPECT_EQ(check_page_limit(0), limits::page_default);
    EXPECT_TRUE(check_page_limit(limits::page));
    EXPECT_FALSE(check_page_limit(limits::page + 1));
    EXPECT_FALSE(check_page_limit(-1));
}

TEST(CatalogDomain, APatchChangesWhatItNames) {
    Patch patch;
    EXPECT_EQ(patched(mug(), patch), mug());
    patch.description = "";
    patch.minor_units = 99;
    Product expected = mug();
    expected.description = "";
    expected.price.minor_units = 99;
    EXPECT_EQ(patched(mug(), patch), expected);
}

TEST(CatalogDomain, EventsCarryTheirVersion) {
    Product product = mug();
    product.version = 7;
    EXPECT_EQ(version_in(as_json(product)), 7);
    EXPECT_EQ(version_in("{}"), 0);
}

}  // namespace
}  // namespace rushproof::catalog
