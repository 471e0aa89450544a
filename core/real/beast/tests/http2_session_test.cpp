// Goal: both ends of HTTP/2 agree on every request and answer, and say exactly what happened to
// those that were not answered: that decides whether a caller may try again.  Method: a client's
// and a server's end in memory, whose bytes the test carries, cuts short or keeps.
#include "core/real/beast/http2_session.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace rushproof {
namespace {

constexpr HttpLimits limits{8 * 1024, 1024 * 1024};

class Http2SessionTest : public testing::Test {
protected:
    struct Arrived {
        Http2Session::Stream stream;
        ReceivedRequest received;
    };

    void carry_to_server() {
        std::string bytes;
        client->output(bytes);
        EXPECT_TRUE(server->receive(bytes));
    }
    void carry_to_client() {
        std::string bytes;
        server->output(bytes);
        EXPECT_TRUE(client->receive(bytes));
    }
    // Until neither has anything to say.
    void carry() {
        for (bool more = true; more;) {
            std::string there;
            std::string back;
            client->output(there);
            EXPECT_TRUE(server->receive(there));
            server->output(back);
            EXPECT_TRUE(client->receive(back));
            more = !there.empty() || !back.empty();
        }
    }
    Http2Session::Stream ask(HttpRequest request, const HttpFields& fields = {}) {
        const int number = asked++;
        return client
            ->ask("there:80", std::move(request), fields,
                  [this, number](Result<HttpResponse> result) {
                      EXPECT_TRUE(results.emplace(number, std::move(result)).second);
                  })
            .value();
    }
    Http2Session::Stream ask(std::string body) {
        return ask(HttpRequest("POST", "/rpc/x", std::move(body)));
    }
    void answer(std::size_t index, std::string body) {
        server->answer(arrived.at(index).stream, HttpResponse(200, std::move(body), "text/x"));
    }
    std::string code_of(int number) { return results.at(number).error().code(); }

    std::vector<Arrived> arrived;
    std::map<int, Result<HttpResponse>> results;
    int asked = 0;
    std::unique_ptr<Http2ClientSession> client = std::make_unique<Http2ClientSession>(limits);
    std::unique_ptr<Http2ServerSession> server = std::make_unique<Http2ServerSession>(
        limits, 100, [this](Http2Session::Stream stream, ReceivedRequest received) {
            arrived.push_back({stream, std::move(received)});
        });
};

TEST_F(Http2SessionTest, BeginsAsItMust) {
    std::string bytes;
    client->output(bytes);
    EXPECT_TRUE(bytes.starts_with(http2_preface));
}

TEST_F(Http2SessionTest, NothingLeavesBeforeTheServerHasSpoken) {
    ask("x");
    carry_to_server();
    EXPECT_TRUE(arrived.empty());
    EXPECT_FALSE(client->greeted());
    ask("y");
    client->lose(Error(ErrorKind::retryable, "why", ""));
    EXPECT_EQ(code_of(0), "why");
    EXPECT_EQ(code_of(1), "why");
}

TEST_F(Http2SessionTest, CarriesARequestAndItsAnswer) {
    HttpRequest request("POST", "/a b", "question");
    request.queries.emplace_back("x", "1&2");
    request.fields.emplace_back("content-type", "text/y");
    ask(std::move(request), {{"x-deadline-ms", "1500"},
                             {"traceparent", "00-0000000000000001000000000000000200000000-01"},
                             {"x-owner", "o%2F1"},
                             {"x-other", "nobody asks"}});
    carry();
    ASSERT_EQ(arrived.size(), 1u);
    const HttpRequest& got = arrived[0].received.request;
    EXPECT_EQ(got.method, "POST");
    EXPECT_EQ(got.target, "/a%20b?x=1%262");
    EXPECT_EQ(got.body, "question");
    EXPECT_EQ(got.field("content-type"), "text/y");
    EXPECT_EQ(got.field("x-owner"), "o%2F1");
    EXPECT_EQ(got.field("x-other"), "");
    EXPECT_EQ(arrived[0].received.time_left, std::chrono::milliseconds(1500));

    HttpResponse response(201, "answer", "text/x");
    response.fields.emplace_back("location", "/a/1");
    server->answer(arrived[0].stream, std::move(response));
    EXPECT_TRUE(results.empty());
    carry();
    const HttpResponse& answered = results.at(0).value();
    EXPECT_EQ(answered.status, 201);
    EXPECT_EQ(answered.body, "answer");
    EXPECT_EQ(answered.content_type, "text/x");
    EXPECT_EQ(answered.fields, (HttpFields{{"location", "/a/1"}}));
    EXPECT_EQ(client->streams(), 0u);
    EXPECT_EQ(server->streams(), 0u);
}

TEST_F(Http2SessionTest, AnswersComeInAnyOrder) {
    for (int i = 0; i < 50; ++i) { ask(std::to_string(i)); }
    carry();
    ASSERT_EQ(arrived.size(), 50u);
    for (std::size_t i = 50; i-- > 0;) { answer(i, arrived[i].received.request.body); }
    carry();
    for (int i = 0; i < 50; ++i) { EXPECT_EQ(results.at(i)->body, std::to_string(i)); }
}

TEST_F(Http2SessionTest, MoreThanTheServerWantsAtATimeWait) {
    carry();  // the client learns the limit
    for (int i = 0; i < 150; ++i) { ask("x"); }
    carry();
    EXPECT_EQ(arrived.size(), 100u);
    for (std::size_t i = 0; i < 100; ++i) { answer(i, "y"); }
    carry();
    EXPECT_EQ(arrived.size(), 150u);
    client->lose();
    EXPECT_EQ(code_of(149), "connection-lost");
}

TEST_F(Http2SessionTest, LargeBodiesAreCarriedWhole) {
    std::string body(limits.body_bytes_max, 'a');
    for (std::size_t i = 0; i < body.size(); i += 997) { body[i] = static_cast<char>(i); }
    for (int i = 0; i < 5; ++i) { ask(body); }
    carry();
    ASSERT_EQ(arrived.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) { answer(i, arrived[i].received.request.body); }
    carry();
    for (int i = 0; i < 5; ++i) { EXPECT_TRUE(results.at(i)->body == body); }
}

TEST_F(Http2SessionTest, WhatIsTooLargeIsRefusedAndNothingElse) {
    ask(std::string(limits.body_bytes_max + 1, 'a'));
    ask("small");
    HttpRequest long_header("POST", "/rpc/x", "y");
    long_header.fields.emplace_back("x-owner", std::string(limits.header_bytes_max, 'a'));
    ask(std::move(long_header));
    HttpRequest bad_deadline("POST", "/rpc/x", "y");
    bad_deadline.fields.emplace_back("x-deadline-ms", "soon");
    ask(std::move(bad_deadline));
    carry();
    ASSERT_EQ(arrived.size(), 1u);
    EXPECT_EQ(arrived[0].received.request.body, "small");
    EXPECT_EQ(results.at(0)->status, 413);
    EXPECT_EQ(results.at(2)->status, 431);
    EXPECT_EQ(results.at(3)->status, 400);
}

TEST_F(Http2SessionTest, AnAnswerThatIsTooLargeHarmsNoOther) {
    ask("x");
    ask("y");
    carry();
    answer(0, std::string(limits.body_bytes_max + 1, 'a'));
    answer(1, "b");
    carry();
    EXPECT_EQ(code_of(0), "connection-lost");
    EXPECT_EQ(results.at(1)->body, "b");
    EXPECT_EQ(server->streams(), 0u);
}

TEST_F(Http2SessionTest, ManyLargeRequestsThatAreNotWholeAreNotAllKept) {
    carry();
    std::string there;
    for (int i = 0; i < 20; ++i) { ask(std::string(limits.body_bytes_max, 'a')); }
    // The client sends a piece of each in turn, as far as the server lets it.
    for (bool more = true; more;) {
        there.clear();
        client->output(there);
        EXPECT_TRUE(server->receive(there));
        carry_to_client();
        more = !there.empty();
    }
    EXPECT_FALSE(results.empty());
    for (const auto& [number, result] : results) { EXPECT_EQ(code_of(number), "unavailable"); }
    EXPECT_EQ(arrived.size() + results.size(), 20u);
}

TEST_F(Http2SessionTest, ManyCancellationsAreNoReasonToLoseARequest) {
    carry();
    for (int i = 0; i < 3'000; ++i) {
        const auto stream = ask("given up");
        carry();
        client->cancel(stream);
        carry();
    }
    ask("x");
    carry();
    answer(arrived.size() - 1, "y");
    carry();
    EXPECT_EQ(results.at(3'000)->body, "y");
}

TEST_F(Http2SessionTest, AnAnswerThatNobodyTakesIsNotKept) {
    carry();
    // Four MB: more than the client's window, of which it says nothing more.
    for (int i = 0; i < 5; ++i) { ask("x"); }
    carry_to_server();
    for (std::size_t i = 0; i < 5; ++i) { answer(i, std::string(limits.body_bytes_max, 'a')); }
    std::string unread;
    while (server->output(unread)) { unread.clear(); }
    EXPECT_GT(server->streams(), 0u);
    server->refuse_slow();
    EXPECT_GT(server->streams(), 0u);
    server->refuse_slow();
    EXPECT_EQ(server->streams(), 0u);
}

TEST_F(Http2SessionTest, LateOnesAreRefusedAndMayBeTriedElsewhere) {
    ask("x");
    carry();
    server->refuse_new();
    ask("late");
    carry();
    EXPECT_EQ(code_of(1), "unavailable");
    answer(0, "y");
    carry();
    EXPECT_EQ(results.at(0)->body, "y");
    EXPECT_EQ(arrived.size(), 1u);
}

TEST_F(Http2SessionTest, WhoWaitsForATurnIsToldThatTheServerGoes) {
    carry();
    for (int i = 0; i < 101; ++i) { ask("x"); }
    carry();
    server->begin_drain();
    carry();
    EXPECT_EQ(results.size(), 1u);
    EXPECT_EQ(code_of(100), "unavailable");
}

TEST_F(Http2SessionTest, HeadHasNoBody) {
    ask(HttpRequest("HEAD", "/"));
    carry();
    EXPECT_EQ(arrived.at(0).received.request.method, "GET");
    answer(0, "not to be seen");
    carry();
    EXPECT_EQ(results.at(0)->status, 200);
    EXPECT_EQ(results.at(0)->body, "");
}

TEST_F(Http2SessionTest, TellsWhatLeftFromWhatDidNot) {
    carry();
    ask("left");
    carry_to_server();
    ask("did not leave");
    client->lose();
    EXPECT_EQ(results.at(0).error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(code_of(0), "connection-lost");
    EXPECT_EQ(results.at(1).error().kind(), ErrorKind::retryable);
    EXPECT_EQ(code_of(1), "unavailable");
}

TEST_F(Http2SessionTest, ADrainingServerAnswersAllThatComes) {
    ask("before");
    carry();
    server->begin_drain();
    ask("on its way");
    std::string on_its_way;
    client->output(on_its_way);
    carry_to_client();
    EXPECT_TRUE(client->drained());
    EXPECT_TRUE(server->receive(on_its_way));
    ASSERT_EQ(arrived.size(), 2u);
    answer(0, "a");
    answer(1, "b");
    carry();
    EXPECT_EQ(results.at(0)->body, "a");
    EXPECT_EQ(results.at(1)->body, "b");
}

TEST_F(Http2SessionTest, WhatAnEndedServerHasNotSeenMayBeTriedAgain) {
    ask("seen");
    carry();
    answer(0, "a");
    carry();
    server->end();
    ask("not seen");
    std::string lost;
    client->output(lost);
    carry_to_client();
    EXPECT_EQ(results.at(0)->body, "a");
    EXPECT_EQ(code_of(1), "unavailable");
    ask("too late");
    client->output(lost);
    EXPECT_EQ(code_of(2), "unavailable");
    EXPECT_TRUE(client->over());
    EXPECT_TRUE(server->over());
}

TEST_F(Http2SessionTest, ACancelledRequestIsNotAnswered) {
    carry();
    const auto kept = ask("never leaves");
    EXPECT_FALSE(client->cancel(kept));
    const auto sent = ask("leaves");
    carry_to_server();
    EXPECT_TRUE(client->cancel(sent));
    for (std::size_t i = 0; i < arrived.size(); ++i) { answer(i, "in vain"); }
    carry();
    EXPECT_EQ(arrived.size(), 1u);
    EXPECT_TRUE(results.empty());
    EXPECT_EQ(server->streams(), 0u);
    EXPECT_EQ(client->streams(), 0u);
}

TEST_F(Http2SessionTest, ACancelledBodyIsNotSentOn) {
    const auto stream = ask(std::string(limits.body_bytes_max, 'a'));
    std::string some;
    client->output(some);  // less than all
    client->cancel(stream);
    EXPECT_TRUE(server->receive(some));
    carry();
    EXPECT_TRUE(arrived.empty());
    EXPECT_EQ(server->streams(), 0u);
}

TEST_F(Http2SessionTest, ARequestThatNeverEndsIsRefused) {
    carry();
    ask("whole");
    ask(std::string(limits.body_bytes_max, 'a'));
    carry_to_server();  // less than all
    ASSERT_EQ(arrived.size(), 1u);
    server->refuse_slow();
    EXPECT_EQ(server->streams(), 2u);
    server->refuse_slow();
    carry_to_client();
    EXPECT_EQ(server->streams(), 1u);
    EXPECT_EQ(code_of(1), "unavailable");
    answer(0, "a");
    carry();
    EXPECT_EQ(results.at(0)->body, "a");
}

TEST_F(Http2SessionTest, NonsenseEndsIt) {
    EXPECT_FALSE(server->receive("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    ask("x");
    std::string bytes;
    client->output(bytes);
    client->receive("HTTP/1.1 400 Bad Request\r\n\r\n");
    client->output(bytes);
    EXPECT_TRUE(client->over());
    client->lose();
    EXPECT_EQ(code_of(0), "unavailable");
}

}  // namespace
}  // namespace rushproof
