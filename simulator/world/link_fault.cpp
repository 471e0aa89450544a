#include "simulator/world/link_fault.hpp"

namespace rushproof::simulator {

LinkFault link_fault_of(const LinkTrouble& trouble, Scheduler& scheduler) {
    LinkFault fault;
    fault.id = trouble.id;
    fault.hold = trouble.hold;
    fault.delay = trouble.delay;
    fault.jitter = trouble.jitter;
    const auto machines_of = [&scheduler](const std::string& name) {
        std::vector<std::string> names;
        for (const Machine& machine : scheduler.machines()) {
            if (machine.name() == name || machine.name().starts_with(name + "/")) {
                names.push_back(machine.name());
            }
        }
        return name.empty() ? std::vector<std::string>{""} : names;
    };
    for (const auto& [from, to] : trouble.links) {
        for (const auto& source : machines_of(from)) {
            for (const auto& target : machines_of(to)) { fault.links.push_back({source, target}); }
        }
    }
    return fault;
}

}  // namespace rushproof::simulator
