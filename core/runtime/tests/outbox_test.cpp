// Goal: every event reaches its topic, in the order of its aggregate, under one id, whatever the
// broker answers and whichever relay dies; one that is refused for good holds up nobody else.
// Method: relays in the fake world, on the model database and on our SQL alike, before queues that
// remember what they accepted and answer as told.
#include "core/runtime/outbox.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/runtime/events.hpp"
#include "core/runtime/memory_queue.hpp"
#include "core/runtime/outbox_model.hpp"
#include "core/runtime/queue_choice.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "core/runtime/tests/outbox_tables.hpp"
#include "core/runtime/tests/statement_checks.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ModelSchema schema() {
    ModelSchema result;
    add_outbox_model(result, test_outbox_sql());
    return result;
}

simulator::ModelOptions model_options(FakeWorld& world) {
    simulator::ModelOptions options;
    options.wall = [&world] { return world.wall(); };
    options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
    return options;
}

// Remembers what it accepted.
class Topic final : public MessageQueue {
public:
    explicit Topic(FakeWorld& world) : world_(world) {}

    QueueFeatures features() const override { return {}; }
    Result<void> check(const Message&) const override { return {}; }
    Task<Result<void>> publish(Context, Message message) override {
        ++tries;
        if (travel > Duration()) { co_await sleep_for(world_, travel); }
        const std::optional<Error> error = answer ? answer(message) : std::nullopt;
        if (!error || error->kind() == ErrorKind::unknown_outcome) {
            accepted.push_back(std::move(message));
        }
        if (error) { co_return failure(*error); }
        co_return Result<void>();
    }
    Task<Result<std::unique_ptr<Consumer>>> join(Context, std::string) override {
        co_return failure(ErrorKind::retryable, "unavailable", "nobody reads here");
    }
    Task<Result<QueueStats>> stats(Context, std::string) override { co_return QueueStats(); }

    std::function<std::optional<Error>(const Message&)> answer;
    Duration travel{};
    int tries = 0;
    std::vector<Message> accepted;

private:
    FakeWorld& world_;
};

class Topics final : public Queues {
public:
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context, std::string_view provider,
                                                     std::string_view topic) override {
        asked = std::string(provider) + ' ' + std::string(topic);
        if (!queue) { co_return failure(ErrorKind::retryable, "unavailable", "it is away"); }
        co_return queue;
    }
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context, std::string_view) override {
        co_return failure(ErrorKind::permanent, "not-configured", "no RabbitMQ is configured");
    }

    std::shared_ptr<MessageQueue> queue;
    std::string asked;
};

// A database with a log, into which the test writes what it commits.
class LoggingDatabase final : public Database {
public:
    LoggingDatabase(FakeWorld& world, Database& inner) : world_(world), inner_(inner) {}

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options) override {
        return inner_.begin(std::move(context), options);
    }
    Task<Result<std::shared_ptr<InsertLog>>> open_log(Context, std::string publication) override {
        asked = std::move(publication);
        if (read_) {
            co_return failure(ErrorKind::retryable, "log-in-use", "another process reads it");
        }
        ++opened;
        co_return std::make_shared<Reader>(*this);
    }

    void write(const Row& append, std::size_t index, std::int64_t number) {
        const auto text = [&](std::size_t column) {
            return std::get<std::vector<std::string>>(append.at(column)).at(index);
        };
        LoggedRow row;
        row.columns = {{"number", std::to_string(number)},
                       {"id", text(0)},
                       {"lane", "0"},
                       {"aggregate", text(2)},
                       {"kind", text(3)},
                       {"body", text(4)}};
        rows_.push_back(std::move(row));
    }

    std::string asked;
    int opened = 0;
    std::size_t confirmed = 0;
    bool broken = false;

private:
    class Reader final : public InsertLog {
    public:
        explicit Reader(LoggingDatabase& database) : database_(database), at_(database.confirmed) {
            database_.read_ = true;
        }
        ~Reader() override { database_.read_ = false; }
        Task<Result<std::vector<LoggedRow>>> next(Context context) override {
            std::vector<LoggedRow> rows;
            while (rows.empty() && database_.world_.monotonic() < context.deadline) {
                co_await sleep_for(database_.world_, milliseconds(10));
                if (database_.broken) {
                    co_return failure(ErrorKind::retryable, "connection-lost", "");
                }
                while (at_ < database_.rows_.size()) { rows.push_back(database_.rows_[at_++]); }
            }
            co_return rows;
        }
        Task<Result<void>> confirm(Context) override {
            database_.confirmed = at_;
            co_return Result<void>();
        }

    private:
        LoggingDatabase& database_;
        std::size_t at_;
    };

    FakeWorld& world_;
    Database& inner_;
    std::vector<LoggedRow> rows_;
    bool read_ = false;
};

enum class Engine : std::uint8_t { model, sqlite };

class OutboxTest : public testing::TestWithParam<Engine> {
protected:
    OutboxTest() {
        sqlite_.migrate(test_outbox_migrations());
        topics.queue = topic;
    }

    Database& database() {
        return GetParam() == Engine::model ? static_cast<Database&>(model_) : sqlite_;
    }
    Context context() const { return Context(world.monotonic() + seconds(1)); }
    std::vector<Rows> run_calls(std::vector<Call> calls) {
        auto all = [](Database& database, Context within,
                      std::vector<Call> called) -> Task<Result<std::vector<Rows>>> {
            RP_CO_TRY(const auto transaction, co_await database.begin(std::move(within)));
            co_return co_await transaction->commit(std::move(called));
        };
        return finish(all(database(), context(), std::move(calls))).value();
    }
    // run() would never end: relays look again for ever.
    template <class T>
    T finish(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(world.executor(""), std::move(task),
                       [&result](const std::exception_ptr&, T value) { result.emplace(value); });
        while (!result) { world.run_for(milliseconds(1)); }
        return *std::move(result);
    }
    // One transaction that does something about these aggregates.
    void commit(const std::vector<std::string>& aggregates) {
        OutboxAppend events(world);
        for (const std::string& aggregate : aggregates) {
            events.add(aggregate, "happened", "{\"n\":" + std::to_string(++events_) + "}");
        }
        std::vector<Call> calls;
        calls.push_back(std::move(events).call(test_outbox_sql().append));
        calls.emplace_back(test_outbox_sql().ends, Row());
        ids_of(calls.front(), aggregates);
        const Row appended = calls.front().arguments;
        const auto answers = run_calls(std::move(calls));
        const auto after = integer(answers[1].rows.at(0), 1) + 1;
        const auto count = static_cast<std::int64_t>(aggregates.size());
        for (std::int64_t i = 0; i < count; ++i) {
            logging.write(appended, static_cast<std::size_t>(i), after - count + i);
        }
    }
    // Events that wait, and dead ones.
    std::pair<std::int64_t, std::int64_t> left() {
        std::vector<Call> calls;
        calls.emplace_back(test_outbox_sql().backlog, Row());
        const auto answers = run_calls(std::move(calls));
        return {integer(answers[0].rows.at(0), 0), integer(answers[0].rows.at(0), 1)};
    }
    std::unique_ptr<EventFlow> flow(EventOptions options = {"nats"}) {
        EventFlow::Feed feed{"test-feed", [this](Context, std::vector<OutboxEvent> events) {
                                 return take(std::move(events));
                             }};
        return std::make_unique<EventFlow>(environment, test_outbox_sql().for_relay(), "test",
                                           std::move(options), std::move(feed));
    }
    Task<Result<void>> take(std::vector<OutboxEvent> events) {
        if (feed_fails > 0) {
            --feed_fails;
            co_return failure(ErrorKind::retryable, "unavailable", "");
        }
        fed.insert(fed.end(), events.begin(), events.end());
        co_return Result<void>();
    }
    void start(EventFlow& events, Scope& scope) {
        events.start(scope, seconds(1), milliseconds(1500),
                     [&events](Context within) { return events.deliver_some(std::move(within)); });
    }
    void end(EventFlow& events, Scope& scope) {
        scope.cancel();
        auto ended = [](EventFlow& flow, Scope& all) -> Task<bool> {
            co_await all.join();
            co_await flow.stop();
            co_return true;
        };
        EXPECT_TRUE(finish(ended(events, scope)));
    }

    // By aggregate, in the order of their first coming.
    std::map<std::string, std::vector<std::string>> on_topic() const {
        std::map<std::string, std::vector<std::string>> result;
        std::set<std::string> known;
        for (const Message& message : topic->accepted) {
            if (known.insert(message.id).second) { result[message.key].push_back(message.id); }
        }
        return result;
    }

    FakeWorld world;
    FakeRpc rpc;
    Topics topics;
    std::shared_ptr<Topic> topic = std::make_shared<Topic>(world);
    std::map<std::string, std::vector<std::string>> committed;  // ids by aggregate
    std::vector<OutboxEvent> fed;
    int feed_fails = 0;

private:
    void ids_of(const Call& append, const std::vector<std::string>& aggregates) {
        const auto& ids = std::get<std::vector<std::string>>(append.arguments.at(0));
        for (std::size_t i = 0; i < ids.size(); ++i) { committed[aggregates[i]].push_back(ids[i]); }
    }

    int events_ = 0;
    simulator::ModelDatabase tables_{schema(), model_options(world)};
    simulator::DirectDatabase model_{tables_};
    MemorySqlite sqlite_{[this] { return world.wall(); }};

protected:
    LoggingDatabase logging{world, database()};
    Environment environment{world, world, world, rpc, logging, world, topics};
};

INSTANTIATE_TEST_SUITE_P(All, OutboxTest, testing::Values(Engine::model, Engine::sqlite),
                         [](const auto& each) {
                             return each.param == Engine::model ? "model" : "sqlite";
                         });

TEST(OutboxSql, HasModelsAndTwoDialects) {
    expect_models(schema(), test_outbox_sql().all(), "test");
    expect_same_parameters(test_outbox_sql().all());
    MemorySqlite database([] { return WallTime(); });
    database.migrate(test_outbox_migrations());
    expect_all_prepare(database, test_outbox_sql().all());
    expect_columns(database, schema());
}

TEST(Events, HaveTheShapeOfAnOutboxRouter) {
    const OutboxEvent event{7, "id-1", "SKU-1", "stock.reserved", R"({"quantity":2})"};
    const Message message = message_of(event);
    EXPECT_EQ(message.id, "id-1");
    EXPECT_EQ(message.key, "SKU-1");
    EXPECT_EQ(message.body, R"({"quantity":2})");
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(message.headers,
              (Headers{{"id", "id-1"}, {"event-type", "stock.reserved"}, {"event-number", "7"}}));
    const auto read = event_of(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::tie(read->number, read->id, read->aggregate, read->kind, read->body),
              std::tie(event.number, event.id, event.aggregate, event.kind, event.body));
    for (const auto& break_it : std::vector<std::function<void(Message&)>>{
             [](Message& broken) { broken.headers.clear(); },
             [](Message& broken) { broken.headers.back().second = "7x"; },
             [](Message& broken) { broken.key.clear(); },
             [](Message& broken) { broken.headers.erase(broken.headers.begin() + 1); }}) {
        Message broken = message;
        break_it(broken);
        EXPECT_FALSE(event_of(broken));
    }
}

TEST_P(OutboxTest, PublishesEachOnceAndInOrder) {
    for (int i = 0; i < 60; ++i) { commit({"a", "b" + std::to_string(i % 7), "a"}); }
    topic->travel = milliseconds(2);
    const auto events = flow();
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(5));
    EXPECT_EQ(topics.asked, "nats test-events");
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(topic->accepted.size(), 180u) << "nothing twice";
    EXPECT_EQ(left(), std::pair(std::int64_t{0}, std::int64_t{0}));
    end(*events, scope);
}

TEST_P(OutboxTest, NothingIsRemovedBeforeTheBrokerHasIt) {
    topics.queue = nullptr;
    commit({"a", "b", "a"});
    const auto events = flow();
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(20));
    EXPECT_EQ(left().first, 3);
    EXPECT_EQ(world.logged, std::vector<std::string>{"events wait"}) << "once per trouble";
    const auto failures = world.count("test_failed_deliveries_total");
    EXPECT_GE(failures, 5u);
    EXPECT_LE(failures, 8u) << "it tries less often";
    topics.queue = topic;
    topic->answer = [](const Message&) { return Error(ErrorKind::retryable, "queue-full", ""); };
    world.run_for(seconds(20));
    EXPECT_EQ(left().first, 3);
    topic->answer = nullptr;
    world.run_for(seconds(5));
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(left().first, 0);
    EXPECT_EQ(world.logged.back(), "events are delivered again");
    end(*events, scope);
}

TEST_P(OutboxTest, WhatMayHaveArrivedComesAgainUnderItsId) {
    commit({"a", "a", "a"});
    topic->answer = [n = 0](const Message&) mutable -> std::optional<Error> {
        if (++n % 2 == 0) { return std::nullopt; }
        return Error(ErrorKind::unknown_outcome, "connection-lost", "");
    };
    const auto events = flow();
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(30));
    EXPECT_EQ(on_topic(), committed);
    EXPECT_GT(topic->accepted.size(), 3u);
    EXPECT_EQ(left().first, 0);
    end(*events, scope);
}

TEST_P(OutboxTest, ARefusedEventDiesAloneWithItsReason) {
    commit({"a", "poison", "poison", "b", "a"});
    const std::string poison = committed.at("poison").front();
    topic->answer = [&](const Message& message) -> std::optional<Error> {
        if (message.id != poison) { return std::nullopt; }
        return Error(ErrorKind::permanent, "too-large", "it is too large");
    };
    const auto events = flow();
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(3));
    EXPECT_EQ(on_topic().at("a"), committed.at("a")) << "others do not wait for it";
    EXPECT_FALSE(on_topic().contains("poison")) << "its own aggregate does";
    world.run_for(seconds(30));
    EXPECT_EQ(left(), std::pair(std::int64_t{0}, std::int64_t{1}));
    EXPECT_EQ(on_topic().at("poison"), std::vector{committed.at("poison").back()});
    EXPECT_EQ(world.count("test_dead_events_total"), 1u);
    EXPECT_EQ(world.count("test_failed_deliveries_total"),
              static_cast<std::uint64_t>(outbox_attempts_max));
    end(*events, scope);
}

TEST_P(OutboxTest, AnotherRelayGoesOnWhereOneDied) {
    for (int i = 0; i < 40; ++i) { commit({"a", "b", "c", "d", "e"}); }
    const auto first = flow();
    const auto second = flow();
    Scope of_first(world);
    Scope of_second(world);
    // The first ends in the middle of a lane, without a word.
    topic->answer = [this](const Message&) -> std::optional<Error> {
        if (topic->accepted.size() == 36) { topic->travel = std::chrono::hours(1); }
        return std::nullopt;
    };
    start(*first, of_first);
    world.run_for(milliseconds(1100));
    EXPECT_EQ(topic->accepted.size(), 37u);
    of_first.cancel();
    topic->travel = milliseconds(1);
    topic->answer = nullptr;
    start(*second, of_second);
    world.run_for(seconds(10));
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(left().first, 0);
    end(*first, of_first);
    end(*second, of_second);
}

TEST_P(OutboxTest, TheLogTellsOfWhatTheTableHadNot) {
    commit({"a", "b", "a"});
    logging.confirmed = 2;  // the log was kept too late for the first two
    const auto events = flow({"nats", EventsBy::log});
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(2));
    EXPECT_EQ(logging.asked, "test_outbox");
    EXPECT_EQ(on_topic(), committed);
    for (int i = 0; i < 20; ++i) {
        commit({"a", "c", "a"});
        world.run_for(milliseconds(30));
    }
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(left().first, 0) << "the table does not grow";
    EXPECT_EQ(logging.confirmed, 63u);
    EXPECT_EQ(logging.opened, 1);
    end(*events, scope);
}

TEST_P(OutboxTest, OneReadsTheLogAndAnotherTakesOver) {
    const auto first = flow({"nats", EventsBy::log});
    const auto second = flow({"nats", EventsBy::log});
    Scope of_first(world);
    Scope of_second(world);
    start(*first, of_first);
    world.run_for(seconds(2));
    start(*second, of_second);
    for (int i = 0; i < 5; ++i) {
        commit({"a", "b", "a"});
        world.run_for(seconds(1));
    }
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(logging.opened, 1);
    EXPECT_TRUE(world.logged.empty()) << "waiting for one's turn is no trouble";
    topic->travel = milliseconds(100);
    commit({"a", "b", "a", "a"});
    world.run_for(milliseconds(250));
    EXPECT_NE(on_topic(), committed);
    end(*first, of_first);
    world.run_for(seconds(5));
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(logging.opened, 2);
    EXPECT_EQ(left().first, 0);
    end(*second, of_second);
}

TEST_P(OutboxTest, ByTheLogNothingIsConfirmedBeforeTheBrokerHasIt) {
    const auto events = flow({"nats", EventsBy::log});
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(2));
    topic->answer = [](const Message&) { return Error(ErrorKind::retryable, "unavailable", ""); };
    commit({"a", "b", "a"});
    world.run_for(seconds(20));
    EXPECT_EQ(logging.confirmed, 0u);
    EXPECT_EQ(left().first, 3);
    EXPECT_EQ(world.logged, std::vector<std::string>{"events wait"});
    topic->answer = nullptr;
    logging.broken = true;
    commit({"a", "c"});
    world.run_for(seconds(10));
    EXPECT_EQ(on_topic(), committed) << "from the table, as the log cannot be read";
    logging.broken = false;
    commit({"a", "c"});
    world.run_for(seconds(10));
    EXPECT_EQ(on_topic(), committed);
    EXPECT_EQ(logging.confirmed, 7u);
    EXPECT_EQ(left().first, 0);
    end(*events, scope);
}

TEST_P(OutboxTest, ByTheLogARefusedEventDiesAlone) {
    const auto events = flow({"nats", EventsBy::log});
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(2));
    topic->answer = [](const Message& message) -> std::optional<Error> {
        if (message.key != "poison") { return std::nullopt; }
        return Error(ErrorKind::permanent, "too-large", "it is too large");
    };
    commit({"a", "poison", "b"});
    world.run_for(seconds(1));
    EXPECT_TRUE(on_topic().contains("a"));
    EXPECT_TRUE(on_topic().contains("b"));
    world.run_for(seconds(40));
    EXPECT_EQ(left(), std::pair(std::int64_t{0}, std::int64_t{1}));
    commit({"a"});
    world.run_for(seconds(10));
    EXPECT_EQ(on_topic().at("a"), committed.at("a"));
    EXPECT_EQ(logging.confirmed, 4u);
    end(*events, scope);
}

TEST_P(OutboxTest, WithoutALogItSaysSo) {
    Environment plain{world, world, world, rpc, database(), world, topics};
    const auto opened = finish(plain.database.open_log(context(), "test_outbox"));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), "no-log");
    EXPECT_NE(opened.error().message().find("polling"), std::string::npos);
}

TEST_P(OutboxTest, TheFeedTakesItsEventsFromTheTopic) {
    topics.queue = std::make_shared<MemoryQueue>(environment, MemoryQueueOptions{1000, 1 << 16});
    feed_fails = 2;
    commit({"a", "b", "a"});
    const auto events = flow();
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(10));
    std::map<std::string, std::vector<std::string>> got;
    for (const OutboxEvent& event : fed) { got[event.aggregate].push_back(event.id); }
    EXPECT_EQ(got, committed);
    EXPECT_EQ(world.count("test_failed_readings_total"), 2u);
    EXPECT_EQ(world.count("test_foreign_messages_total"), 0u);
    end(*events, scope);
}

TEST_P(OutboxTest, WithoutABrokerTheFeedIsAsked) {
    topics.queue = nullptr;
    commit({"a", "b"});
    const auto events = flow({});
    Scope scope(world);
    start(*events, scope);
    world.run_for(seconds(3));
    EXPECT_EQ(fed.size(), 2u);
    EXPECT_EQ(topics.asked, "");
    EXPECT_EQ(left().first, 0);
    end(*events, scope);
}

TEST(OpenJobs, WithoutRabbitTheyAreInMemory) {
    FakeEnvironment fake;
    auto use = [](Environment& environment) -> Task<std::string> {
        const Context context(environment.clock.monotonic() + seconds(1));
        const auto jobs = co_await open_jobs(environment, context, "mail");
        if (!jobs) { co_return jobs.error().code(); }
        Job job{"id", {}, "letter"};
        const auto put = co_await (*jobs)->put(context, std::move(job));
        if (!put) { co_return put.error().code(); }
        const auto taken = co_await (*jobs)->take(context);
        co_return taken && *taken ? (*taken)->job.body : "nothing";
    };
    EXPECT_EQ(*fake.world.finish(use(fake.environment)), "letter");
}

}  // namespace
}  // namespace rushproof
