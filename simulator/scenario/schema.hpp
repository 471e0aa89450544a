// What may stand in a scenario file, for editors and for people.  Both come from the same tables
// that the parser reads with.
#pragma once
#include <string>

namespace rushproof::simulator {

// JSON Schema, draft 2020-12, indented: scenarios/schema/scenario-1.json.
std::string scenario_json_schema();

// The reference tables of docs/scenario.md, in Markdown.
std::string scenario_reference();

}  // namespace rushproof::simulator
