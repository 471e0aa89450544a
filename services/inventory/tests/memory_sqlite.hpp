// SQLite in memory with inventory's tables.
#pragma once
#include <utility>

#include "core/runtime/tests/memory_sqlite.hpp"
#include "services/inventory/inventory.hpp"

namespace rushproof::inventory {

class MemorySqlite final : public rushproof::MemorySqlite {
public:
    explicit MemorySqlite(std::function<WallTime()> wall)
        : rushproof::MemorySqlite(std::move(wall)) {
        migrate(migrations());
    }
};

}  // namespace rushproof::inventory
