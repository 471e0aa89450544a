// Runs a program and takes what it prints.
#pragma once
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace rushproof::simulator {

// `environment` is added to this program's own ("NAME=value").  What the program prints on standard
// error goes to ours.  An error when it cannot be started or does not end with status 0.
Result<std::string> output_of(const std::string& program, const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment);

}  // namespace rushproof::simulator
