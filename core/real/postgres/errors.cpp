#include "core/real/postgres/errors.hpp"

#include <utility>

namespace rushproof::postgres {

namespace {

struct Meaning {
    std::string_view sqlstate;  // or its first two characters, for a whole class
    ErrorKind kind;
    std::string_view code;
};

// The first that fits.
constexpr Meaning meanings[] = {
    {"40001", ErrorKind::retryable, "serialization-failure"},
    {"40P01", ErrorKind::retryable, "deadlock"},
    {"40", ErrorKind::retryable, "serialization-failure"},
    {"55P03", ErrorKind::retryable, "lock-timeout"},
    {"57014", ErrorKind::retryable, "deadline-exceeded"},  // statement_timeout
    {"23505", ErrorKind::permanent, "unique-violation"},
    {"23", ErrorKind::permanent, "constraint-violation"},
    // The transaction is gone, and perhaps the connection; the next one may find a better server:
    // a connection's end, a demoted primary, no space or memory, a shutdown, a broken disk.
    {"08P01", ErrorKind::permanent, "statement-failed"},
    {"08", ErrorKind::retryable, "connection-lost"},
    {"25006", ErrorKind::retryable, "connection-lost"},
    {"25P03", ErrorKind::retryable, "connection-lost"},  // idle_in_transaction_session_timeout
    {"53", ErrorKind::retryable, "connection-lost"},
    {"57", ErrorKind::retryable, "connection-lost"},
    {"58", ErrorKind::retryable, "connection-lost"},
};

}  // namespace

Error error_of(std::string_view sqlstate, std::string message) {
    if (sqlstate.empty()) { return connection_lost(std::move(message)); }
    message += " (" + std::string(sqlstate) + ")";
    for (const Meaning& meaning : meanings) {
        if (sqlstate.starts_with(meaning.sqlstate)) {
            return Error(meaning.kind, std::string(meaning.code), std::move(message));
        }
    }
    return Error(ErrorKind::permanent, "statement-failed", std::move(message));
}

Error connection_lost(std::string message) {
    return Error(ErrorKind::retryable, "connection-lost", std::move(message));
}

Error commit_unknown(std::string message) {
    return Error(ErrorKind::unknown_outcome, "commit-unknown", std::move(message));
}

}  // namespace rushproof::postgres
