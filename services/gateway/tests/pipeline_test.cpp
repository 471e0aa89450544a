// Goal: what clients ask of the pipeline becomes the right call, its answers become the HTTP that
// they know and openapi.json describes, streams end as they promise, and administration is for
// administrators.  Method: an ingest and a processor that answer from the test.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "core/protocol/ingest.pb.h"
#include "core/protocol/processor.pb.h"
#include "core/runtime/data_message.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/gateway/api/admin.hpp"
#include "services/gateway/gateway.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {
namespace {

namespace json = boost::json;
namespace wire = ::processor::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PipelineApi : public testing::Test {
protected:
    using Answers = std::function<Result<std::string>(const std::string& request)>;

    PipelineApi() {
        fake_.rpc.handler = [this](Context context, std::string method, std::string request) {
            return take(std::move(context), std::move(method), std::move(request));
        };
        stats_.set_instance("p");
        stats_.set_healthy(true);
        ingest_stats_.set_instance("i");
        ingest_stats_.set_healthy(true);
        answers_["ingest.v1.Ingest/Ingest"] = [](const std::string&) {
            ::ingest::v1::IngestResponse response;
            response.set_message_id("id-1");
            return response.SerializeAsString();
        };
        answers_["ingest.v1.Ingest/GetStats"] = [this](const std::string&) {
            return ingest_stats_.SerializeAsString();
        };
        answers_["processor.v1.Processor/GetStats"] = [this](const std::string&) {
            return stats_.SerializeAsString();
        };
        start({});
    }

    void start(Options options) {
        options.inventory = false;
        options.ingests = 1;
        options.processors = 1;
        service_ = make_gateway(fake_.environment, options);
        router_.emplace(fake_.world);
        router_->add(service_->http_routes());
    }
    Task<Result<std::string>> take(Context context, std::string method, std::string request) {
        contexts_.push_back(std::move(context));
        asked_.push_back(method);
        request_ = request;
        const auto known = answers_.find(method);
        if (known == answers_.end()) {
            co_return failure(ErrorKind::retryable, "unavailable", "nobody is there");
        }
        co_return known->second(request);
    }

    HttpResponse send(std::string method, std::string target, std::string body = {},
                      HttpFields fields = {}) {
        HttpRequest request(std::move(method), std::move(target), std::move(body));
        request.fields = std::move(fields);
        const Context context(fake_.world.monotonic() + seconds(4));
        return *fake_.world.finish(router_->answer(context, std::move(request)));
    }
    void answer_result(const Result<wire::Outcome>& outcome) {
        answers_["processor.v1.Processor/GetResult"] =
            [outcome](const std::string&) -> Result<std::string> {
            if (!outcome) { return failure(outcome.error()); }
            return outcome->SerializeAsString();
        };
    }
    static Error not_processed() {
        return {ErrorKind::permanent, "not-processed", "nothing is known"};
    }
    static wire::Outcome reserved() {
        wire::Outcome outcome;
        wire::Result& result = *outcome.mutable_processed();
        result.set_message_id("id-1");
        result.set_number(7);
        result.set_kind("reserve");
        result.set_success(true);
        result.set_processed_at_us(1'700'000'000'123'456);
        result.set_result(R"({"id":"r-1"})");
        return outcome;
    }
    static wire::DeadLetter dead() {
        wire::DeadLetter letter;
        letter.set_message_id("id-1");
        letter.set_key("k");
        letter.set_provider("memory");
        letter.set_reason("unreadable");
        letter.set_detail("no JSON");
        letter.set_attempts(1);
        letter.set_dead_at_us(1'700'000'000'123'456);
        return letter;
    }

    FakeEnvironment fake_;
    wire::Stats stats_;
    ::ingest::v1::Stats ingest_stats_;
    std::map<std::string, Answers> answers_;
    std::vector<std::string> asked_;
    std::vector<Context> contexts_;
    std::string request_;
    std::unique_ptr<Service> service_;
    std::optional<HttpRouter> router_;
};

TEST_F(PipelineApi, TakesMessages) {
    const HttpResponse taken =
        send("POST", "/api/v1/ingest",
             R"({"source":"till","data":"hello","metadata":{"key":"k"},"more":null})",
             {{"idempotency-key", "7"}, {"x-owner", "alice"}});
    EXPECT_EQ(taken.status, 200);
    EXPECT_EQ(taken.body, R"({"messageId":"id-1","status":"accepted"})");
    ::ingest::v1::IngestRequest request;
    ASSERT_TRUE(request.ParseFromString(request_));
    EXPECT_EQ(request.source(), "till");
    EXPECT_EQ(request.data(), "hello");
    EXPECT_EQ(request.metadata().at("key"), "k");
    EXPECT_TRUE(request.kind().empty());
    EXPECT_EQ(contexts_.at(0).idempotency_key, "7");
    EXPECT_EQ(contexts_.at(0).principal, "alice");
    EXPECT_LT(contexts_.at(0).deadline, fake_.world.monotonic() + seconds(4));
    EXPECT_EQ(send("POST", "/api/v1/ingest", "{}").status, 200) << "every member is optional";
}

TEST_F(PipelineApi, RefusesWhatIsNoMessage) {
    for (const char* body : {"", "[]", R"({"metadata":{"n":1}})", R"({"data":{}})"}) {
        EXPECT_EQ(send("POST", "/api/v1/ingest", body).status, 400) << body;
    }
    EXPECT_EQ(send("GET", "/api/v1/ingest").status, 405);
    EXPECT_TRUE(asked_.empty());
}

TEST_F(PipelineApi, SaysWhyNothingWasTaken) {
    const auto refuse = [this](Error error) {
        answers_["ingest.v1.Ingest/Ingest"] = [error](const std::string&) -> Result<std::string> {
            return failure(error);
        };
        return send("POST", "/api/v1/ingest", "{}");
    };
    const HttpResponse full = refuse({ErrorKind::retryable, "queue-full", "full"});
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.fields.at(0).first, "retry-after");
    EXPECT_EQ(refuse({ErrorKind::permanent, "too-large", "much"}).status, 413);
    EXPECT_EQ(refuse({ErrorKind::unknown_outcome, "connection-lost", ""}).status, 504);
}

TEST_F(PipelineApi, QueuesReservationsThatMayComeLater) {
    const HttpFields later{{"prefer", "wait=1, respond-async"}, {"idempotency-key", "7"}};
    const HttpResponse taken =
        send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":2})", later);
    EXPECT_EQ(taken.status, 202);
    EXPECT_EQ(taken.fields.at(0),
              (std::pair<std::string, std::string>("location", "/api/v1/messages/id-1")));
    ::ingest::v1::IngestRequest request;
    ASSERT_TRUE(request.ParseFromString(request_));
    EXPECT_EQ(request.kind(), reserve_kind);
    EXPECT_EQ(request.key(), "SKU-1");
    EXPECT_EQ(request.data(), R"({"sku":"SKU-1","quantity":2})");
    EXPECT_EQ(contexts_.at(0).idempotency_key, "7");
    EXPECT_EQ(send("POST", "/api/v1/reservations", "{}", later).status, 400);
    EXPECT_EQ(send("POST", "/api/v1/reservations", R"({"sku":"SKU-1","quantity":2})",
                   {{"prefer", "respond-async"}})
                  .status,
              400)
        << "without a key a repeat would be another reservation";
}

TEST_F(PipelineApi, TellsWhatBecameOfAMessage) {
    answer_result(failure(not_processed()));
    const HttpResponse unknown = send("GET", "/api/v1/messages/id-1");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(json::parse(unknown.body).at("code"), "not-processed");
    answer_result(reserved());
    EXPECT_EQ(send("GET", "/api/v1/messages/id-1").body,
              R"({"messageId":"id-1","state":"processed","kind":"reserve","number":7,)"
              R"("processedAt":"2023-11-14T22:13:20.123456Z","success":true,)"
              R"("result":{"id":"r-1"}})");
    wire::Outcome outcome;
    *outcome.mutable_dead() = dead();
    answer_result(outcome);
    const json::value found = json::parse(send("GET", "/api/v1/messages/id-1").body);
    EXPECT_EQ(found.at("state"), "dead");
    EXPECT_EQ(found.at("reason"), "unreadable");
}

TEST_F(PipelineApi, AsksProcessorsInTurn) {
    Options options;
    options.processors = 3;
    service_ = make_gateway(fake_.environment, options);
    router_.emplace(fake_.world);
    router_->add(service_->http_routes());
    int asked = 0;
    answers_["processor.v1.Processor/GetResult"] = [&](const std::string&) -> Result<std::string> {
        if (++asked < 3) { return failure(not_processed()); }
        return reserved().SerializeAsString();
    };
    EXPECT_EQ(send("GET", "/api/v1/messages/id-1").status, 200);
    EXPECT_EQ(asked, 3);
}

// --- events ---

TEST_F(PipelineApi, StreamsOneEventAndEnds) {
    answer_result(failure(not_processed()));
    HttpResponse response = send("GET", "/api/v1/messages/id-1/events");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/event-stream");
    EXPECT_TRUE(response.body.starts_with(":"));
    const MonotonicTime begin = fake_.world.monotonic();
    EXPECT_TRUE(fake_.world.finish(response.stream())->starts_with(":")) << "nothing yet";
    EXPECT_GE(fake_.world.monotonic() - begin, limits::events_silence / 2) << "not in a hurry";
    answer_result(reserved());
    const std::string event = *fake_.world.finish(response.stream());
    EXPECT_TRUE(event.starts_with("event: processed\ndata: {\"messageId\":\"id-1\"")) << event;
    EXPECT_TRUE(event.ends_with("}\n\n")) << event;
    EXPECT_TRUE(fake_.world.finish(response.stream())->empty());
}

TEST_F(PipelineApi, EndsAStreamThatWaitsForTooLong) {
    answer_result(failure(not_processed()));
    HttpResponse response = send("GET", "/api/v1/messages/id-1/events");
    fake_.world.run_for(limits::events + seconds(1));
    EXPECT_TRUE(fake_.world.finish(response.stream())->empty());
}

TEST_F(PipelineApi, CanBeTakenAsAWhole) {
    int asked = 0;
    answers_["processor.v1.Processor/GetResult"] = [&](const std::string&) -> Result<std::string> {
        if (++asked < 3) { return failure(not_processed()); }
        return reserved().SerializeAsString();
    };
    HttpResponse response = send("GET", "/api/v1/messages/id-1/events");
    response = *fake_.world.finish(whole(std::move(response)));
    EXPECT_FALSE(response.stream);
    EXPECT_NE(response.body.find("event: processed"), std::string::npos);
}

// --- status ---

TEST_F(PipelineApi, TellsHowThePipelineIs) {
    ingest_stats_.set_total_received(3);
    ingest_stats_.set_total_sent(2);
    ingest_stats_.set_total_failed(1);
    stats_.mutable_queue()->set_type("memory");
    stats_.mutable_queue()->set_total_enqueued(2);
    stats_.mutable_queue()->set_total_dequeued(2);
    stats_.mutable_queue()->set_size(1);
    stats_.mutable_queue()->set_capacity(1'000);
    stats_.mutable_queue()->set_unfinished(1);
    stats_.mutable_pool()->set_processed(1);
    stats_.mutable_pool()->set_workers(4);
    stats_.mutable_pool()->set_total_duration_ns(5);
    EXPECT_EQ(send("GET", "/api/v1/status").body,
              R"({"ingest":{"healthy":true,"stats":{"TotalReceived":3,"TotalSent":2,)"
              R"("TotalFailed":1}},"processor":{"healthy":true,"stats":{"queue":{"type":"memory",)"
              R"("size":1,"capacity":1000,"unfinished":1,"TotalEnqueued":2,"TotalDequeued":2,)"
              R"("CurrentSize":1},"pool":{"processed":1,"errors":0,"workers":4,)"
              R"("ProcessedCount":1,"ErrorCount":0,"TotalDuration":5}}}})");
    stats_.mutable_queue()->clear_size();
    EXPECT_EQ(send("GET", "/api/v1/status").body.find("CurrentSize"), std::string::npos);
}

TEST_F(PipelineApi, IsAsHealthyAsItsNeighbours) {
    const auto healthy = [this] { return send("GET", "/health"); };
    EXPECT_EQ(healthy().body, R"({"healthy":true})");
    stats_.set_healthy(false);
    EXPECT_EQ(healthy().body, R"({"healthy":false})");
    EXPECT_EQ(healthy().status, 503);
    EXPECT_FALSE(fake_.world.finish(service_->ready(Context(MonotonicTime::max()))).value());
    stats_.set_healthy(true);
    answers_.erase("ingest.v1.Ingest/GetStats");
    EXPECT_EQ(healthy().status, 503);
    const json::value status = json::parse(send("GET", "/api/v1/status").body);
    EXPECT_EQ(status.at("ingest").at("healthy"), false);
    EXPECT_EQ(status.at("processor").at("healthy"), true);
}

// --- administration ---

TEST_F(PipelineApi, IsAdministeredByWhoeverHasTheToken) {
    EXPECT_EQ(send("GET", "/api/v1/admin/workers").status, 403) << "no token, and not loopback";
    Options options;
    options.admin_token = "secret";
    start(options);
    answers_["processor.v1.Processor/Workers"] = [](const std::string&) {
        wire::WorkersState state;
        state.set_workers(8);
        state.set_busy(2);
        return state.SerializeAsString();
    };
    EXPECT_EQ(send("GET", "/api/v1/admin/workers").status, 401);
    for (const char* wrong :
         {"Bearer ", "Bearer secre", "Bearer secrets", "secret", "Basic secret"}) {
        EXPECT_EQ(send("GET", "/api/v1/admin/workers", "", {{"authorization", wrong}}).status, 401)
            << wrong;
    }
    const HttpFields token{{"authorization", "Bearer secret"}};
    EXPECT_EQ(send("GET", "/api/v1/admin/workers", "", token).body, R"({"workers":8,"busy":2})");
    EXPECT_EQ(send("POST", "/api/v1/admin/workers", R"({"workers":8})", token).status, 200);
    wire::WorkersRequest request;
    ASSERT_TRUE(request.ParseFromString(request_));
    EXPECT_EQ(request.workers(), 8);
    for (const char* body : {"{}", R"({"workers":"8"})"}) {
        EXPECT_EQ(send("POST", "/api/v1/admin/workers", body, token).status, 400) << body;
    }
    EXPECT_EQ(send("POST", "/api/v1/admin/workers", R"({"workers":0})", token).status, 422);
}

TEST(SameSecret, IsTheWholeTextOnly) {
    EXPECT_TRUE(same_secret("abc", "abc"));
    for (const std::string_view wrong : {"", "ab", "abcd", "abd", "abcabc", "Abc"}) {
        EXPECT_FALSE(same_secret(wrong, "abc")) << wrong;
    }
    EXPECT_FALSE(same_secret("a", ""));
}

class AdminApi : public PipelineApi {
protected:
    AdminApi() {
        Options options;
        options.admin_without_token = true;
        start(options);
    }
};

TEST_F(AdminApi, ListsAndReplaysDeadLetters) {
    answers_["processor.v1.Processor/ListDeadLetters"] = [](const std::string&) {
        wire::DeadLetters page;
        *page.add_items() = dead();
        page.set_next("id-1");
        return page.SerializeAsString();
    };
    EXPECT_EQ(send("GET", "/api/v1/admin/dead-letters?limit=1&after=a").body,
              R"({"items":[{"messageId":"id-1","key":"k","provider":"memory",)"
              R"("reason":"unreadable","detail":"no JSON","attempts":1,)"
              R"("deadAt":"2023-11-14T22:13:20.123456Z","replays":0}],"next":"id-1"})");
    wire::DeadLettersRequest list;
    ASSERT_TRUE(list.ParseFromString(request_));
    EXPECT_EQ(list.after(), "a");
    EXPECT_EQ(list.limit(), 1);
    answers_["processor.v1.Processor/ReplayDeadLetter"] = [](const std::string&) {
        return dead().SerializeAsString();
    };
    EXPECT_EQ(send("POST", "/api/v1/admin/dead-letters/id-1/replay").status, 202);
    answers_["processor.v1.Processor/ReplayDeadLetter"] =
        [](const std::string&) -> Result<std::string> {
        return failure(ErrorKind::permanent, "not-found", "no such letter");
    };
    EXPECT_EQ(send("POST", "/api/v1/admin/dead-letters/id-2/replay").status, 404);
}

TEST_F(AdminApi, ListsEffectsInTheirOrder) {
    answers_["processor.v1.Processor/ListProcessed"] = [](const std::string&) {
        wire::Processed page;
        *page.add_items() = reserved().processed();
        return page.SerializeAsString();
    };
    const json::value page = json::parse(send("GET", "/api/v1/admin/processed?after=6").body);
    EXPECT_EQ(page.at("items").at(0).at("messageId"), "id-1");
    EXPECT_EQ(page.at("items").at(0).at("processed_at_us"), 1'700'000'000'123'456);
    EXPECT_EQ(page.at("next"), 7);
    EXPECT_EQ(send("GET", "/api/v1/admin/processed?after=x").status, 400);
    EXPECT_EQ(send("GET", "/api/v1/admin/processed?processor=1").status, 404);
}

TEST_F(AdminApi, ListsAndRepairsDivergences) {
    answers_["processor.v1.Processor/ListDivergences"] = [](const std::string&) {
        wire::Divergences page;
        wire::Divergence& item = *page.add_items();
        item.set_message_id("id-1");
        item.add_lacking("nats");
        item.add_lacking("kafka");
        item.set_reason("unavailable");
        item.set_recorded_at_us(1'700'000'000'123'456);
        return page.SerializeAsString();
    };
    EXPECT_EQ(send("GET", "/api/v1/admin/divergences").body,
              R"({"items":[{"messageId":"id-1","lacking":"nats,kafka","reason":"unavailable",)"
              R"("recordedAt":"2023-11-14T22:13:20.123456Z"}]})");
    answers_["processor.v1.Processor/RepairDivergences"] = [](const std::string&) {
        wire::Repaired repaired;
        repaired.set_repaired(2);
        return repaired.SerializeAsString();
    };
    EXPECT_EQ(send("POST", "/api/v1/admin/divergences/repair").body,
              R"({"repaired":2,"failed":0})");
}

TEST_F(AdminApi, TellsWhereMessagesGoAndSwitches) {
    const auto answer = [](const std::string&) {
        wire::QueueState state;
        state.mutable_route()->set_provider("nats");
        state.mutable_route()->set_previous("memory");
        state.mutable_route()->set_phase("opening");
        state.mutable_route()->set_epoch(2);
        wire::Switch& ended = *state.add_switches();
        ended.set_from("sqlite");
        ended.set_to("memory");
        ended.set_carried_over(7);
        ended.set_outcome("done");
        return state.SerializeAsString();
    };
    answers_["processor.v1.Processor/GetQueue"] = answer;
    const std::string expected =
        R"({"provider":"nats","phase":"opening","epoch":2,"previous":"memory","age_us":0,)"
        R"("left_us":0,"switches":[{"from":"sqlite","to":"memory",)"
        R"("begunAt":"1970-01-01T00:00:00.000000Z","duration_us":0,"carried":7,"outcome":"done"}]})";
    EXPECT_EQ(send("GET", "/api/v1/admin/queue").body, expected);
    wire::SwitchRequest asked;
    answers_["processor.v1.Processor/SwitchQueue"] = [&](const std::string& request) {
        EXPECT_TRUE(asked.ParseFromString(request));
        return answer({});
    };
    const auto begun = send("POST", "/api/v1/admin/queue", R"({"to":"nats","within_ms":500})");
    EXPECT_EQ(begun.status, 202);
    EXPECT_EQ(begun.body, expected);
    EXPECT_EQ(asked.to(), "nats");
    EXPECT_EQ(asked.within_us(), 500'000);
    EXPECT_EQ(send("POST", "/api/v1/admin/queue", "{}").status, 400);
    EXPECT_EQ(send("POST", "/api/v1/admin/queue", R"({"to":"nats","within_ms":0})").status, 422);
}

// --- openapi.json ---

TEST_F(AdminApi, AnswersWithTheDescribedMembers) {
    const json::value document = json::parse(send("GET", "/openapi.json").body);
    const auto expect_matches = [&](const json::value& value, std::string_view name) {
        const json::object& schema = document.at("components").at("schemas").at(name).as_object();
        const json::object& properties = schema.at("properties").as_object();
        for (const json::value& required : schema.at("required").as_array()) {
            EXPECT_TRUE(value.as_object().contains(required.as_string())) << name << required;
        }
        for (const auto& [member, found] : value.as_object()) {
            ASSERT_TRUE(properties.contains(member)) << name << ": " << member;
            const std::string_view type = properties.at(member).at("type").as_string();
            EXPECT_EQ(type == "integer", found.is_int64()) << member;
            EXPECT_EQ(type == "string", found.is_string()) << member;
            EXPECT_EQ(type == "boolean", found.is_bool()) << member;
            EXPECT_EQ(type == "object", found.is_object()) << member;
        }
    };
    expect_matches(json::parse(send("POST", "/api/v1/ingest", "{}").body), "Accepted");
    const json::value status = json::parse(send("GET", "/api/v1/status").body);
    expect_matches(status, "Status");
    expect_matches(status.at("ingest").at("stats"), "IngestStats");
    expect_matches(status.at("processor").at("stats").at("queue"), "QueueStats");
    expect_matches(status.at("processor").at("stats").at("pool"), "PoolStats");
    expect_matches(json::parse(send("GET", "/health").body), "Health");
    answer_result(reserved());
    expect_matches(json::parse(send("GET", "/api/v1/messages/id-1").body), "Message");
    answers_["processor.v1.Processor/ListDeadLetters"] = [](const std::string&) {
        wire::DeadLetters page;
        *page.add_items() = dead();
        return page.SerializeAsString();
    };
    expect_matches(json::parse(send("GET", "/api/v1/admin/dead-letters").body).at("items").at(0),
                   "DeadLetter");
    answers_["processor.v1.Processor/ListProcessed"] = [](const std::string&) {
        wire::Processed page;
        *page.add_items() = reserved().processed();
        return page.SerializeAsString();
    };
    expect_matches(json::parse(send("GET", "/api/v1/admin/processed").body).at("items").at(0),
                   "ProcessedItem");
}

TEST_F(PipelineApi, AcceptsNothingOnceItStops) {
    auto stop = [](Service& service) -> Task<bool> {
        co_await service.stop();
        co_return true;
    };
    EXPECT_TRUE(fake_.world.finish(stop(*service_)).value());
    EXPECT_EQ(send("POST", "/api/v1/ingest", "{}").status, 503);
    EXPECT_EQ(send("GET", "/health").status, 503);
}

}  // namespace
}  // namespace rushproof::gateway
