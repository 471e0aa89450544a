// Reserving is inventory's: the product only says which SKU.  The owner and the key go along, so a
// repeat gets inventory's first answer.
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/shard.hpp"
#include "services/catalog/app/application.hpp"

namespace rushproof::catalog {

Task<Result<std::string>> Application::reserve(Context context, ProductId id,
                                               std::int64_t quantity) {
    RP_CO_TRY(const Product product, co_await get(context, std::move(id)));
    ::inventory::v1::ReserveRequest message;
    message.set_sku(product.sku.text());
    message.set_quantity(quantity);
    auto answer = co_await ask_inventory(std::move(context), "inventory.v1.Inventory/Reserve",
                                         product.sku, message.SerializeAsString());
    if (!answer && answer.error().code() == "not-found") {
        // The product is there; there just never was any stock of it.
        co_return failure(ErrorKind::permanent, "insufficient-stock",
                          product.sku.text() + ": not enough is available");
    }
    co_return answer;
}

Task<Result<std::string>> Application::ask_inventory(Context context, std::string_view method,
                                                     Sku sku, std::string request) {
    const RpcTarget target{method, sku.text(), shard_of_key(sku.text(), shards_)};
    co_return co_await environment_.rpc.call(std::move(context), target, std::move(request));
}

}  // namespace rushproof::catalog
