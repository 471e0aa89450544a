#include "services/inventory/app/record.hpp"

#include <utility>

#include "core/runtime/json.hpp"
#include "core/runtime/outbox.hpp"
#include "core/runtime/uuid.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

namespace {

class Events {
public:
    explicit Events(Random& random) : random_(random) {}

    void add(const Sku& sku, std::string_view kind, std::string body) {
        ids_.push_back(uuid_v4(random_));
        lanes_.push_back(outbox_lane(sku.text()));
        skus_.push_back(sku.text());
        kinds_.emplace_back(kind);
        bodies_.push_back(std::move(body));
    }

    Call call() && {
        return {statements::outbox::append,
                {std::move(ids_), std::move(lanes_), std::move(skus_), std::move(kinds_),
                 std::move(bodies_)}};
    }

private:
    Random& random_;
    std::vector<std::string> ids_;
    std::vector<std::int64_t> lanes_;
    std::vector<std::string> skus_;
    std::vector<std::string> kinds_;
    std::vector<std::string> bodies_;
};

std::string body_of(const LedgerEntry& entry) {
    JsonWriter json;
    json.begin_object();
    json.member("quantity", entry.quantity.units());
    if (!entry.reservation.empty()) { json.member("reservation", entry.reservation.text()); }
    json.end_object();
    return std::move(json).text();
}

std::string body_of(const LowStock& low) {
    JsonWriter json;
    json.begin_object();
    json.member("available", low.available.units());
    json.end_object();
    return std::move(json).text();
}

}  // namespace

std::vector<Call> record_calls(Random& random, const std::vector<LedgerEntry>& entries,
                               const std::vector<LowStock>& low) {
    Events events(random);
    for (const LedgerEntry& entry : entries) {
        events.add(entry.sku, event_kind_of(entry.kind), body_of(entry));
    }
    for (const LowStock& each : low) { events.add(each.sku, low_stock_event, body_of(each)); }
    return pipeline(ledger_call(entries), std::move(events).call());
}

}  // namespace rushproof::inventory
