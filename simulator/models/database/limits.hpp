// What the model does not do as PostgreSQL does it, in sentences that a report can print.
#pragma once
#include <span>
#include <string_view>

namespace rushproof::simulator {

std::span<const std::string_view> model_database_limits();

}  // namespace rushproof::simulator
