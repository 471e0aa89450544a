#include "services/catalog/api/rpc.hpp"

#include <optional>
#include <string>
#include <utility>

#include "services/catalog/domain/checks.hpp"

namespace rushproof::catalog {

namespace {

wire::Product message_of(const Product& product) {
    wire::Product message;
    message.set_id(product.id.text());
    message.set_sku(product.sku.text());
    message.set_name(product.name);
    message.set_description(product.description);
    message.set_category(product.category);
    message.mutable_price()->set_minor_units(product.price.minor_units);
    message.mutable_price()->set_currency(product.price.currency);
    message.set_version(product.version);
    return message;
}

std::string encode(const Product& product) { return message_of(product).SerializeAsString(); }

// A full page may have another one after it.
std::string encode(const std::vector<Product>& page, std::int64_t limit) {
    wire::Products message;
    for (const Product& item : page) { *message.add_items() = message_of(item); }
    if (static_cast<std::int64_t>(page.size()) == limit) {
        message.set_next(page.back().id.text());
    }
    return message.SerializeAsString();
}

Product product_in(const wire::CreateProductRequest& request) {
    Product product;
    product.sku = Sku(request.sku());
    product.name = request.name();
    product.description = request.description();
    product.category = request.category();
    product.price = {request.price().minor_units(), request.price().currency()};
    return product;
}

Patch patch_in(const wire::PatchProductRequest& request) {
    Patch patch;
    if (request.has_name()) { patch.name = request.name(); }
    if (request.has_description()) { patch.description = request.description(); }
    if (request.has_category()) { patch.category = request.category(); }
    if (request.has_minor_units()) { patch.minor_units = request.minor_units(); }
    if (request.has_currency()) { patch.currency = request.currency(); }
    return patch;
}

template <class Request>
std::optional<std::int64_t> version_in(const Request& request) {
    if (request.has_if_version()) { return request.if_version(); }
    return std::nullopt;
}

}  // namespace

Api::Api(Application& application, Environment& environment, Scope& scope)
    : application_(application), calls_(environment, scope, "catalog.v1.Catalog") {}

std::vector<RpcMethod> Api::methods() {
    std::vector<RpcMethod> methods;
    methods.push_back(method("Create", &Api::create));
    methods.push_back(method("Get", &Api::get));
    methods.push_back(method("List", &Api::list));
    methods.push_back(method("Patch", &Api::patch));
    methods.push_back(method("Delete", &Api::remove));
    methods.push_back(method("Reserve", &Api::reserve));
    return methods;
}

template <class Request>
RpcMethod Api::method(std::string_view name, Handler<Request> handler) {
    return calls_.method<Request>(name, [this, handler](Context context, Request request) {
        return (this->*handler)(std::move(context), std::move(request));
    });
}

Api::Answer Api::create(Context context, wire::CreateProductRequest request) {
    CreateRequest checked;
    RP_CO_TRY(checked.owner, check_owner(context.principal));
    RP_CO_TRY(checked.key, check_key(context.idempotency_key));
    checked.product = product_in(request);
    RP_CO_CHECK(check_product(checked.product));
    RP_CO_TRY(const Product product,
              co_await application_.create(std::move(context), std::move(checked)));
    co_return encode(product);
}

Api::Answer Api::get(Context context, wire::ProductRequest request) {
    RP_CO_TRY(ProductId id, check_product_id(request.id()));
    RP_CO_TRY(const Product product, co_await application_.get(std::move(context), std::move(id)));
    co_return encode(product);
}

Api::Answer Api::list(Context context, wire::ListProductsRequest request) {
    ProductPage page;
    RP_CO_TRY(page.category, check_category(request.category()));
    page.after = ProductId(request.after());
    RP_CO_TRY(page.limit, check_page_limit(request.limit()));
    const std::int64_t limit = page.limit;
    RP_CO_TRY(const auto items, co_await application_.list(std::move(context), std::move(page)));
    co_return encode(items, limit);
}

Api::Answer Api::patch(Context context, wire::PatchProductRequest request) {
    PatchRequest checked;
    RP_CO_TRY(checked.id, check_product_id(request.id()));
    checked.patch = patch_in(request);
    checked.if_version = version_in(request);
    RP_CO_TRY(const Product product,
              co_await application_.patch(std::move(context), std::move(checked)));
    co_return encode(product);
}

Api::Answer Api::remove(Context context, wire::DeleteProductRequest request) {
    DeleteRequest checked;
    RP_CO_TRY(checked.id, check_product_id(request.id()));
    checked.if_version = version_in(request);
    RP_CO_CHECK(co_await application_.remove(std::move(context), std::move(checked)));
    co_return wire::DeletedProduct().SerializeAsString();
}

Api::Answer Api::reserve(Context context, wire::ReserveProductRequest request) {
    RP_CO_TRY(ProductId id, check_product_id(request.id()));
    co_return co_await application_.reserve(std::move(context), std::move(id), request.quantity());
}

}  // namespace rushproof::catalog
