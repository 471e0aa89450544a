// Goal: catalog's statements, and those that roles share, mean the same on PostgreSQL, on SQLite
// and on the simulated database.
// Method: the same script of transactions on all three, and what each call gave, side by side;
// then two sessions that want the same, on the two engines that have several writers.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <optional>
#include <set>
#include <sstream>

#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/tests/fixture.hpp"
#include "core/runtime/tests/fake_world.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "core/runtime/transactions.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/catalog_model.hpp"
#include "services/catalog/store/statements.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof {
namespace {

namespace statements = catalog::statements;
using Script = std::vector<std::vector<Call>>;

std::string as_text(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) { return std::to_string(*number); }
    if (const auto* text = std::get_if<std::string>(&value)) { return *text; }
    return "?";
}

// Ages in microseconds, which differ between engines, are the last column of read_lane.
std::string as_text(const Call& call, const Rows& rows) {
    std::ostringstream out;
    out << call.statement->name << " affected " << rows.affected;
    for (const Row& row : rows.rows) {
        out << " |";
        const bool has_age = call.statement == &statements::outbox().read_lane;
        for (std::size_t i = 0; i + (has_age ? 1 : 0) < row.size(); ++i) {
            out << ' ' << as_text(row[i]);
        }
    }
    return out.str();
}

// Calls that only read give rows, whose number is no effect.
bool writes(const Call& call) { return !call.statement->sql.starts_with("SELECT"); }

Task<std::vector<std::string>> play(Database& database, Script script, Context context) {
    std::vector<std::string> seen;
    for (const std::vector<Call>& calls : script) {
        auto begun = co_await database.begin(context);
        if (!begun) { co_return std::vector{begun.error().message()}; }
        const auto answers = co_await (*begun)->commit(calls);
        if (!answers) {
            seen.push_back("error " + answers.error().code());
            continue;
        }
        for (std::size_t i = 0; i < calls.size(); ++i) {
            Rows rows = answers->at(i);
            if (!writes(calls[i])) { rows.affected = 0; }
            seen.push_back(as_text(calls[i], rows));
        }
    }
    co_return seen;
}

Call product(const std::string& id, const std::string& sku, const std::string& category) {
    return {statements::insert_product,
            {id, sku, std::string("name"), std::string(), category, std::int64_t{5},
             std::string("EUR"), std::int64_t{1}}};
}
Call on(const Statement& statement, const std::string& id) { return {statement, {id}}; }
Call aged(const Statement& statement, std::int64_t age_us) { return {statement, {age_us}}; }
Call page(const std::string& category, const std::string& after, std::int64_t limit) {
    return {statements::list_products, {category, after, limit}};
}
Call event(std::int64_t version, const std::string& kind) {
    return {statements::take_event, {std::string("p"), version, kind}};
}
Call claim(const std::string& key, const std::string& fingerprint) {
    return {statements::keys().claim_key,
            {std::string("alice"), std::string("create"), key, fingerprint, std::string("made")}};
}
Call result_of(const std::string& key) {
    return {statements::keys().find_result, {std::string("alice"), std::string("create"), key}};
}

constexpr std::int64_t long_ago = 3'600'000'000;
// In the future: everything is older.
constexpr std::int64_t any_age = -3'600'000'000;

Script products_script() {
    Call update(statements::update_product,
                {std::string("b"), std::string("new"), std::string("words"), std::string("y"),
                 std::int64_t{7}, std::string("JPY"), std::int64_t{2}});
    Script script;
    // Upper case, lower case and digits sort by bytes everywhere.
    script.push_back(pipeline(product("b", "S-1", "x"), product("B", "S-2", "x"),
                              product("a_", "S-3", "y"), product("a-", "S-4", "")));
    script.push_back(pipeline(product("z", "S-1", "x")));
    script.push_back(pipeline(on(statements::find_product, "b"), on(statements::find_product, "z"),
                              on(statements::lock_product, "B")));
    script.push_back(pipeline(page("", "", 10), page("", "B", 2), page("x", "", 10),
                              page("x", "B", 10), page("none", "", 10)));
    script.push_back(pipeline(std::move(update), on(statements::find_product, "b")));
    script.push_back(pipeline(on(statements::remove_product, "a_"),
                              on(statements::remove_product, "a_"), page("", "", 10)));
    script.push_back(pipeline(product("c", "S-3", "")));
    script.push_back(pipeline(on(statements::ping, "")));
    script.back().front().arguments.clear();
    return script;
}

Script deletions_script() {
    const Call list_none(statements::list_deletions, {long_ago, std::int64_t{5}});
    const Call list_one(statements::list_deletions, {any_age, std::int64_t{1}});
    Script script;
    script.push_back(
        pipeline(on(statements::begin_deletion, "b"), on(statements::begin_deletion, "b"),
                 on(statements::begin_deletion, "a"), list_none, list_one,
                 on(statements::find_deletion, "a"), on(statements::find_deletion, "none")));
    script.push_back(
        pipeline(on(statements::finish_deletion, "a"), on(statements::finish_deletion, "none"),
                 on(statements::find_deletion, "a"), list_one, on(statements::undo_deletion, "a"),
                 on(statements::undo_deletion, "b"), on(statements::find_deletion, "b")));
    script.push_back(pipeline(aged(statements::forget_deletions, long_ago),
                              aged(statements::forget_deletions, any_age)));
    return script;
}

Script shared_script() {
    const OutboxSql& outbox = statements::outbox();
    const std::vector<std::string> two{"e1", "e2"};
    Script script;
    script.push_back(
        pipeline(claim("k", "f"), claim("k", "other"), result_of("k"), result_of("none")));
    script.push_back(pipeline(aged(statements::keys().forget_keys, long_ago),
                              aged(statements::keys().forget_keys, any_age)));
    script.push_back(pipeline(
        Call(outbox.append, {two, std::vector<std::int64_t>{1, 1}, two, two, two}),
        Call(outbox.create_lanes, {std::vector<std::int64_t>{0, 1, 2, 3}}),
        Call(outbox.create_lanes, {std::vector<std::int64_t>{0, 1}}), Call(outbox.backlog, {})));
    const Call claim_lane(outbox.claim_lane,
                          {std::string("me"), std::int64_t{1'000'000}, std::int64_t{2}});
    script.push_back(pipeline(claim_lane, claim_lane));
    script.push_back(pipeline(
        Call(outbox.read_lane, {std::int64_t{1}, std::int64_t{10}}),
        Call(outbox.release_lane, {std::int64_t{1}, std::string("other")}),
        Call(outbox.release_lane, {std::int64_t{1}, std::string("me")}), claim_lane,
        Call(outbox.ends, {}), Call(outbox.waiting, {std::vector<std::int64_t>{1, 2, 9}}),
        Call(outbox.refuse, {std::int64_t{1}, std::string("no"), std::int64_t{2}}),
        Call(outbox.refuse, {std::int64_t{1}, std::string("no"), std::int64_t{2}}),
        Call(outbox.backlog, {}), Call(outbox.ends, {}),
        Call(outbox.waiting, {std::vector<std::int64_t>{1, 2, 9}}),
        Call(outbox.remove, {std::vector<std::int64_t>{1, 2, 3}}), Call(outbox.backlog, {})));
    script.push_back(pipeline(on(statements::open_feed, "p"), on(statements::open_feed, "p"),
                              event(1, "product.created"), event(1, "product.created"),
                              event(3, "product.updated"), event(2, "product.updated"),
                              on(statements::read_feed, "p"), on(statements::read_feed, "q")));
    script.push_back(pipeline(event(4, "product.deleted"), on(statements::read_feed, "p"),
                              aged(statements::forget_feed, long_ago),
                              aged(statements::forget_feed, any_age)));
    return script;
}

simulator::ModelOptions model_options(FakeWorld& world) {
    simulator::ModelOptions options;
    options.wall = [&world] { return world.wall(); };
    options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
    return options;
}

class Engines : public postgres::PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        if (options_.url.empty()) { return; }
        administer(
            "DROP SCHEMA IF EXISTS catalog CASCADE;"
            "DROP TABLE IF EXISTS schema_migration");
        ASSERT_TRUE(migrate_postgres(options_.url, "catalog", catalog::migrations()));
        sqlite_.migrate(catalog::migrations());
    }

    void expect_agreement(const Script& script) {
        const Context context = postgres::context_for(std::chrono::seconds(30));
        const auto on_postgres = wait(play(*database_, script, context));
        const auto on_model = world_.finish(play(direct_, script, context)).value();
        const auto on_sqlite = world_.finish(play(sqlite_, script, context)).value();
        EXPECT_EQ(on_model, on_postgres);
        EXPECT_EQ(on_sqlite, on_postgres);
        EXPECT_GE(on_postgres.size(), script.size());
    }

    // What the second of two transactions gets that wait for each other: `first` has not ended when
    // `second` begins.
    void expect_same_wait(const Call& first, const Call& second, const Call& third);

    FakeWorld world_;
    simulator::ModelDatabase model_{catalog::model_schema(), model_options(world_)};
    simulator::DirectDatabase direct_{model_};
    MemorySqlite sqlite_{[this] { return world_.wall(); }};
};

Task<std::string> play_one(Transaction& transaction, std::vector<Call> calls) {
    const auto answers = co_await transaction.commit(calls);
    if (!answers) { co_return "error " + answers.error().code(); }
    std::string seen;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        Rows rows = answers->at(i);
        if (!writes(calls[i])) { rows.affected = 0; }
        seen += as_text(calls[i], rows) + "; ";
    }
    co_return seen;
}

// The server says who waits; nothing here knows how long that takes.
std::string play_both(Database& database, const asio::any_io_executor& executor, const Call& first,
                      const std::vector<Call>& second, const std::function<void()>& until_blocked,
                      const std::function<void(const std::function<bool()>&)>& run_until) {
    const Context context = postgres::context_for(std::chrono::seconds(30));
    std::string seen;
    std::optional<std::string> late;
    std::unique_ptr<Transaction> holds;
    std::unique_ptr<Transaction> waits;
    bool has_begun = false;
    bool has_ended = false;
    const auto begin_both = [&]() -> Task<void> {
        auto begun = co_await database.begin(context);
        auto later = co_await database.begin(context);
        holds = *std::move(begun);
        waits = *std::move(later);
        auto calls = pipeline(first);
        const auto held = co_await holds->execute(std::move(calls));
        seen = held ? as_text(first, held->at(0)) : "error " + held.error().code();
        has_begun = true;
    };
    const auto wait = [&]() -> Task<void> { late = co_await play_one(*waits, second); };
    const auto end = [&]() -> Task<void> {
        const auto ended = co_await holds->commit();
        seen += ended ? " committed, then " : " " + ended.error().code() + ", then ";
        has_ended = true;
    };
    asio::co_spawn(executor, begin_both(), asio::detached);
    run_until([&] { return has_begun; });
    asio::co_spawn(executor, wait(), asio::detached);
    until_blocked();
    EXPECT_FALSE(late) << *late;
    asio::co_spawn(executor, end(), asio::detached);
    run_until([&] { return has_ended && late; });
    return seen + *late;
}

void Engines::expect_same_wait(const Call& first, const Call& second, const Call& third) {
    const auto both = pipeline(second, third);
    const auto run_real = [&](const std::function<bool()>& ended) {
        context_.restart();
        while (!ended()) { context_.run_one(); }
    };
    const auto blocked_really = [&] {
        while (backends("cardinality(pg_blocking_pids(pid)) > 0") == 0) {
            context_.restart();
            context_.poll();
        }
    };
    const auto run_model = [&](const std::function<bool()>& ended) {
        world_.run_for(Duration(0));
        EXPECT_TRUE(ended());
    };
    const auto on_postgres =
        play_both(*database_, context_.get_executor(), first, both, blocked_really, run_real);
    const auto on_model = play_both(
        direct_, world_.executor("test"), first, both, [&] { world_.run_for(Duration(0)); },
        run_model);
    EXPECT_EQ(on_model, on_postgres);
}

TEST_F(Engines, AgreeOnProducts) { expect_agreement(products_script()); }
TEST_F(Engines, AgreeOnDeletions) { expect_agreement(deletions_script()); }
TEST_F(Engines, AgreeOnWhatRolesShare) { expect_agreement(shared_script()); }

TEST_F(Engines, CoverEveryStatement) {
    std::set<const Statement*> played;
    for (const Script& script : {products_script(), deletions_script(), shared_script()}) {
        for (const std::vector<Call>& calls : script) {
            for (const Call& call : calls) { played.insert(call.statement); }
        }
    }
    for (const Statement* statement : statements::all()) {
        EXPECT_TRUE(played.contains(statement)) << statement->name;
    }
}

TEST_F(Engines, AgreeOnWhoWaits) {
    expect_same_wait(claim("k", "first"), claim("k", "second"), result_of("k"));
    expect_same_wait(product("p", "S", "x"), product("q", "S", "x"), page("", "", 9));
    expect_same_wait(on(statements::lock_product, "p"), on(statements::lock_product, "p"),
                     on(statements::find_deletion, "p"));
    expect_same_wait(on(statements::begin_deletion, "p"), on(statements::begin_deletion, "p"),
                     on(statements::find_deletion, "p"));
    expect_same_wait(on(statements::open_feed, "p"), on(statements::open_feed, "p"),
                     event(1, "product.created"));
    expect_same_wait(event(2, "product.updated"), event(3, "product.updated"),
                     on(statements::read_feed, "p"));
    expect_same_wait(on(statements::remove_product, "p"), on(statements::lock_product, "p"),
                     page("", "", 9));
}

}  // namespace
}  // namespace rushproof
