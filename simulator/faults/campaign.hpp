// Carries out a plan of faults on a world and keeps the record of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/faults/fault.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"

namespace rushproof::simulator {

// The world calls begin() and end() at the moments that it is told; times are ns since the start of
// the run.
class Campaign {
public:
    // `chaos` and `history` outlive the campaign.
    Campaign(std::vector<PlannedFault> plan, Chaos& chaos, History& history);

    struct Moment {
        Duration at;
        std::size_t fault;
        bool begins;
    };
    // Of all faults that begin at a time, in order; those at a fault point come by begin() alone.
    std::vector<Moment> moments() const;
    const std::vector<PlannedFault>& plan() const { return plan_; }
    // How long it lasts once begun.
    Duration length(std::size_t fault) const;

    // Somebody reached its fault point: a fault that is about any is about that one.
    void aim(std::size_t fault, const std::string& instance);
    void begin(std::size_t fault, std::int64_t now);
    void end(std::size_t fault, std::int64_t now);
    // Of that id.
    void end(const std::string& id, std::int64_t now);
    // Ends whatever is still under way.
    void heal_all(std::int64_t now);

    const std::vector<FaultRecord>& records() const { return records_; }

private:
    void note(std::size_t fault, std::int64_t now, bool begins, const std::string& evidence);

    std::vector<PlannedFault> plan_;
    Chaos& chaos_;
    History& history_;
    std::vector<FaultRecord> records_;
};

}  // namespace rushproof::simulator
