// Creating: one transaction of two round trips that claims the idempotency key and then writes
// product and event together with the commit.
#include <utility>

#include "core/runtime/uuid.hpp"
#include "services/catalog/app/application.hpp"
#include "services/catalog/domain/checks.hpp"
#include "services/catalog/domain/event.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

namespace {

constexpr std::string_view operation = "create";

std::vector<Call> claim_calls(const CreateRequest& request, const ProductId& id) {
    const IdempotencySql& keys = statements::keys();
    const Row key{request.owner.text(), std::string(operation), request.key.text()};
    Row claim = key;
    claim.emplace_back(as_json(request.product));
    claim.emplace_back(id.text());
    return pipeline(Call(keys.claim_key, std::move(claim)), Call(keys.find_result, key));
}

// The answer to a repeat: what the first use of its key made.
Result<Product> first_answer(const CreateRequest& request, const Rows& found) {
    if (found.rows.empty()) {
        return failure(ErrorKind::retryable, "key-in-flight", "the key was just forgotten");
    }
    if (text(found.rows[0], 0) != as_json(request.product)) { return failure(key_reused()); }
    Product product = request.product;
    product.id = ProductId(text(found.rows[0], 1));
    return product;
}

}  // namespace

Task<Result<Product>> Application::create(Context context, CreateRequest request) {
    auto attempt = [&] { return create_once(context, request); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Product>> Application::create_once(Context context, CreateRequest request) {
    Product product = request.product;
    product.id = ProductId(uuid_v4(environment_.random));
    auto first = claim_calls(request, product.id);
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(first)));
    if (answers[0].affected == 0) { co_return first_answer(request, answers[1]); }
    auto last =
        pipeline(insert_call(product), event_call(environment_.random, created_event, product));
    const auto written = co_await transaction->commit(std::move(last));
    if (!written && written.error().code() == "unique-violation") {
        co_return failure(ErrorKind::permanent, "conflict",
                          "sku " + product.sku.text() + " belongs to another product");
    }
    RP_CO_CHECK(written);
    co_return product;
}

}  // namespace rushproof::catalog
