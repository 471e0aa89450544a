// What may stand in the section `system` of a scenario file.
#pragma once
#include <string>

#include "simulator/scenario/schema_types.hpp"

namespace rushproof::simulator {

Type<SystemSpec> system_type();
// The name of a queue that the pipeline can run on.
Type<std::string> queue_type();

}  // namespace rushproof::simulator
