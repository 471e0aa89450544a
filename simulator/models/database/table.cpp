#include "simulator/models/database/table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

enum class Tag : char { null = 0, integer = 1, time = 2, text = 3, bytes = 4 };

void append_integer(std::string& to, Tag tag, std::int64_t value) {
    // Flipping the sign bit makes unsigned order equal signed order.
    const std::uint64_t ordered = static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63);
    to.push_back(static_cast<char>(tag));
    char bytes[8];
    for (std::size_t i = 0; i < 8; ++i) { bytes[i] = static_cast<char>(ordered >> (56 - 8 * i)); }
    to.append(bytes, 8);
}

// A zero byte becomes 00 FF and the end is 00 01, so that no value is a prefix of another one.
void append_text(std::string& to, Tag tag, const std::string& value) {
    to.push_back(static_cast<char>(tag));
    std::size_t copied = 0;
    for (auto zero = value.find('\0'); zero != value.npos; zero = value.find('\0', copied)) {
        to.append(value, copied, zero + 1 - copied);
        to.push_back('\xFF');
        copied = zero + 1;
    }
    to.append(value, copied);
    to.append("\0\1", 2);
}

void append_value(std::string& to, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        append_integer(to, Tag::integer, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        append_text(to, Tag::text, *text);
    } else if (const auto* time = std::get_if<WallTime>(&value)) {
        append_integer(to, Tag::time, time->time_since_epoch().count());
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
        append_text(to, Tag::bytes, bytes->data);
    } else {
        RP_ASSERT(std::holds_alternative<std::monostate>(value));  // arrays are no columns
        to.push_back(static_cast<char>(Tag::null));
    }
}

std::string encode(const Row& row, const std::vector<std::size_t>& columns) {
    std::string result;
    for (const std::size_t column : columns) { append_value(result, row[column]); }
    return result;
}

std::string encode(const Row& values) {
    std::string result;
    for (const Value& value : values) { append_value(result, value); }
    return result;
}

// What operator== says, quicker for the usual kinds.
bool same(const Value& a, const Value& b) {
    if (a.index() != b.index()) { return false; }
    if (const auto* text = std::get_if<std::string>(&a)) {
        return *text == std::get<std::string>(b);
    }
    return a == b;
}

bool equal_in(const std::vector<std::size_t>& columns, const Row& a, const Row& b) {
    return std::all_of(columns.begin(), columns.end(),
                       [&](std::size_t column) { return same(a[column], b[column]); });
}

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

}  // namespace

// The head is the first nine bytes (tag and first eight of the value) without the last three bits,
// so that the tag, of three bits, has room.
Key::Key(std::string bytes) : bytes_(std::move(bytes)) {
    for (std::size_t i = 1; i <= 8; ++i) {
        const char byte = i < bytes_.size() ? bytes_[i] : '\0';
        head_ = head_ << 8 | static_cast<unsigned char>(byte);
    }
    head_ = head_ >> 3 | static_cast<std::uint64_t>(bytes_[0]) << 61;
}

const Version* Slot::visible(const Snapshot& snapshot) const {
    const std::size_t unseen = first_unseen(snapshot);
    return unseen == 0 || versions[unseen - 1].deleted ? nullptr : &versions[unseen - 1];
}

std::size_t Slot::first_unseen(const Snapshot& snapshot) const {
    std::size_t unseen = versions.size();
    for (; unseen > 0; --unseen) {
        const Version& version = versions[unseen - 1];
        const bool seen =
            version.writer == nullptr
                ? version.visible_since <= snapshot.commit_number
                : version.writer == snapshot.reader && version.command < snapshot.command;
        if (seen) { break; }
    }
    return unseen;
}

const Version* Slot::newest(const ModelBackend* reader) const {
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
        if (version->writer == nullptr || version->writer == reader) { return &*version; }
    }
    return nullptr;
}

std::size_t Slot::first_uncommitted() const {
    std::size_t first = versions.size();
    while (first > 0 && versions[first - 1].writer != nullptr) { --first; }
    return first;
}

void Slot::release(const ModelBackend* holder) {
    for (auto held = holders.begin(); held != holders.end(); ++held) {
        if (held->backend == holder) {
            holders.erase(held);
            return;
        }
    }
}

// NULL equals nothing, as in SQL.
bool matches(const RowFilter& filter, const Row& row) {
    for (std::size_t i = 0; i < filter.columns.size(); ++i) {
        if (is_null(filter.values[i]) || !same(row[filter.columns[i]], filter.values[i])) {
            return false;
        }
    }
    return !filter.where || filter.where(row);
}

Table::Table(ModelTable definition) : definition_(std::move(definition)) {
    RP_ASSERT(definition_.key_columns >= 1);
    RP_ASSERT(definition_.key_columns <= definition_.columns.size());
    key_columns_.resize(definition_.key_columns);
    std::iota(key_columns_.begin(), key_columns_.end(), std::size_t{0});
    for (const auto& columns : definition_.indexes) { indexes_.push_back(Index{columns, {}}); }
}

Key Table::key_of(const Row& row) const { return Key(encode(row, key_columns_)); }

bool Table::same_key(const Row& a, const Row& b) const { return equal_in(key_columns_, a, b); }

bool Table::key_complete(const Row& row) const {
    return std::none_of(key_columns_.begin(), key_columns_.end(),
                        [&](std::size_t column) { return is_null(row[column]); });
}

Slot& Table::slot(Key key) {
    const auto [entry, inserted] = slots_.try_emplace(std::move(key), *this);
    if (inserted) { entry->second.key = &entry->first; }
    return entry->second;
}

// Calls visit(slot, selected); `selected`: its columns are known to be equal already.
template <class Visit>
void Table::visit(const RowFilter& filter, Visit visit) {
    RP_ASSERT(filter.columns.size() == filter.values.size());
    if (std::any_of(filter.values.begin(), filter.values.end(), is_null)) { return; }
    const std::optional<std::size_t> index = index_for(filter);
    if (!index) {
        for (auto& [key, slot] : slots_) { visit(slot, false); }
        return;
    }
    if (*index == 0) {
        const auto entry = slots_.find(Key(encode(filter.values)));
        if (entry != slots_.end()) { visit(entry->second, true); }
        return;
    }
    auto& entries = indexes_[*index - 1].entries;
    const auto entry = entries.find(encode(filter.values));
    if (entry == entries.end()) { return; }
    for (const Entry& indexed : entry->second) {
        visit(*indexed.slot, indexed.slot->versions.size() == 1);
    }
}

std::vector<Candidate> Table::find(const RowFilter& filter, const Snapshot& snapshot) {
    std::vector<Candidate> result;
    visit(filter, [&](Slot& slot, bool selected) {
        const Version* version = slot.visible(snapshot);
        if (version == nullptr) { return; }
        const Row& row = *version->row;
        if (selected ? !filter.where || filter.where(row) : matches(filter, row)) {
            result.push_back(Candidate{&slot, version->row, version->incarnation});
        }
    });
    return result;
}

std::vector<Slot*> Table::considered(const RowFilter& filter) {
    std::vector<Slot*> result;
    visit(filter, [&](Slot& slot, bool) { result.push_back(&slot); });
    return result;
}

std::optional<std::size_t> Table::index_for(const RowFilter& filter) const {
    if (filter.columns.empty()) { return std::nullopt; }
    if (filter.columns == key_columns_) { return 0; }
    for (std::size_t i = 0; i < indexes_.size(); ++i) {
        if (indexes_[i].columns == filter.columns) { return i + 1; }
    }
    return std::nullopt;
}

std::string Table::value_of(const RowFilter& filter) const { return encode(filter.values); }

std::string Table::index_value(std::size_t index, const Row& row) const {
    return index == 0 ? key_of(row).bytes() : encode(row, indexes_[index - 1].columns);
}

void Table::add(Slot& slot, Version version) {
    add_to_indexes(slot, *version.row);
    slot.versions.push_back(std::move(version));
}

void Table::commit(Slot& slot, std::uint64_t commit_number, Duration at) {
    erase_versions(slot, slot.first_uncommitted(), slot.versions.size() - 1);
    Version& version = slot.versions.back();
    version.writer = nullptr;
    version.visible_since = commit_number;
    version.committed_at = at;
}

void Table::roll_back(Slot& slot) {
    erase_versions(slot, slot.first_uncommitted(), slot.versions.size());
}

void Table::vacuum(Slot& slot, std::uint64_t horizon) {
    std::size_t keep = 0;
    for (std::size_t i = 0; i < slot.versions.size(); ++i) {
        const Version& version = slot.versions[i];
        if (version.writer != nullptr || version.visible_since > horizon) { break; }
        keep = version.deleted ? i + 1 : i;
    }
    erase_versions(slot, 0, keep);
}

void Table::erase_if_unused(Slot& slot) {
    if (slot.versions.empty() && slot.holders.empty() && slot.vacuums_queued == 0) {
        slots_.erase(slots_.find(*slot.key));
    }
}

void Table::clear() {
    for (Index& index : indexes_) { index.entries.clear(); }
    slots_.clear();
}

void Table::restore(const Version& version) {
    Slot& restored = slot(key_of(*version.row));
    erase_versions(restored, 0, restored.versions.size());
    if (!version.deleted) { add(restored, version); }
    erase_if_unused(restored);
}

void Table::add_to_indexes(Slot& slot, const Row& row) {
    for (Index& index : indexes_) { index.entries[encode(row, index.columns)].emplace(slot); }
}

void Table::erase_versions(Slot& slot, std::size_t first, std::size_t last) {
    const auto begin = slot.versions.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = slot.versions.begin() + static_cast<std::ptrdiff_t>(last);
    std::vector<std::shared_ptr<const Row>> erased;
    if (!indexes_.empty()) {
        for (auto version = begin; version != end; ++version) { erased.push_back(version->row); }
    }
    slot.versions.erase(begin, end);
    for (Index& index : indexes_) {
        for (const auto& row : erased) {
            const bool still_there = std::any_of(
                slot.versions.begin(), slot.versions.end(),
                [&](const Version& v) { return equal_in(index.columns, *v.row, *row); });
            if (still_there) { continue; }
            const auto entry = index.entries.find(encode(*row, index.columns));
            if (entry == index.entries.end()) { continue; }
            entry->second.erase(Entry(slot));
            if (entry->second.empty()) { index.entries.erase(entry); }
        }
    }
}

}  // namespace rushproof::simulator
