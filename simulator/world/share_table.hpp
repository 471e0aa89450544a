// Who of a group consumes which share of a topic of NATS, as core/real/nats agrees on it: one table
// per group, which every member reads and writes again (compare and set) several times a second.
// Decides only.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace rushproof::simulator {

struct ShareTable {
    std::map<std::string, std::uint64_t> members;  // and how often they wrote it
    std::vector<std::string> owners;               // of each share; empty: nobody

    std::string text() const;
    // What text() wrote; an empty table of what it did not.
    static ShareTable parse(std::string_view text);
    void remove(const std::string& member);
};

struct ShareTurn {
    ShareTable table;             // to be written
    std::set<std::size_t> mine;   // once it is written
    std::set<std::size_t> spare;  // of them, what others should have: to be let go of when idle
};

// What the table becomes when `me` takes its turn: the dead and what they had go, `released` shares
// are given up, free ones are taken up to a fair part.
ShareTurn take_turn(ShareTable table, const std::string& me, std::size_t shares,
                    const std::set<std::string>& dead, const std::set<std::size_t>& released);

// What one member knows of the others' beats: dead is whose beat it has not seen change for
// `silence`.  After a gap without looking, everybody is given the whole time again.
class ShareWatch {
public:
    ShareWatch(Duration silence, Duration gap_max) : silence_(silence), gap_max_(gap_max) {}

    std::set<std::string> look(const ShareTable& table, const std::string& me, MonotonicTime now);

private:
    struct Seen {
        std::uint64_t beat;
        MonotonicTime since;
    };
    Duration silence_;
    Duration gap_max_;
    MonotonicTime looked_{};
    std::map<std::string, Seen> seen_;
};

}  // namespace rushproof::simulator
