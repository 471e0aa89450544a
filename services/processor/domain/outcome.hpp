// What becomes of a message.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "services/processor/domain/work.hpp"

namespace rushproof::processor {

// What was decided about one: a result, or why it can have none.
struct Decision {
    const Work* work = nullptr;
    bool success = false;
    std::string error;        // a code
    std::string result;       // JSON, or empty
    std::string reservation;  // that this one made, if it did
    std::optional<Error> dead;
};

struct StoredResult {
    std::int64_t number = 0;
    std::string id;
    std::string key;
    std::string source;
    std::string kind;
    WallTime processed_at;
    bool success = false;
    std::string error;
    std::string result;
    std::string provider;
};

struct DeadLetter {
    std::string id;
    std::string key;
    std::string provider;
    std::string reason;
    std::string detail;
    std::int64_t attempts = 0;
    WallTime dead_at;
    std::int64_t replays = 0;
    std::optional<WallTime> replayed_at;
    std::string message;  // packed
};

}  // namespace rushproof::processor
