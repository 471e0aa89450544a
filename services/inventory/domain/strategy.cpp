#include <array>

#include "services/inventory/inventory.hpp"

namespace rushproof::inventory {

namespace {

constexpr std::array<std::string_view, 8> words{"naive",         "pessimistic", "conditional",
                                                "optimistic",    "batched",     "serializable",
                                                "advisory-lock", "table-lock"};

}  // namespace

std::string_view to_string(Strategy strategy) { return words[static_cast<std::size_t>(strategy)]; }

std::string_view describe(Strategy strategy) {
    switch (strategy) {
        case Strategy::naive:
            return "reads the stock, then writes what it computed: the negative control, it "
                   "oversells";
        case Strategy::pessimistic: return "locks the stock row first (SELECT ... FOR UPDATE)";
        case Strategy::conditional: return "one UPDATE that names its condition in WHERE";
        case Strategy::optimistic:
            return "writes only if the version is still the one it read, else tries again";
        case Strategy::batched:
            return "one transaction serves all who wait: locks once, decides first come, first "
                   "served, writes once";
        case Strategy::serializable:
            return "reads without a lock in a SERIALIZABLE transaction, and tries again when the "
                   "database refuses it";
        case Strategy::advisory_lock:
            return "locks a key that stands for the SKU (pg_advisory_xact_lock), then reads and "
                   "writes";
        case Strategy::table_lock:
            return "locks the whole table of stock, then reads and writes: one reserve at a time";
    }
    return "invalid";
}

std::optional<Strategy> parse_strategy(std::string_view word) {
    for (const Strategy strategy : all_strategies()) {
        if (to_string(strategy) == word) { return strategy; }
    }
    return std::nullopt;
}

const std::vector<Strategy>& all_strategies() {
    static const std::vector<Strategy> all{
        Strategy::naive,   Strategy::pessimistic,  Strategy::conditional,   Strategy::optimistic,
        Strategy::batched, Strategy::serializable, Strategy::advisory_lock, Strategy::table_lock};
    return all;
}

}  // namespace rushproof::inventory
