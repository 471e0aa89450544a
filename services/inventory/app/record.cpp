#include "services/inventory/app/record.hpp"

#include <utility>

#include "core/runtime/json.hpp"
#include "core/runtime/outbox.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

namespace {

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
    OutboxAppend events(random);
    for (const LedgerEntry& entry : entries) {
        events.add(entry.sku.text(), event_kind_of(entry.kind), body_of(entry));
    }
    for (const LowStock& each : low) {
        events.add(each.sku.text(), low_stock_event, body_of(each));
    }
    return pipeline(ledger_call(entries), std::move(events).call(statements::outbox::append));
}

}  // namespace rushproof::inventory
