// Goal: each kind of error has its status, and 500 tells nothing.  Method: a table.
#include "core/runtime/problem.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace rushproof {
namespace {

TEST(Problem, MapsErrorsToStatuses) {
    struct Case {
        ErrorKind kind;
        const char* code;
        int status;
    };
    const Case cases[] = {
        {ErrorKind::permanent, "malformed", 400},
        {ErrorKind::permanent, "missing-header", 400},
        {ErrorKind::permanent, "not-found", 404},
        {ErrorKind::permanent, "insufficient-stock", 409},
        {ErrorKind::permanent, "conflict", 409},
        {ErrorKind::permanent, "not-held", 409},
        {ErrorKind::permanent, "precondition-failed", 412},
        {ErrorKind::permanent, "precondition-required", 428},
        {ErrorKind::permanent, "invalid", 422},
        {ErrorKind::permanent, "key-reused", 422},
        {ErrorKind::permanent, "statement-failed", 500},
        {ErrorKind::retryable, "unavailable", 503},
        {ErrorKind::unknown_outcome, "commit-unknown", 504},
    };
    for (const Case& expected : cases) {
        const HttpResponse response = problem(Error(expected.kind, expected.code, "why"));
        EXPECT_EQ(response.status, expected.status) << expected.code;
        EXPECT_EQ(response.content_type, "application/problem+json");
        const auto body = boost::json::parse(response.body).as_object();
        EXPECT_EQ(body.at("status").as_int64(), expected.status);
        EXPECT_TRUE(body.contains("title"));
        EXPECT_EQ(body.at("kind").as_string(), to_string(expected.kind));
        if (expected.status != 500) {
            EXPECT_EQ(body.at("code").as_string(), expected.code);
            EXPECT_EQ(body.at("detail").as_string(), "why");
        } else {
            EXPECT_EQ(body.at("code").as_string(), "internal");
            EXPECT_FALSE(body.contains("detail"));
        }
    }
}

TEST(Problem, RetryableErrorsSayWhenToComeBack) {
    const HttpResponse response = problem(Error(ErrorKind::retryable, "unavailable", ""));
    ASSERT_EQ(response.fields.size(), 1u);
    EXPECT_EQ(response.fields[0].first, "retry-after");
}

}  // namespace
}  // namespace rushproof
