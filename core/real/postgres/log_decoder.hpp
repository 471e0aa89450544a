// Reads the messages of PostgreSQL's output plugin pgoutput, version 1 of its protocol.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof::postgres {

// Microseconds since the year 2000, as PostgreSQL counts time.
using ServerTime = std::int64_t;

// Of whole transactions.
struct LoggedBatch {
    std::vector<LoggedRow> rows;
    std::vector<std::int64_t> transactions;  // their numbers, without an epoch
};

class LogDecoder {
public:
    // One message, which the server sent at that time.  Error: permanent "malformed".
    Result<void> read(std::string_view message, ServerTime sent_at);

    // Rows of the transactions that were read to their end.
    std::size_t ready() const { return ready_.rows.size(); }
    LoggedBatch take() { return std::exchange(ready_, {}); }
    // Where the last of them ends in the log; 0 before the first.
    LogPosition end() const { return end_; }
    bool in_transaction() const { return in_transaction_; }

private:
    class Reader;
    void read_begin(Reader& reader);
    void read_relation(Reader& reader);
    void read_insert(Reader& reader);
    void read_commit(Reader& reader, ServerTime sent_at);

    std::map<std::uint32_t, std::vector<std::string>> columns_;  // by relation
    std::vector<LoggedRow> open_;                                // of the transaction under way
    std::int64_t transaction_ = 0;
    LoggedBatch ready_;
    LogPosition end_ = 0;
    bool in_transaction_ = false;
};

}  // namespace rushproof::postgres
