#include "core/runtime/share_table.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rushproof {

std::string write_share_table(const ShareTable& table) {
    boost::json::object members;
    for (const auto& [member, beat] : table.members) { members[member] = beat; }
    boost::json::array owners;
    for (const std::string& owner : table.owners) {
        owners.push_back(boost::json::value(owner.c_str()));
    }
    boost::json::object text;
    text["members"] = std::move(members);
    text["owners"] = std::move(owners);
    return boost::json::serialize(text);
}

Result<ShareTable> read_share_table(std::string_view text) {
    ShareTable table;
    if (text.empty()) { return table; }
    boost::system::error_code broken;
    const auto read = boost::json::parse(text, broken);
    try {
        if (broken) { throw boost::system::system_error(broken); }
        for (const auto& [member, beat] : read.at("members").as_object()) {
            table.members[member] = beat.to_number<std::uint64_t>();
        }
        for (const auto& owner : read.at("owners").as_array()) {
            table.owners.emplace_back(owner.as_string());
        }
    } catch (const std::exception&) {
        return failure(ErrorKind::permanent, "malformed", "the table of shares is broken");
    }
    return table;
}

ShareTurn take_turn(ShareTable table, const std::string& me, std::size_t shares,
                    const std::set<std::string>& dead, const std::set<std::size_t>& released) {
    // Never fewer: somebody with more shares may be about to go.
    table.owners.resize(std::max(shares, table.owners.size()));
    for (const std::string& member : dead) { table = leave(std::move(table), member); }
    ++table.members[me];
    std::size_t owned = 0;
    for (std::size_t share = 0; share < table.owners.size(); ++share) {
        std::string& owner = table.owners[share];
        if ((owner == me && released.contains(share)) || !table.members.contains(owner)) {
            owner.clear();
        }
        owned += owner == me ? 1 : 0;
    }
    const std::size_t fair =
        (table.owners.size() + table.members.size() - 1) / table.members.size();
    ShareTurn turn;
    for (std::size_t share = 0; share < shares; ++share) {
        std::string& owner = table.owners[share];
        if (owner.empty() && owned < fair && !released.contains(share)) {
            owner = me;
            ++owned;
        }
        if (owner != me) { continue; }
        if (turn.mine.size() >= fair) { turn.spare.insert(share); }
        turn.mine.insert(share);
    }
    turn.table = std::move(table);
    return turn;
}

ShareTable leave(ShareTable table, const std::string& me) {
    table.members.erase(me);
    for (std::string& owner : table.owners) {
        if (owner == me) { owner.clear(); }
    }
    return table;
}

std::set<std::string> ShareWatch::look(const ShareTable& table, const std::string& me,
                                       MonotonicTime now) {
    if (now - looked_ > gap_max_) { seen_.clear(); }
    looked_ = now;
    std::erase_if(seen_, [&](const auto& known) { return !table.members.contains(known.first); });
    std::set<std::string> dead;
    for (const auto& [member, beat] : table.members) {
        if (member == me) { continue; }
        const auto [known, is_new] = seen_.try_emplace(member, Seen{beat, now});
        if (known->second.beat != beat) { known->second = Seen{beat, now}; }
        if (now - known->second.since >= silence_) { dead.insert(member); }
    }
    return dead;
}

}  // namespace rushproof
