#include "simulator/world/share_table.hpp"

#include <algorithm>
#include <charconv>

namespace rushproof::simulator {

namespace {

// Up to the next `end`; the text goes on after it.
std::string_view cut(std::string_view& text, char end) {
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return part;
}

}  // namespace

// "member beat\n..." then "=owner\n...".
std::string ShareTable::text() const {
    std::string text;
    for (const auto& [member, beat] : members) {
        text += member + " " + std::to_string(beat) + "\n";
    }
    for (const std::string& owner : owners) { text += "=" + owner + "\n"; }
    return text;
}

ShareTable ShareTable::parse(std::string_view text) {
    ShareTable table;
    while (!text.empty()) {
        std::string_view line = cut(text, '\n');
        if (line.starts_with('=')) {
            table.owners.emplace_back(line.substr(1));
            continue;
        }
        const std::string member(cut(line, ' '));
        std::from_chars(line.data(), line.data() + line.size(), table.members[member]);
    }
    return table;
}

void ShareTable::remove(const std::string& member) {
    members.erase(member);
    std::replace(owners.begin(), owners.end(), member, std::string());
}

ShareTurn take_turn(ShareTable table, const std::string& me, std::size_t shares,
                    const std::set<std::string>& dead, const std::set<std::size_t>& released) {
    table.owners.resize(std::max(shares, table.owners.size()));
    for (const std::string& member : dead) { table.remove(member); }
    ++table.members[me];
    std::size_t owned = 0;
    for (std::size_t share = 0; share < table.owners.size(); ++share) {
        std::string& owner = table.owners[share];
        const bool given_up = owner == me && released.contains(share);
        if (given_up || !table.members.contains(owner)) { owner.clear(); }
        if (owner == me) { ++owned; }
    }
    const std::size_t members = table.members.size();
    const std::size_t fair = (table.owners.size() + members - 1) / members;
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

}  // namespace rushproof::simulator
