// Deleting, in three steps, each of which may be repeated: the deletion is written down, so that no
// patch comes between; inventory takes all that is there of the SKU, which it refuses while
// reservations are held, and after which none can be; the product goes.  Whoever begins a deletion
// may die: the sweep takes it up.
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "services/catalog/app/application.hpp"
#include "services/catalog/domain/checks.hpp"
#include "services/catalog/domain/event.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

namespace {

constexpr std::string_view still_held = "conflict";

bool is_done(const Rows& deletion) {
    return !deletion.rows.empty() && integer(deletion.rows[0], 0) == 1;
}

}  // namespace

Task<Result<void>> Application::remove(Context context, DeleteRequest request) {
    bool is_begun = false;
    auto attempt = [&]() -> Task<Result<void>> {
        RP_CO_TRY(auto product, co_await begin_deletion(context, request));
        if (!product) { co_return Result<void>(); }
        is_begun = true;
        co_return co_await finish_deletion(context, *std::move(product));
    };
    auto result = co_await with_retries(context, std::move(attempt));
    if (!result && is_begun && result.error().kind() == ErrorKind::retryable) {
        // The sweep will finish it or undo it.
        co_return failure(ErrorKind::unknown_outcome, result.error().code(),
                          result.error().message());
    }
    co_return result;
}

Task<Result<std::optional<Product>>> Application::begin_deletion(Context context,
                                                                 DeleteRequest request) {
    auto look = pipeline(product_call(statements::lock_product, request.id),
                         product_call(statements::find_deletion, request.id));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    if (is_done(found[1])) { co_return std::nullopt; }
    if (found[0].rows.empty()) { co_return failure(no_such_product()); }
    Product product = product_of(found[0].rows[0]);
    if (request.if_version && *request.if_version != product.version) {
        co_return failure(version_differs(product.version));
    }
    auto last = pipeline(product_call(statements::begin_deletion, request.id));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return product;
}

Task<Result<void>> Application::finish_deletion(Context context, Product product) {
    const auto emptied = co_await empty_stock(context, product.sku);
    if (!emptied && emptied.error().code() == still_held) {
        RP_CO_CHECK(co_await undo_deletion(std::move(context), product.id));
        co_return failure(ErrorKind::permanent, "conflict",
                          "reservations of sku " + product.sku.text() +
                              " are held: confirm or release them first");
    }
    RP_CO_CHECK(emptied);
    auto look = pipeline(product_call(statements::lock_product, product.id),
                         product_call(statements::find_deletion, product.id));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    if (is_done(found[1])) { co_return Result<void>(); }
    if (found[0].rows.empty() || found[1].rows.empty()) {
        co_return failure(ErrorKind::retryable, "interrupted",
                          "another deletion of the product was refused meanwhile");
    }
    product = product_of(found[0].rows[0]);
    ++product.version;
    auto last = pipeline(product_call(statements::remove_product, product.id),
                         product_call(statements::finish_deletion, product.id),
                         event_call(environment_.random, deleted_event, product));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return Result<void>();
}

Task<Result<void>> Application::undo_deletion(Context context, ProductId id) {
    auto look = pipeline(product_call(statements::lock_product, id));
    auto last = pipeline(product_call(statements::undo_deletion, id));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->execute(std::move(look)));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return Result<void>();
}

Task<Result<void>> Application::empty_stock(Context context, Sku sku) {
    ::inventory::v1::SetStockRequest message;
    message.set_sku(sku.text());
    message.set_on_hand(0);
    RP_CO_CHECK(co_await ask_inventory(std::move(context), "inventory.v1.Inventory/SetStock",
                                       std::move(sku), message.SerializeAsString()));
    co_return Result<void>();
}

}  // namespace rushproof::catalog
