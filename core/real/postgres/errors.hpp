// What PostgreSQL's error codes mean to a caller of the database port.
#pragma once
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace rushproof::postgres {

// Of an error that the server reported, not in COMMIT's place or before COMMIT had begun: no
// effect. `sqlstate` is PostgreSQL's five characters; empty when the server said nothing and is
// gone.
Error error_of(std::string_view sqlstate, std::string message);

Error connection_lost(std::string message);

// The same trouble, when it hit a COMMIT that was sent.
Error commit_unknown(std::string message);

}  // namespace rushproof::postgres
