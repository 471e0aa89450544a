// Products: a JSON body becomes a message of catalog.v1, a version an ETag and back.
#include <charconv>
#include <optional>
#include <utility>

#include "core/protocol/catalog.pb.h"
#include "services/gateway/api/forwards.hpp"

namespace rushproof::gateway {

namespace {

namespace wire = ::catalog::v1;

constexpr std::string_view catalog = "catalog";
// No product ever has it.
constexpr std::int64_t no_version = -1;

Error malformed(std::string message) {
    return {ErrorKind::permanent, "malformed", std::move(message)};
}

// --- requests ---

template <class Message>
Outgoing outgoing_of(const Message& message) {
    return {message.id(), message.SerializeAsString()};
}

// If the member is there, in a create or a merge patch: null removes, as an empty text does.
template <class Set>
Result<void> read_text(const JsonBody& body, std::string_view member, Set set) {
    if (!body.has(member)) { return {}; }
    std::string_view text;
    if (!body.is_null(member)) { RP_TRY(text, body.text(member)); }
    set(std::string(text));
    return {};
}

Result<void> only_product_members(const JsonBody& body) {
    if (!body.has("price")) { return {}; }
    if (body.is_null("price")) { return failure(malformed("price cannot be removed")); }
    return body.only("price", {"minor_units", "currency"});
}

// Goes where its SKU's hash points: any instance will do.
Result<Outgoing> read_create(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_CHECK(body.only({"sku", "name", "description", "category", "price"}));
    RP_CHECK(only_product_members(body));
    wire::CreateProductRequest message;
    RP_TRY(const std::string_view sku, body.text("sku"));
    RP_TRY(const std::string_view name, body.text("name"));
    RP_TRY(const std::int64_t minor_units, body.integer("price.minor_units"));
    RP_TRY(const std::string_view currency, body.text("price.currency"));
    RP_CHECK(read_text(body, "description",
                       [&](std::string text) { message.set_description(std::move(text)); }));
    RP_CHECK(read_text(body, "category",
                       [&](std::string text) { message.set_category(std::move(text)); }));
    message.set_sku(std::string(sku));
    message.set_name(std::string(name));
    message.mutable_price()->set_minor_units(minor_units);
    message.mutable_price()->set_currency(std::string(currency));
    return Outgoing{message.sku(), message.SerializeAsString()};
}

Result<Outgoing> read_id(const HttpRequest& request) {
    wire::ProductRequest message;
    message.set_id(std::string(request.parameter("id")));
    return outgoing_of(message);
}

Result<Outgoing> read_page(const HttpRequest& request) {
    wire::ListProductsRequest message;
    message.set_category(std::string(request.query("category")));
    message.set_after(std::string(request.query("after")));
    RP_TRY(const std::int64_t limit, query_number(request, "limit"));
    message.set_limit(limit);
    return Outgoing{message.after(), message.SerializeAsString()};
}

// Nothing for "*", which any version matches.  A tag that is none of ours matches no version.
Result<std::optional<std::int64_t>> version_in(std::string_view if_match) {
    if (if_match == "*") { return std::nullopt; }
    if (if_match.starts_with("W/")) { if_match.remove_prefix(2); }
    const bool is_tag = if_match.size() >= 2 && if_match.front() == '"' && if_match.back() == '"';
    const std::string_view tag = is_tag ? if_match.substr(1, if_match.size() - 2) : if_match;
    if (!is_tag || tag.find('"') != std::string_view::npos) {
        return failure(malformed("If-Match must be one ETag as it was given, or *"));
    }
    std::int64_t version = no_version;
    const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
    const bool is_ours = error == std::errc() && end == tag.data() + tag.size() && version > 0;
    return is_ours ? version : no_version;
}

// A patch is made from what was read: without saying which version that was, it may undo what
// others did since.
Result<Outgoing> read_patch(const HttpRequest& request) {
    const std::string_view if_match = request.field("if-match");
    if (if_match.empty()) {
        return failure(ErrorKind::permanent, "precondition-required",
                       "the header If-Match is required: the product's ETag, or *");
    }
    const JsonBody body(request.body);
    RP_CHECK(body.only({"name", "description", "category", "price"}));
    RP_CHECK(only_product_members(body));
    wire::PatchProductRequest message;
    message.set_id(std::string(request.parameter("id")));
    RP_TRY(const std::optional<std::int64_t> version, version_in(if_match));
    if (version) { message.set_if_version(*version); }
    RP_CHECK(read_text(body, "name", [&](std::string text) { message.set_name(std::move(text)); }));
    RP_CHECK(read_text(body, "description",
                       [&](std::string text) { message.set_description(std::move(text)); }));
    RP_CHECK(read_text(body, "category",
                       [&](std::string text) { message.set_category(std::move(text)); }));
    RP_CHECK(read_text(body, "price.currency",
                       [&](std::string text) { message.set_currency(std::move(text)); }));
    if (body.has("price.minor_units")) {
        RP_TRY(const std::int64_t minor_units, body.integer("price.minor_units"));
        message.set_minor_units(minor_units);
    }
    return outgoing_of(message);
}

Result<Outgoing> read_delete(const HttpRequest& request) {
    wire::DeleteProductRequest message;
    message.set_id(std::string(request.parameter("id")));
    const std::string_view if_match = request.field("if-match");
    if (!if_match.empty()) {
        RP_TRY(const std::optional<std::int64_t> version, version_in(if_match));
        if (version) { message.set_if_version(*version); }
    }
    return outgoing_of(message);
}

Result<Outgoing> read_reserve(const HttpRequest& request) {
    const JsonBody body(request.body);
    RP_CHECK(body.only({"quantity"}));
    RP_TRY(const std::int64_t quantity, body.integer("quantity"));
    wire::ReserveProductRequest message;
    message.set_id(std::string(request.parameter("id")));
    message.set_quantity(quantity);
    return outgoing_of(message);
}

// --- answers ---

void write_product(JsonWriter& json, const wire::Product& product) {
    json.begin_object();
    json.member("id", product.id());
    json.member("sku", product.sku());
    json.member("name", product.name());
    if (!product.description().empty()) { json.member("description", product.description()); }
    if (!product.category().empty()) { json.member("category", product.category()); }
    json.begin_object("price");
    json.member("minor_units", product.price().minor_units());
    json.member("currency", product.price().currency());
    json.end_object();
    json.member("version", product.version());
    json.end_object();
}

HttpResponse response_with(int status, const wire::Product& product) {
    JsonWriter json;
    write_product(json, product);
    HttpResponse response(status, std::move(json).text());
    response.fields.emplace_back("etag", '"' + std::to_string(product.version()) + '"');
    return response;
}

HttpResponse write_found(const std::string& answer) {
    wire::Product product;
    if (!product.ParseFromString(answer)) { return unreadable(catalog); }
    return response_with(200, product);
}

HttpResponse write_made_in(const std::string& collection, const std::string& answer) {
    wire::Product product;
    if (!product.ParseFromString(answer)) { return unreadable(catalog); }
    HttpResponse response = response_with(201, product);
    response.fields.emplace_back("location", collection + '/' + product.id());
    return response;
}

HttpResponse write_made(const std::string& answer) { return write_made_in("/products", answer); }
HttpResponse write_made_in_v1(const std::string& answer) {
    return write_made_in("/api/v1/products", answer);
}

HttpResponse write_products(const std::string& answer) {
    wire::Products page;
    if (!page.ParseFromString(answer)) { return unreadable(catalog); }
    return write_page(page, [](JsonWriter& json, const auto& item) { write_product(json, item); });
}

HttpResponse write_deleted(const std::string&) { return HttpResponse(204, {}, {}); }

HttpResponse write_held(const std::string& answer) { return reservation_response(200, answer); }

}  // namespace

const std::vector<Forward>& catalog_forwards() {
    static const std::vector<Forward> table{
        {"POST", "/products", "catalog.v1.Catalog/Create", &read_create, &write_made, with_key,
         Reach::products},
        {"GET", "/products", "catalog.v1.Catalog/List", &read_page, &write_products, without_key,
         Reach::products},
        {"GET", "/products/{id}", "catalog.v1.Catalog/Get", &read_id, &write_found, without_key,
         Reach::products},
        {"PATCH", "/products/{id}", "catalog.v1.Catalog/Patch", &read_patch, &write_found,
         without_key, Reach::products},
        {"DELETE", "/products/{id}", "catalog.v1.Catalog/Delete", &read_delete, &write_deleted,
         without_key, Reach::products},
        {"POST", "/products/{id}/reserve", "catalog.v1.Catalog/Reserve", &read_reserve, &write_held,
         with_key, Reach::products},
        {"POST", "/api/v1/products", "catalog.v1.Catalog/Create", &read_create, &write_made_in_v1,
         with_key, Reach::products},
        {"GET", "/api/v1/products", "catalog.v1.Catalog/List", &read_page, &write_products,
         without_key, Reach::products},
        {"GET", "/api/v1/products/{id}", "catalog.v1.Catalog/Get", &read_id, &write_found,
         without_key, Reach::products},
        {"PATCH", "/api/v1/products/{id}", "catalog.v1.Catalog/Patch", &read_patch, &write_found,
         without_key, Reach::products},
        {"DELETE", "/api/v1/products/{id}", "catalog.v1.Catalog/Delete", &read_delete,
         &write_deleted, without_key, Reach::products},
        {"POST", "/api/v1/products/{id}/reserve", "catalog.v1.Catalog/Reserve", &read_reserve,
         &write_held, with_key, Reach::products},
    };
    return table;
}

}  // namespace rushproof::gateway
