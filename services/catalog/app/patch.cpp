// Patching: the product's row is locked, looked at and written in one transaction.
#include <utility>

#include "services/catalog/app/application.hpp"
#include "services/catalog/domain/checks.hpp"
#include "services/catalog/domain/event.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

Task<Result<Product>> Application::patch(Context context, PatchRequest request) {
    bool was_unknown = false;
    auto attempt = [&]() -> Task<Result<Product>> {
        auto result = co_await patch_once(context, request);
        was_unknown |= !result && result.error().kind() == ErrorKind::unknown_outcome;
        co_return result;
    };
    auto result = co_await with_retries(context, std::move(attempt));
    if (!result && was_unknown) {
        // It may have been applied, and overwritten since: a refusal would say that it was not.
        co_return failure(ErrorKind::unknown_outcome, result.error().code(),
                          result.error().message());
    }
    co_return result;
}

Task<Result<Product>> Application::patch_once(Context context, PatchRequest request) {
    auto look = pipeline(product_call(statements::lock_product, request.id),
                         product_call(statements::find_deletion, request.id));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    if (found[0].rows.empty()) { co_return failure(no_such_product()); }
    const Product product = product_of(found[0].rows[0]);
    Product wanted = patched(product, request.patch);
    RP_CO_CHECK(check_product(wanted));
    if (wanted == product) { co_return product; }
    if (request.if_version && *request.if_version != product.version) {
        co_return failure(version_differs(product.version));
    }
    if (!found[1].rows.empty()) {
        co_return failure(ErrorKind::permanent, "conflict", "the product is being deleted");
    }
    ++wanted.version;
    auto last =
        pipeline(update_call(wanted), event_call(environment_.random, updated_event, wanted));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return wanted;
}

}  // namespace rushproof::catalog
