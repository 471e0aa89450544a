// Who of a group consumes which share of a topic, where a broker does not decide it: one table per
// group, which every member reads and writes again (compare and set) every half a second.  Decides
// only; no clock, no connection.
//
// Clocks are never compared: a member is taken for dead when another one has looked at the table
// for `silence` without seeing it change its beat.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rushproof {

struct ShareTable {
    std::map<std::string, std::uint64_t> members;  // and how often they wrote it
    std::vector<std::string> owners;               // of each share; empty: nobody

    friend bool operator==(const ShareTable&, const ShareTable&) = default;
};

std::string write_share_table(const ShareTable& table);
// An empty text is an empty table.  Error: permanent "malformed".
Result<ShareTable> read_share_table(std::string_view text);

struct ShareTurn {
    ShareTable table;             // to be written
    std::set<std::size_t> mine;   // once it is written
    std::set<std::size_t> spare;  // of them, what others should have: to be let go of when idle
};

// What the table becomes when `me` takes its turn: the dead and what they had go, `released` shares
// are given up, free ones are taken up to a fair part.
ShareTurn take_turn(ShareTable table, const std::string& me, std::size_t shares,
                    const std::set<std::string>& dead, const std::set<std::size_t>& released);

// The table without `me`.
ShareTable leave(ShareTable table, const std::string& me);

// What one member knows of the others' beats.
class ShareWatch {
public:
    ShareWatch(Duration silence, Duration gap_max) : silence_(silence), gap_max_(gap_max) {}

    // The members who are dead.  After a gap without looking, everybody is given the whole time
    // again: it may have been us who were away, or the server.
    std::set<std::string> look(const ShareTable& table, const std::string& me, MonotonicTime now);

private:
    struct Seen {
        std::uint64_t beat = 0;
        MonotonicTime since;
    };
    Duration silence_;
    Duration gap_max_;
    MonotonicTime looked_;
    std::map<std::string, Seen> seen_;
};

}  // namespace rushproof
