// One run, from scenario and seed to record and files, in either world.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "simulator/record/run_record.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

struct RunDirectory {
    std::filesystem::path path;
    bool keep = false;  // also when the run passes
};

// rushproofd as installed or built next to this program.
std::filesystem::path program_beside_this_one();
// infra/stack/stack of the repository, where this program was built in one.
std::filesystem::path stack_program();

struct LiveSettings {
    std::string program;  // rushproofd; empty: beside this program
};

// The cells of a matrix that have each of these values ("reservation=naive"); all without filters.
std::vector<Scenario> keep_cells(std::vector<Scenario> scenarios,
                                 const std::vector<std::string>& only);

RunRecord run_in_virtual_time(const Scenario& scenario, std::uint64_t seed,
                              const std::vector<std::string>& overrides,
                              const RunDirectory& directory);
RunRecord run_in_real_time(const Scenario& scenario, std::uint64_t seed,
                           const std::vector<std::string>& overrides, const LiveSettings& live,
                           const RunDirectory& directory);

}  // namespace rushproof::simulator
