// Who asked for what under which key, and what came of it.  A key is claimed in the transaction of
// its effect, so that its effect happens once.  The table, in the role's own migrations:
//   idempotency (owner, operation, key, fingerprint, result, created_at), the first three unique
#pragma once
#include <string_view>
#include <vector>

#include "core/runtime/role_tables.hpp"

namespace rushproof {

class IdempotencySql {
    StatementMaker maker_;

public:
    explicit IdempotencySql(RoleTables tables);
    IdempotencySql(const IdempotencySql&) = delete;
    IdempotencySql& operator=(const IdempotencySql&) = delete;

    // $1..$5 owner, operation, key, fingerprint, result: nothing if the key is taken.  Waits for a
    // transaction under way that claims the same.
    const Statement claim_key;
    const Statement find_result;  // $1..$3 -> fingerprint, result
    const Statement forget_keys;  // $1 age in us

    std::vector<const Statement*> all() const { return {&claim_key, &find_result, &forget_keys}; }

    const std::string_view keys;  // the table's name in the simulated database
};

}  // namespace rushproof
