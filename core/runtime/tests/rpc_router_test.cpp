// Goal: calls reach their method, and answers survive the wire whole, errors included.
// Method: round trips, and bytes that no router wrote.
#include "core/runtime/rpc_router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

class Calls : public testing::Test {
protected:
    Calls() {
        std::vector<RpcMethod> methods;
        methods.push_back(
            {"test.v1.Test/Echo",
             [](Context, std::string request) -> Task<Result<std::string>> { co_return request; }});
        methods.push_back(
            {"test.v1.Test/Throw", [](Context, std::string) -> Task<Result<std::string>> {
                 throw std::runtime_error("a bug");
                 co_return std::string();
             }});
        router_.add(std::move(methods));
    }
    Result<std::string> call(std::string_view method) {
        return *world_.finish(router_.answer(Context(MonotonicTime::max()), method, "hello"));
    }

    FakeWorld world_;
    RpcRouter router_{world_};
};

TEST_F(Calls, ReachTheirMethod) { EXPECT_EQ(call("test.v1.Test/Echo"), "hello"); }

TEST_F(Calls, UnknownMethodsArePermanent) {
    EXPECT_EQ(call("test.v1.Test/Other").error().code(), "unimplemented");
    EXPECT_EQ(call("test.v1.Test/Other").error().kind(), ErrorKind::permanent);
}

TEST_F(Calls, AnExceptionIsAnUnknownOutcome) {
    EXPECT_EQ(call("test.v1.Test/Throw").error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(world_.logged.size(), 1u);
}

TEST(Answers, SurviveTheWire) {
    const Result<std::string> answers[] = {
        std::string(),
        std::string("\0\n\xFF bytes", 9),
        failure(ErrorKind::retryable, "busy", "later"),
        failure(ErrorKind::permanent, "invalid", "two\nlines"),
        failure(ErrorKind::unknown_outcome, "commit-unknown", ""),
    };
    for (const auto& answer : answers) { EXPECT_EQ(decode_answer(encode_answer(answer)), answer); }
}

TEST(Answers, UnreadableBytesAreAnUnknownOutcome) {
    for (const std::string& bytes : {std::string(), std::string("\x07x\ny"), std::string("\x01x"),
                                     std::string("\xFF"), std::string("HTTP/1.1 200 OK\r\n")}) {
        const auto answer = decode_answer(bytes);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind(), ErrorKind::unknown_outcome);
    }
}

}  // namespace
}  // namespace rushproof
