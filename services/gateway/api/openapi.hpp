#pragma once
#include <string_view>

namespace rushproof::gateway {

// services/gateway/api/openapi.json, compiled in.
extern const std::string_view openapi_json;

}  // namespace rushproof::gateway
