// The file, all numbers little-endian:
//
//   8 bytes  magic
//   u32      version
//   sections one after the other
//   index    one entry for each section
//   u64      where the index begins
//   u64      hash64 of the index
//   8 bytes  magic: a file that was not written to its end has none
//
// An index entry is: u32 kind, u32 record size, u64 begin, u64 size, u64 hash64, i64 first time.
// Events stand in sections of at most 65,536 records of a fixed size, so that a reader finds a
// point in time by the index and skips the rest.  Every other section is a row of records, each
// behind its length.  A later version may add sections and append members to records; readers skip
// sections and members that they do not know.
#include "simulator/record/history_binary.hpp"

#include <array>
#include <istream>
#include <iterator>
#include <ostream>
#include <vector>

#include "core/base/hash.hpp"
#include "simulator/record/binary.hpp"
#include "simulator/record/history_json.hpp"
#include "simulator/record/history_rules.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::string_view magic = "\x89RPHIST\n";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 8 + 4;
constexpr std::size_t trailer_bytes = 8 + 8 + 8;
constexpr std::uint32_t event_bytes = 8 + 8 + 4 * 4 + 3;
constexpr std::size_t events_per_section = 65'536;

// The values stand in files.  Readers meet them in this order.
enum class Section : std::uint32_t {
    header = 1,
    texts,
    stock,
    baskets,
    events,
    faults,
    ledger,
    final_stock,
    switches,
    divergences
};

constexpr std::array<std::string_view, 11> section_names{
    "",           "the header", "the texts",       "the stock",    "the baskets",    "the events",
    "the faults", "the ledger", "the final stock", "the switches", "the divergences"};

struct IndexEntry {
    std::uint32_t kind = 0;
    std::uint32_t record_bytes = 0;
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t hash = 0;
    std::int64_t first_time = 0;
};

class Writer {
public:
    Writer(const History& history, std::ostream& output) : history_(history), output_(output) {}

    void write() {
        BinaryWriter start;
        start.number(version);
        emit(magic);
        emit(start.bytes());
        write_header();
        write_texts();
        write_rows(Section::stock, history_.initial_stock,
                   [](BinaryWriter& row, const auto& stock) {
                       row.number(stock.first);
                       row.number(stock.second);
                   });
        write_rows(Section::baskets, history_.baskets, [](BinaryWriter& row, const auto& lines) {
            for (const BasketLine& line : lines) {
                row.number(line.key);
                row.number(line.quantity);
            }
        });
        for (std::size_t i = 0; i < history_.events.size(); i += events_per_section) {
            write_events(i, std::min(history_.events.size(), i + events_per_section));
        }
        write_faults();
        write_ledger();
        write_rows(Section::final_stock, history_.final_stock,
                   [](BinaryWriter& row, const FinalStock& stock) {
                       row.number(stock.key);
                       row.number(stock.on_hand);
                       row.number(stock.held);
                       row.number(stock.sold);
                   });
        write_switches();
        write_rows(Section::divergences, history_.divergences,
                   [](BinaryWriter& row, const Divergence& divergence) {
                       row.number(divergence.message);
                       row.text(divergence.on);
                       row.text(divergence.missing);
                       row.number(static_cast<std::uint8_t>(divergence.state));
                       row.number(divergence.at);
                   });
        write_index();
    }

private:
    void emit(std::string_view bytes) {
        output_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        position_ += bytes.size();
    }

    void section(Section kind, std::string_view bytes, std::uint32_t record_bytes = 0,
                 std::int64_t first_time = 0) {
        index_.push_back({static_cast<std::uint32_t>(kind), record_bytes, position_, bytes.size(),
                          hash64(bytes), first_time});
        emit(bytes);
    }

    void write_rows(Section kind, const auto& items, auto write_row) {
        BinaryWriter rows;
        for (const auto& item : items) {
            BinaryWriter row;
            write_row(row, item);
            rows.text(row.bytes());
        }
        section(kind, rows.bytes());
    }

    void write_header() {
        write_rows(Section::header, std::array{0}, [this](BinaryWriter& row, int) {
            row.text(history_.scenario);
            row.number(history_.seed);
            row.text(history_.world);
            row.number(history_.reservation_ttl);
            row.number(history_.clock_bound);
            row.number(static_cast<std::uint8_t>(history_.audited));
            row.number(static_cast<std::uint8_t>(history_.compared));
        });
    }

    void write_texts() {
        BinaryWriter rows;
        for (TextId id = 0; id < history_.texts.size(); ++id) rows.text(history_.texts.text(id));
        section(Section::texts, rows.bytes());
    }

    void write_events(std::size_t first, std::size_t last) {
        BinaryWriter records;
        for (std::size_t i = first; i < last; ++i) {
            const Event& event = history_.events[i];
            records.number(event.time);
            records.number(event.amount);
            records.number(event.process);
            records.number(event.key);
            records.number(event.subject);
            records.number(event.basket);
            records.number(static_cast<std::uint8_t>(event.type));
            records.number(static_cast<std::uint8_t>(event.function));
            records.number(static_cast<std::uint8_t>(event.failure));
        }
        section(Section::events, records.bytes(), event_bytes, history_.events[first].time);
    }

    void write_faults() {
        write_rows(Section::faults, history_.faults,
                   [](BinaryWriter& row, const FaultEvent& fault) {
                       row.number(fault.time);
                       row.text(fault.id);
                       row.text(fault.kind);
                       row.text(fault.target);
                       row.number(static_cast<std::uint8_t>(fault.begins));
                       row.number(fault.planned);
                       row.text(fault.evidence);
                       row.text(fault.error);
                   });
    }

    void write_ledger() {
        write_rows(Section::ledger, history_.ledger,
                   [](BinaryWriter& row, const LedgerEntry& entry) {
                       row.number(entry.key);
                       row.number(entry.reservation);
                       row.text(entry.kind);
                       row.number(entry.quantity);
                       row.number(entry.number);
                       row.number(entry.at);
                       row.number(entry.committed_before);
                   });
    }

    void write_switches() {
        write_rows(Section::switches, history_.switches,
                   [](BinaryWriter& row, const QueueSwitch& change) {
                       row.text(change.id);
                       row.text(change.from);
                       row.text(change.to);
                       row.number(static_cast<std::uint8_t>(change.outcome));
                       row.number(change.epoch);
                       row.number(change.began);
                       row.number(change.ended);
                       row.number(change.carried_over);
                       row.text(change.error);
                   });
    }

    void write_index() {
        const std::uint64_t begin = position_;
        BinaryWriter entries;
        for (const IndexEntry& entry : index_) {
            entries.number(entry.kind);
            entries.number(entry.record_bytes);
            entries.number(entry.begin);
            entries.number(entry.size);
            entries.number(entry.hash);
            entries.number(entry.first_time);
        }
        BinaryWriter trailer;
        trailer.number(begin);
        trailer.number(hash64(entries.bytes()));
        emit(entries.bytes());
        emit(trailer.bytes());
        emit(magic);
    }

    const History& history_;
    std::ostream& output_;
    std::uint64_t position_ = 0;
    std::vector<IndexEntry> index_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    Result<History> read() {
        RP_CHECK(read_index());
        history_.events.reserve(bytes_.size() / event_bytes);
        for (std::uint32_t kind = 1; kind < section_names.size(); ++kind) {
            for (const IndexEntry& entry : index_) {
                if (entry.kind == kind) RP_CHECK(read_section(entry));
            }
        }
        if (auto problem = problem_of_header(history_)) return bad(*problem);
        return std::move(history_);
    }

private:
    static tl::unexpected<Error> bad(const std::string& problem) {
        return failure(ErrorKind::permanent, "bad-history", problem);
    }

    Result<void> read_index() {
        if (bytes_.size() < header_bytes + trailer_bytes || !is_history_binary(bytes_)) {
            return bad("this is no binary history: its first bytes are others");
        }
        if (!bytes_.ends_with(magic)) {
            return bad("the file was not written to its end: copy it again, or repeat the run");
        }
        const auto file_version = BinaryReader(bytes_.substr(8)).number<std::uint32_t>();
        if (file_version == 0) return bad("the version of the format is damaged");
        if (file_version > version) {
            return bad("version " + std::to_string(file_version) + " of the format is newer than " +
                       std::to_string(version) + ", which is known here: use a newer rushproof");
        }
        BinaryReader trailer(bytes_.substr(bytes_.size() - trailer_bytes));
        const auto begin = trailer.number<std::uint64_t>();
        const auto hash = trailer.number<std::uint64_t>();
        if (begin > bytes_.size() - trailer_bytes) return bad("the index is damaged");
        const std::string_view entries =
            bytes_.substr(begin, bytes_.size() - trailer_bytes - begin);
        if (hash64(entries) != hash) return bad("the index is damaged");

        BinaryReader reader(entries);
        while (!reader.at_end()) {
            IndexEntry entry;
            entry.kind = reader.number<std::uint32_t>();
            entry.record_bytes = reader.number<std::uint32_t>();
            entry.begin = reader.number<std::uint64_t>();
            entry.size = reader.number<std::uint64_t>();
            entry.hash = reader.number<std::uint64_t>();
            entry.first_time = reader.number<std::int64_t>();
            if (entry.begin > bytes_.size() || entry.size > bytes_.size() - entry.begin) {
                return bad("the index points outside of the file");
            }
            index_.push_back(entry);
        }
        return reader.ok() ? Result<void>() : bad("the index is damaged");
    }

    Result<void> read_section(const IndexEntry& entry) {
        const std::string_view bytes = bytes_.substr(entry.begin, entry.size);
        const std::string name(section_names[entry.kind]);
        if (hash64(bytes) != entry.hash)
            return bad(name + " of the history: its bytes are damaged");
        if (static_cast<Section>(entry.kind) == Section::events) {
            return read_events(bytes, entry.record_bytes);
        }
        BinaryReader rows(bytes);
        while (!rows.at_end()) {
            const std::string_view bytes_of_row = rows.text();
            BinaryReader row(bytes_of_row);
            auto problem = rows.ok() ? read_row(static_cast<Section>(entry.kind), row, bytes_of_row)
                                     : "a record is cut off";
            if (problem) return bad(name + " of the history: " + *problem);
        }
        return {};
    }

    using Problem = std::optional<std::string>;

    Problem read_row(Section section, BinaryReader& row, std::string_view bytes) {
        Problem problem;
        switch (section) {
            case Section::header: problem = read_header(row); break;
            case Section::texts: return read_text(bytes);
            case Section::stock: problem = read_stock(row); break;
            case Section::baskets: problem = read_basket(row); break;
            case Section::events: break;
            case Section::faults: problem = read_fault(row); break;
            case Section::ledger: problem = read_ledger(row); break;
            case Section::final_stock: problem = read_final_stock(row); break;
            case Section::switches: problem = read_switch(row); break;
            case Section::divergences: problem = read_divergence(row); break;
        }
        if (!row.ok()) return "a record is too short";
        return problem;
    }

    Problem read_text(std::string_view text) {
        const std::size_t before = history_.texts.size();
        history_.texts.intern(text);
        return history_.texts.size() > before ? std::nullopt : Problem("a text stands there twice");
    }

    Problem read_header(BinaryReader& row) {
        history_.scenario = row.text();
        history_.seed = row.number<std::uint64_t>();
        history_.world = row.text();
        history_.reservation_ttl = row.number<std::int64_t>();
        history_.clock_bound = row.number<std::int64_t>();
        history_.audited = row.number<std::uint8_t>() != 0;
        // Older files end here.
        if (!row.at_end()) history_.compared = row.number<std::uint8_t>() != 0;
        return std::nullopt;
    }

    // no_text when the file says so, and when there is no such text.
    TextId text_id(BinaryReader& row) {
        const auto id = row.number<TextId>();
        if (id == no_text || id < history_.texts.size()) return id;
        unknown_text_ = true;
        return no_text;
    }

    Problem unknown_text() const {
        return unknown_text_ ? Problem("a text is missing") : std::nullopt;
    }

    Problem read_stock(BinaryReader& row) {
        const TextId key = text_id(row);
        if (key == no_text) return "a text is missing";
        history_.initial_stock.emplace_back(key, row.number<std::int64_t>());
        return std::nullopt;
    }

    Problem read_basket(BinaryReader& row) {
        std::vector<BasketLine> lines;
        while (!row.at_end()) {
            const TextId key = text_id(row);
            lines.push_back({key, row.number<std::int64_t>()});
        }
        history_.baskets.push_back(std::move(lines));
        return unknown_text();
    }

    Problem read_fault(BinaryReader& row) {
        FaultEvent fault;
        fault.time = row.number<std::int64_t>();
        fault.id = row.text();
        fault.kind = row.text();
        fault.target = row.text();
        fault.begins = row.number<std::uint8_t>() != 0;
        fault.planned = row.number<std::int64_t>();
        fault.evidence = row.text();
        fault.error = row.text();
        history_.faults.push_back(std::move(fault));
        return std::nullopt;
    }

    Problem read_ledger(BinaryReader& row) {
        LedgerEntry entry;
        entry.key = text_id(row);
        entry.reservation = text_id(row);
        entry.kind = row.text();
        entry.quantity = row.number<std::int64_t>();
        entry.number = row.number<std::int64_t>();
        entry.at = row.number<std::int64_t>();
        entry.committed_before = row.number<std::int64_t>();
        history_.ledger.push_back(std::move(entry));
        return unknown_text_ ? unknown_text() : problem_of(history_.ledger.back());
    }

    Problem read_final_stock(BinaryReader& row) {
        FinalStock stock;
        stock.key = text_id(row);
        stock.on_hand = row.number<std::int64_t>();
        stock.held = row.number<std::int64_t>();
        stock.sold = row.number<std::int64_t>();
        history_.final_stock.push_back(stock);
        return unknown_text_ ? unknown_text() : problem_of(stock);
    }

    Problem read_switch(BinaryReader& row) {
        QueueSwitch change;
        change.id = row.text();
        change.from = row.text();
        change.to = row.text();
        const auto outcome = row.number<std::uint8_t>();
        change.epoch = row.number<std::int64_t>();
        change.began = row.number<std::int64_t>();
        change.ended = row.number<std::int64_t>();
        change.carried_over = row.number<std::int64_t>();
        change.error = row.text();
        if (outcome > static_cast<std::uint8_t>(EventType::info)) return "a value is out of range";
        change.outcome = static_cast<EventType>(outcome);
        history_.switches.push_back(std::move(change));
        return problem_of(history_.switches.back());
    }

    Problem read_divergence(BinaryReader& row) {
        Divergence divergence;
        divergence.message = text_id(row);
        divergence.on = row.text();
        divergence.missing = row.text();
        const auto state = row.number<std::uint8_t>();
        divergence.at = row.number<std::int64_t>();
        if (state > static_cast<std::uint8_t>(DivergenceState::unrecorded)) {
            return "a value is out of range";
        }
        divergence.state = static_cast<DivergenceState>(state);
        history_.divergences.push_back(std::move(divergence));
        return unknown_text_ ? unknown_text() : problem_of(history_.divergences.back());
    }

    Result<void> read_events(std::string_view bytes, std::uint32_t record_bytes) {
        if (record_bytes < event_bytes || bytes.size() % record_bytes != 0) {
            return bad("the events of the history have a wrong size");
        }
        for (; !bytes.empty(); bytes.remove_prefix(record_bytes)) {
            if (auto problem = read_event(BinaryReader(bytes.substr(0, record_bytes)))) {
                return bad("event " + std::to_string(history_.events.size()) + ": " + *problem);
            }
        }
        return {};
    }

    Problem read_event(BinaryReader record) {
        Event event;
        event.time = record.number<std::int64_t>();
        event.amount = record.number<std::int64_t>();
        event.process = text_id(record);
        event.key = text_id(record);
        event.subject = text_id(record);
        event.basket = record.number<std::uint32_t>();
        const auto type = record.number<std::uint8_t>();
        const auto function = record.number<std::uint8_t>();
        const auto failure = record.number<std::uint8_t>();
        if (unknown_text_) return unknown_text();
        if (type > static_cast<std::uint8_t>(EventType::info) ||
            function > static_cast<std::uint8_t>(Function::find) ||
            failure > static_cast<std::uint8_t>(Failure::other) ||
            event.basket > history_.baskets.size()) {
            return "a value is out of range";
        }
        event.type = static_cast<EventType>(type);
        event.function = static_cast<Function>(function);
        event.failure = static_cast<Failure>(failure);
        return appender_.append(event);
    }

    std::string_view bytes_;
    std::vector<IndexEntry> index_;
    History history_;
    EventAppender appender_{history_};
    bool unknown_text_ = false;
};

}  // namespace

void write_history_binary(const History& history, std::ostream& output) {
    Writer(history, output).write();
}

Result<History> read_history_binary(std::string_view bytes) { return Reader(bytes).read(); }

bool is_history_binary(std::string_view bytes) { return bytes.starts_with(magic); }

Result<History> read_history(std::istream& input) {
    if (input.peek() != static_cast<unsigned char>(magic[0])) return read_history_json(input);
    const std::string bytes{std::istreambuf_iterator<char>(input), {}};
    return read_history_binary(bytes);
}

}  // namespace rushproof::simulator
