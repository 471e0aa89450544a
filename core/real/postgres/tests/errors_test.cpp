// Goal: each SQLSTATE that callers can react to becomes the right kind and code.
// Method: a table; those that a server can be made to report are also seen in
// postgres_database_test.cpp.
#include "core/real/postgres/errors.hpp"

#include <gtest/gtest.h>

namespace rushproof::postgres {
namespace {

TEST(PostgresErrors, SqlstatesHaveMeanings) {
    const auto is = [](std::string_view sqlstate, ErrorKind kind, std::string_view code) {
        const Error error = error_of(sqlstate, "text");
        EXPECT_EQ(error.kind(), kind) << sqlstate;
        EXPECT_EQ(error.code(), code) << sqlstate;
    };
    is("40001", ErrorKind::retryable, "serialization-failure");
    is("40P01", ErrorKind::retryable, "deadlock");
    is("55P03", ErrorKind::retryable, "lock-timeout");
    is("57014", ErrorKind::retryable, "deadline-exceeded");
    is("23505", ErrorKind::permanent, "unique-violation");
    is("23514", ErrorKind::permanent, "constraint-violation");
    is("23P01", ErrorKind::permanent, "constraint-violation");
    is("57P01", ErrorKind::retryable, "connection-lost");
    is("53300", ErrorKind::retryable, "connection-lost");
    is("53100", ErrorKind::retryable, "connection-lost");
    is("25006", ErrorKind::retryable, "connection-lost");
    is("08006", ErrorKind::retryable, "connection-lost");
    is("08P01", ErrorKind::permanent, "statement-failed");
    is("42601", ErrorKind::permanent, "statement-failed");
    is("25P02", ErrorKind::permanent, "statement-failed");
    is("", ErrorKind::retryable, "connection-lost");
}

TEST(PostgresErrors, TextsNameTheSqlstate) {
    EXPECT_EQ(error_of("42601", "syntax error").message(), "syntax error (42601)");
}

TEST(PostgresErrors, ALostCommitIsUnknown) {
    EXPECT_EQ(commit_unknown("gone").kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(commit_unknown("gone").code(), "commit-unknown");
}

}  // namespace
}  // namespace rushproof::postgres
