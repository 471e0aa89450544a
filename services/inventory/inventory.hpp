// inventory: owns stock, reservations and the ledger.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/strong.hpp"
#include "core/base/time.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/runtime/events.hpp"
#include "core/runtime/shard.hpp"
#include "services/inventory/mutant.hpp"

namespace rushproof::inventory {

// How a reservation is made safe (README.md).  naive is the negative control: it oversells.  All
// instances on one database run advisory_lock, or none does; the others may be mixed.
enum class Strategy : std::uint8_t {
    naive,
    pessimistic,
    conditional,
    optimistic,
    batched,
    serializable,
    advisory_lock,
    table_lock,
};

std::string_view to_string(Strategy strategy);
// One sentence, for people.
std::string_view describe(Strategy strategy);
std::optional<Strategy> parse_strategy(std::string_view word);
const std::vector<Strategy>& all_strategies();

struct Options {
    Strategy strategy = Strategy::batched;
    Duration reservation_ttl = std::chrono::minutes(10);
    Duration sweep_interval = std::chrono::seconds(1);
    // How often the outbox is looked at when it was empty.
    Duration relay_interval = std::chrono::seconds(1);
    EventOptions events{};
    // An event tells when less than this becomes available of a SKU; 0: never.
    Quantity low_stock{10};
    // Which SKUs it keeps (core/runtime/shard.hpp); calls about others are refused with
    // "wrong-shard".
    Shard shard{};
    // Where calls that only read go: a replica may lag, but never behind their context's position.
    Route reads = Route::primary;
    Mutant mutant = Mutant::none;
};

// Answers inventory.v1 (core/protocol/inventory.proto) over the Environment's database.  Throws
// std::invalid_argument for options out of range.
std::unique_ptr<Service> make_inventory(Environment& environment, Options options);

// The schema that inventory needs, for the host to apply before it starts.
const std::vector<Migration>& migrations();

}  // namespace rushproof::inventory
