// inventory.v1 on the wire: checks what comes in, calls the use cases, writes what goes out.
#pragma once
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/rpc.hpp"
#include "core/protocol/inventory.pb.h"
#include "core/runtime/rpc_calls.hpp"
#include "core/runtime/shard.hpp"
#include "services/inventory/app/application.hpp"

namespace rushproof::inventory {

namespace wire = ::inventory::v1;

class Api {
public:
    // Calls under way count as visits to `scope`.
    Api(Application& application, Environment& environment, Scope& scope, Shard shard);

    // The handlers refer to this object.
    std::vector<RpcMethod> methods();

    // From now on every new call is refused, retryably.
    void close() { calls_.close(); }

private:
    using Answer = RpcCalls::Answer;
    template <class Request>
    using Handler = Answer (Api::*)(Context, Request);

    Answer reserve(Context context, wire::ReserveRequest request);
    Answer reserve_basket(Context context, wire::BasketRequest request);
    Answer extend(Context context, wire::ReservationRequest request);
    Answer list_reservations(Context context, wire::ListReservationsRequest request);
    Answer get_reservation(Context context, wire::ReservationRequest request);
    Answer confirm(Context context, wire::ReservationRequest request);
    Answer release(Context context, wire::ReservationRequest request);
    Answer get_stock(Context context, wire::StockRequest request);
    Answer set_stock(Context context, wire::SetStockRequest request);
    Answer adjust_stock(Context context, wire::AdjustStockRequest request);
    Answer adjust_stocks(Context context, wire::AdjustStocksRequest request);
    Answer list_stock(Context context, wire::ListStockRequest request);
    Answer get_ledger(Context context, wire::LedgerRequest request);

    Answer end(Context context, Ending wish, wire::ReservationRequest request);

    template <class Request>
    RpcMethod method(std::string_view name, Handler<Request> handler);

    Application& application_;
    RpcCalls calls_;
    Shard shard_;
};

}  // namespace rushproof::inventory
