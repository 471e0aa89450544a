#include "core/runtime/idempotency_sql.hpp"

namespace rushproof {

IdempotencySql::IdempotencySql(RoleTables tables)
    : maker_(tables),
      claim_key(maker_.make("claim_key",
                            "INSERT INTO @idempotency (owner, operation, key, fingerprint, result, "
                            "created_at) VALUES ($1, $2, $3, $4, $5, transaction_time()) "
                            "ON CONFLICT DO NOTHING",
                            "")),
      find_result(maker_.make("find_result",
                              "SELECT fingerprint, result FROM @idempotency "
                              "WHERE owner = $1 AND operation = $2 AND key = $3",
                              "")),
      forget_keys(
          maker_.make("forget_keys",
                      "DELETE FROM @idempotency "
                      "WHERE created_at < transaction_time() - $1::bigint * interval "
                      "'1 microsecond'",
                      "DELETE FROM @idempotency WHERE created_at < transaction_time() - $1")),
      keys(maker_.table("idempotency")) {}

}  // namespace rushproof
