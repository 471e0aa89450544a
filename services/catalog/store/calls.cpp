#include "services/catalog/store/calls.hpp"

#include <utility>

#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

Call product_call(const Statement& statement, const ProductId& id) {
    return {statement, {id.text()}};
}

Call insert_call(const Product& product) {
    return {statements::insert_product,
            {product.id.text(), product.sku.text(), product.name, product.description,
             product.category, product.price.minor_units, product.price.currency, product.version}};
}

Call update_call(const Product& product) {
    return {statements::update_product,
            {product.id.text(), product.name, product.description, product.category,
             product.price.minor_units, product.price.currency, product.version}};
}

Call event_call(Random& random, std::string_view kind, const Product& product) {
    OutboxAppend events(random);
    events.add(product.id.text(), kind, as_json(product));
    return std::move(events).call(statements::outbox().append);
}

Product product_of(const Row& row) {
    Product product;
    product.id = ProductId(text(row, 0));
    product.sku = Sku(text(row, 1));
    product.name = text(row, 2);
    product.description = text(row, 3);
    product.category = text(row, 4);
    product.price = {integer(row, 5), text(row, 6)};
    product.version = integer(row, 7);
    return product;
}

}  // namespace rushproof::catalog
