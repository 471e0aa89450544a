// Where calls go when inventory keeps its data in several databases, by SKU.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "services/gateway/api/forwards.hpp"

namespace rushproof::gateway {

// The shards that a call must ask, in the order of their numbers; one, but for lists.  Permanent
// "spans-shards" for a basket whose SKUs are kept in several.
Result<std::vector<std::uint32_t>> shards_for(const Forward& forward, const Outgoing& outgoing,
                                              std::uint32_t shards);

// The pages that all shards gave for one request become one: lists have one order across shards, so
// a cursor is the place of the last item, wherever that is kept.
std::string merge_pages(Reach reach, const std::string& request,
                        const std::vector<std::string>& pages);

// A SKU that this shard keeps, for asking whether it is there.
std::string probe_of(std::uint32_t shard, std::uint32_t shards);

}  // namespace rushproof::gateway
