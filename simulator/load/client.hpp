// The public REST API as its clients see it: requests out, answers and problems in.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"

namespace rushproof::simulator {

// SKUs and how many units of each; one that comes twice adds up.
using Items = std::vector<std::pair<std::string, std::int64_t>>;

struct ReservationAnswer {
    std::string id;
    std::string state;     // held | confirmed | released | expired
    std::string position;  // of a write: reads that send it back see the effect
};
struct StockAnswer {
    std::int64_t on_hand = 0;
    std::int64_t held = 0;
    std::int64_t sold = 0;
    std::int64_t available = 0;
};
struct LedgerRow {
    std::int64_t number = 0;
    std::string reservation;  // the server's identifier; empty for stock changes
    std::string key;          // the idempotency key of its reserve
    std::string kind;         // stock | reserve | confirm | release | expire
    std::int64_t quantity = 0;
    std::int64_t at_us = 0;  // since 1970, by the database's clock
};
struct LedgerPage {
    std::vector<LedgerRow> rows;
    std::optional<std::int64_t> next;  // continue after this number; nothing: that was all
};

// Every call sends the context's position, if it has one.
//
// Each method is one attempt: no retries, and it ends by the context's deadline.  A problem answer
// becomes an Error with the kind and code that its body names.  An answer that cannot be understood
// is of unknown outcome, unless its status says that the request had no effect (4xx).
class ReservationClient {
public:
    // Any number of calls at once; `http` outlives them all.
    explicit ReservationClient(HttpClient& http) : http_(http) {}

    // The context carries the idempotency key, and the owner as principal.
    Task<Result<ReservationAnswer>> reserve(Context context, std::string sku,
                                            std::int64_t quantity);
    // The message of "insufficient-stock" begins with the SKU that refused, and a colon.
    Task<Result<ReservationAnswer>> reserve(Context context, Items items);
    Task<Result<ReservationAnswer>> confirm(Context context, std::string id);
    Task<Result<ReservationAnswer>> release(Context context, std::string id);
    Task<Result<ReservationAnswer>> extend(Context context, std::string id);
    Task<Result<ReservationAnswer>> find(Context context, std::string id);
    Task<Result<StockAnswer>> stock(Context context, std::string sku);
    Task<Result<StockAnswer>> set_stock(Context context, std::string sku, std::int64_t on_hand);
    Task<Result<LedgerPage>> ledger(Context context, std::string sku, std::int64_t after,
                                    std::int64_t limit);

private:
    Task<Result<ReservationAnswer>> create(Context context, std::string path, std::string body);
    Task<Result<ReservationAnswer>> change(Context context, std::string id, std::string verb);

    Task<Result<HttpResponse>> send(Context context, HttpRequest request);

    HttpClient& http_;
};

}  // namespace rushproof::simulator
