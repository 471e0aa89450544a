// The use cases of catalog, one file each.  All state is in the database; the only thing kept here
// is the budget for retries.
//
// Locks, so that no two transactions can wait for each other: a create takes its idempotency key,
// then the SKU; whoever changes or deletes a product takes its row, then its deletion.  No
// transaction is open while inventory is asked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/retry.hpp"
#include "services/catalog/domain/product.hpp"
#include "services/catalog/limits.hpp"

namespace rushproof::catalog {

struct CreateRequest {
    Owner owner;
    IdempotencyKey key;
    Product product;  // without an id
};

struct PatchRequest {
    ProductId id;
    Patch patch;
    // Only if the product has this version.
    std::optional<std::int64_t> if_version;
};

struct DeleteRequest {
    ProductId id;
    std::optional<std::int64_t> if_version;
};

struct ProductPage {
    std::string category;  // empty: any
    ProductId after;
    std::int64_t limit = limits::page_default;
};

// Any number of calls may be under way.  Errors of all of them, beside their own: retryable and
// unknown outcome as the database answered, after retries within the context's deadline.
class Application {
public:
    // `shards`: databases over which inventory's SKUs are spread.
    Application(Environment& environment, std::uint32_t shards)
        : environment_(environment), shards_(shards) {}

    // A repeat under the same key gets the first answer.  "conflict" if another product has the
    // SKU, "key-reused".
    Task<Result<Product>> create(Context context, CreateRequest request);
    Task<Result<Product>> get(Context context, ProductId id);
    Task<Result<std::vector<Product>>> list(Context context, ProductPage page);
    // The product as it is now.  "not-found", "precondition-failed", "conflict" while it is being
    // deleted, "invalid" if nothing good came of it.  A patch that is already applied changes
    // nothing and is well, whatever the version.
    Task<Result<Product>> patch(Context context, PatchRequest request);
    // "not-found" if there never was such a product, "precondition-failed", "conflict" while
    // reservations of its SKU are held.  Deleting what was deleted is well.
    Task<Result<void>> remove(Context context, DeleteRequest request);
    // What inventory answers to a reserve of the product's SKU: a message of inventory.v1.
    // "not-found", and inventory's own errors.
    Task<Result<std::string>> reserve(Context context, ProductId id, std::int64_t quantity);

    // Takes up deletions that nobody finished; returns how many.
    Task<Result<std::size_t>> settle_deletions(Context context);
    // Forgets keys and deletions past their retention; returns how many.
    Task<Result<std::size_t>> forget(Context context);
    // Is the database there?
    Task<Result<bool>> ping(Context context);

private:
    Task<Result<Rows>> read(Context context, Call call);
    Task<Result<Product>> create_once(Context context, CreateRequest request);
    Task<Result<Product>> patch_once(Context context, PatchRequest request);
    // Steps of a deletion.  begin: the product, or nothing if it is deleted already.
    Task<Result<std::optional<Product>>> begin_deletion(Context context, DeleteRequest request);
    Task<Result<void>> finish_deletion(Context context, Product product);
    Task<Result<void>> undo_deletion(Context context, ProductId id);
    // Inventory's: takes all that is there of a SKU, so that nothing of it can be held any more.
    Task<Result<void>> empty_stock(Context context, Sku sku);

    // Again on retryable errors; on unknown outcomes too, because every use case here may be
    // repeated.  `operation` is a callable that returns Task<Result<...>>.
    template <class Operation>
    auto with_retries(const Context& context, Operation operation) {
        const RetryLimits limits{limits::retry_policy, context.deadline, Repeatable::yes};
        return retry(environment_.clock, environment_.random, retry_budget_, limits,
                     std::move(operation));
    }

    // Of the shard that keeps the SKU.
    Task<Result<std::string>> ask_inventory(Context context, std::string_view method, Sku sku,
                                            std::string request);

    Environment& environment_;
    std::uint32_t shards_;
    RetryBudget retry_budget_{limits::retries_saved, limits::retries_per_hundred_calls};
};

}  // namespace rushproof::catalog
