#include "core/real/postgres/log_decoder.hpp"

#include <iterator>
#include <utility>

#include "core/real/postgres/wire.hpp"

namespace rushproof::postgres {

// Past the end it gives zeros and is broken.
class LogDecoder::Reader {
public:
    explicit Reader(std::string_view rest) : rest_(rest) {}

    template <class Number>
    Number number() {
        const std::string_view bytes = take(sizeof(Number));
        return bytes.empty() ? Number{} : read_big_endian<Number>(bytes);
    }
    char letter() { return static_cast<char>(number<std::uint8_t>()); }
    std::string name() {
        const auto end = rest_.find('\0');
        if (end == rest_.npos) {
            broken_ = true;
            return {};
        }
        std::string found(take(end));
        rest_.remove_prefix(1);
        return found;
    }
    std::string_view take(std::size_t size) {
        if (broken_ || size > rest_.size()) {
            broken_ = true;
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    void fail() { broken_ = true; }
    bool broken() const { return broken_; }

private:
    std::string_view rest_;
    bool broken_ = false;
};

Result<void> LogDecoder::read(std::string_view message, ServerTime sent_at) {
    Reader reader(message);
    switch (reader.letter()) {
        case 'B': read_begin(reader); break;
        case 'R': read_relation(reader); break;
        case 'I': read_insert(reader); break;
        case 'C': read_commit(reader, sent_at); break;
        default: break;  // types, origins, truncations
    }
    if (!reader.broken()) { return {}; }
    return failure(ErrorKind::permanent, "malformed",
                   "PostgreSQL's log has a message that is not understood");
}

void LogDecoder::read_begin(Reader& reader) {
    reader.number<std::uint64_t>();  // where it commits
    reader.number<std::uint64_t>();  // when
    transaction_ = reader.number<std::uint32_t>();
    open_.clear();
    in_transaction_ = true;
}

void LogDecoder::read_relation(Reader& reader) {
    const auto relation = reader.number<std::uint32_t>();
    reader.name();    // its schema
    reader.name();    // its name
    reader.letter();  // what identifies its rows
    const auto count = reader.number<std::uint16_t>();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count && !reader.broken(); ++i) {
        reader.letter();  // flags
        names.push_back(reader.name());
        reader.number<std::uint32_t>();  // its type
        reader.number<std::uint32_t>();  // its type's modifier
    }
    columns_[relation] = std::move(names);
}

void LogDecoder::read_insert(Reader& reader) {
    const auto known = columns_.find(reader.number<std::uint32_t>());
    const char what = reader.letter();
    const auto count = reader.number<std::uint16_t>();
    if (known == columns_.end() || what != 'N' || count != known->second.size()) {
        reader.fail();
        return;
    }
    LoggedRow& row = open_.emplace_back();
    for (const std::string& name : known->second) {
        const char kind = reader.letter();
        if (kind == 'n') { continue; }  // NULL
        if (kind != 't') { reader.fail(); }
        const auto size = reader.number<std::uint32_t>();
        row.columns.emplace_back(name, reader.take(size));
    }
}

void LogDecoder::read_commit(Reader& reader, ServerTime sent_at) {
    reader.letter();                 // flags
    reader.number<std::uint64_t>();  // of the commit
    const auto end = reader.number<std::uint64_t>();
    const auto committed_at = static_cast<ServerTime>(reader.number<std::uint64_t>());
    if (reader.broken()) { return; }
    for (LoggedRow& row : open_) { row.age = std::chrono::microseconds(sent_at - committed_at); }
    if (!open_.empty()) { ready_.transactions.push_back(transaction_); }
    std::move(open_.begin(), open_.end(), std::back_inserter(ready_.rows));
    open_.clear();
    end_ = end;
    in_transaction_ = false;
}

}  // namespace rushproof::postgres
