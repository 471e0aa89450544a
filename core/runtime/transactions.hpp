// Small helpers around core/ports/database.hpp.
#pragma once
#include <utility>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof {

// A pipeline.  Name it before co_await: g++ 12 cannot build a list inside an awaited expression.
template <class... Calls>
std::vector<Call> pipeline(Calls... calls) {
    std::vector<Call> result;
    result.reserve(sizeof...(calls));
    (result.push_back(std::move(calls)), ...);
    return result;
}

// One transaction that only reads, from where `options` say: its answers.  It has no unknown
// outcome: a reading that was lost had no effect.
Task<Result<std::vector<Rows>>> read_only(Database& database, Context context,
                                          std::vector<Call> calls, TransactionOptions options = {});

}  // namespace rushproof
