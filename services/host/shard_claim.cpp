#include "services/host/shard_claim.hpp"

#include <utility>

namespace rushproof {

namespace {

const Statement claim{
    "shard.claim",
    "INSERT INTO inventory.shard (id, number, count) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
    "INSERT INTO shard (id, number, count) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
};
const Statement read{
    "shard.read",
    "SELECT number, count FROM inventory.shard",
    "SELECT number, count FROM shard",
};

}  // namespace

const std::vector<Migration>& shard_migrations() {
    static const std::vector<Migration> migrations{{
        .version = 1,
        .name = "shard.create",
        .sql = R"(
CREATE TABLE inventory.shard (
    id bigint PRIMARY KEY CHECK (id = 1),
    number bigint NOT NULL,
    count bigint NOT NULL
);
INSERT INTO inventory.shard SELECT 1, 1, 1 WHERE EXISTS (SELECT FROM inventory.stock);
)",
        .sqlite = R"(
CREATE TABLE shard (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    number INTEGER NOT NULL,
    count INTEGER NOT NULL
);
INSERT INTO shard SELECT 1, 1, 1 WHERE EXISTS (SELECT 1 FROM stock);
)",
    }};
    return migrations;
}

Task<Result<void>> claim_shard(Database& database, Context context, Shard shard) {
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context)));
    std::vector<Call> calls;
    calls.emplace_back(claim, Row{std::int64_t{shard.number}, std::int64_t{shard.count}});
    calls.emplace_back(read, Row());
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(calls)));
    const Row& owner = answers.at(1).rows.at(0);
    const Shard owned{static_cast<std::uint32_t>(integer(owner, 0)),
                      static_cast<std::uint32_t>(integer(owner, 1))};
    if (owned == shard) { co_return Result<void>(); }
    co_return failure(ErrorKind::permanent, "wrong-shard",
                      "the database is shard " + to_string(owned) + ", not " + to_string(shard) +
                          ": give it --shard " + to_string(owned) +
                          ", or another database; moving SKUs to another number of shards needs a "
                          "new set of databases (docs/decisions/0009-shards.md)");
}

}  // namespace rushproof
