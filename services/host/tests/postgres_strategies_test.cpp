// Goal: every strategy does on a PostgreSQL what it does on the simulated database, and its locks
// exclude there whom they exclude here; many at once oversell nothing there either.
// Method: the same calls on both, whose answers are compared; then two instances on the server.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"
#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/tests/fixture.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/inventory_model.hpp"
#include "services/inventory/store/statements.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

const Owner alice("alice");
const Sku sku_a("SKU-A");
const Sku sku_b("SKU-B");

class NoRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context, RpcTarget, std::string) override {
        co_return failure(ErrorKind::retryable, "unavailable", "there is nobody to call");
    }
};

template <class T>
std::string word(const Result<T>& answer) {
    return answer ? "ok" : answer.error().code();
}

std::string word(const Result<Reservation>& answer) {
    if (!answer) { return answer.error().code(); }
    return std::string(to_string(answer->state)) + ' ' + fingerprint_of(answer->lines);
}

std::string word(const Stock& stock) {
    return std::to_string(stock.on_hand.units()) + '/' + std::to_string(stock.held.units()) + '/' +
           std::to_string(stock.sold.units()) + " at " + std::to_string(stock.version);
}

class OnPostgres : public testing::Test {
protected:
    using Lines = std::vector<Line>;

    void SetUp() override {
        const std::string url = postgres::variable("RUSHPROOF_POSTGRES_URL");
        ASSERT_FALSE(url.empty());
        pqxx::connection connection(url);
        pqxx::nontransaction work(connection);
        const auto known = work.exec("SELECT to_regclass('inventory.stock') IS NOT NULL");
        if (known[0][0].as<bool>()) {
            work.exec(
                "TRUNCATE inventory.stock, inventory.reservation, inventory.ledger, "
                "inventory.idempotency, inventory.outbox");
        }
        const auto migrated = migrate_postgres(url, "inventory", migrations());
        ASSERT_TRUE(migrated) << migrated.error().message();
        PostgresOptions options;
        options.url = url;
        options.connections_max = 8;
        server_ = PostgresDatabase::create(context_.get_executor(), options, telemetry_).value();
    }
    void TearDown() override {
        server_.reset();
        context_.restart();
        context_.run();
    }

    template <class T>
    T finish(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(context_, std::move(task),
                       [&result](const std::exception_ptr& exception, T value) {
                           if (exception) { std::rethrow_exception(exception); }
                           result.emplace(std::move(value));
                       });
        context_.restart();
        while (!result) { context_.run_one(); }
        return *std::move(result);
    }

    Context context() const { return Context(clock_.monotonic() + seconds(30)); }
    Environment on(Database& database) {
        return {clock_, random_, spawner_, rpc_, database, telemetry_, queues_};
    }
    static Options options(Strategy strategy, Duration ttl = seconds(600)) {
        Options options;
        options.strategy = strategy;
        options.reservation_ttl = ttl;
        return options;
    }

    simulator::ModelOptions with_timers() {
        simulator::ModelOptions options;
        options.wall = [this] { return clock_.wall(); };
        options.elapsed = [this] { return clock_.monotonic().time_since_epoch(); };
        options.after = [this](Duration time, std::function<void()> call) {
            clock_.wait_until(
                clock_.monotonic() + time,
                [call = std::move(call)](const boost::system::error_code&) { call(); });
        };
        return options;
    }

    asio::io_context context_{1};
    RealClock clock_{context_.get_executor()};
    RealRandom random_;
    RealSpawner spawner_{context_.get_executor()};
    NoRpc rpc_;
    NoQueues queues_;
    postgres::TestTelemetry telemetry_;
    std::unique_ptr<PostgresDatabase> server_;
    simulator::ModelDatabase model_{model_schema(), with_timers()};
    simulator::DirectDatabase simulated_{model_};
};

class PostgresStrategies : public OnPostgres, public testing::WithParamInterface<Strategy> {
protected:
    // What clients and keepers of stock are told, one word after the other.
    std::vector<std::string> use(Database& database) {
        Environment environment = on(database);
        Application shop(environment, options(GetParam()));
        Application hasty(environment, options(GetParam(), microseconds(1)));
        std::vector<std::string> words;
        const auto reserve = [&](Application& at, const std::string& key, Lines lines) {
            ReserveRequest request{alice, IdempotencyKey(key), std::move(lines)};
            auto answer = finish(at.reserve(context(), std::move(request)));
            words.push_back(word(answer));
            return answer;
        };
        const auto end = [&](Ending wish, const Result<Reservation>& reservation) {
            words.push_back(word(finish(shop.end(context(), wish, reservation->id, alice))));
        };
        const auto adjust = [&](const std::string& key, Lines changes, bool alone) {
            Adjustment wish{alice, IdempotencyKey(key), std::move(changes), alone};
            words.push_back(word(finish(shop.adjust(context(), std::move(wish)))));
        };
        reserve(shop, "r0", {{sku_a, Quantity(1)}});
        finish(shop.set_stock(context(), sku_a, Quantity(6)));
        finish(shop.set_stock(context(), sku_b, Quantity(3)));
        const auto first = reserve(shop, "r1", {{sku_a, Quantity(2)}});
        reserve(shop, "r1", {{sku_a, Quantity(2)}});
        reserve(shop, "r1", {{sku_a, Quantity(3)}});
        reserve(shop, "r2", {{sku_a, Quantity(5)}});
        const auto basket = reserve(shop, "r3", {{sku_a, Quantity(1)}, {sku_b, Quantity(2)}});
        reserve(shop, "r4", {{sku_a, Quantity(1)}, {sku_b, Quantity(2)}});
        end(Ending::confirm, first);
        end(Ending::release, basket);
        adjust("a1", {{sku_a, Quantity(-5)}}, false);
        adjust("a1", {{sku_a, Quantity(-2)}}, false);
        adjust("a2", {{sku_a, Quantity(3)}, {sku_b, Quantity(-1)}}, true);
        adjust("a2", {{sku_a, Quantity(3)}, {sku_b, Quantity(-1)}}, true);
        adjust("a3", {{sku_a, Quantity(1)}, {sku_b, Quantity(-9)}}, true);
        reserve(hasty, "r5", {{sku_a, Quantity(5)}});
        reserve(shop, "r6", {{sku_a, Quantity(4)}});  // expires the one before
        finish(hasty.expire_due(context()));
        for (const Sku& sku : {sku_a, sku_b}) {
            words.push_back(word(finish(shop.get_stock(context(), sku)).value()));
            for (const LedgerEntry& entry :
                 finish(shop.get_ledger(context(), LedgerPage{sku, 0, limits::page})).value()) {
                words.push_back(entry.kind + ' ' + std::to_string(entry.quantity.units()) + ' ' +
                                entry.key.text());
            }
        }
        return words;
    }
};

INSTANTIATE_TEST_SUITE_P(All, PostgresStrategies, testing::ValuesIn(all_strategies()));

TEST_P(PostgresStrategies, AnswerAsOnTheModel) { EXPECT_EQ(use(*server_), use(simulated_)); }

class SafePostgresStrategies : public OnPostgres, public testing::WithParamInterface<Strategy> {};

INSTANTIATE_TEST_SUITE_P(All, SafePostgresStrategies,
                         testing::Values(Strategy::pessimistic, Strategy::conditional,
                                         Strategy::optimistic, Strategy::batched,
                                         Strategy::serializable, Strategy::advisory_lock,
                                         Strategy::table_lock));

TEST_P(SafePostgresStrategies, SellExactlyWhatIsThere) {
    Environment environment = on(*server_);
    Application one(environment, options(GetParam()));
    Application other(environment, options(GetParam()));
    finish(one.set_stock(context(), sku_a, Quantity(7)));
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 20; ++i) {
        ReserveRequest request{
            alice, IdempotencyKey("k" + std::to_string(i)), {Line{sku_a, Quantity(1)}}};
        Application& at = i % 2 == 0 ? one : other;
        asio::co_spawn(context_, at.reserve(context(), std::move(request)),
                       [&](const std::exception_ptr&, Result<Reservation> answer) {
                           answers.push_back(std::move(answer));
                       });
    }
    context_.restart();
    while (answers.size() < 20) { context_.run_one(); }
    int succeeded = 0;
    for (const auto& answer : answers) {
        if (answer) {
            ++succeeded;
        } else {
            EXPECT_EQ(answer.error().code(), "insufficient-stock");
        }
    }
    EXPECT_EQ(succeeded, 7);
    EXPECT_EQ(finish(one.get_stock(context(), sku_a))->held, Quantity(7));
}

class PostgresLocks : public OnPostgres {
protected:
    // Whom each lock keeps out: "holder wanted: ok" or "...: lock-timeout".
    std::vector<std::string> excluded_on(Database& database) {
        Environment environment = on(database);
        Application keeper(environment, options(Strategy::pessimistic));
        finish(keeper.set_stock(context(), sku_a, Quantity(7)));
        const Call taken[] = {number_call(statements::lock_key, 1), lock_table_call(),
                              stock_call(statements::lock_stock, sku_a)};
        const Call wanted[] = {number_call(statements::lock_key, 1),
                               number_call(statements::lock_key, 2),
                               lock_table_call(),
                               stock_call(statements::read_stock, sku_a),
                               stock_call(statements::lock_stock, sku_a),
                               stock_call(statements::change_held, sku_a, Quantity(1))};
        std::vector<std::string> words;
        for (const Call& first : taken) {
            for (const Call& second : wanted) {
                const auto holder = finish(database.begin(context())).value();
                EXPECT_TRUE(finish(holder->execute(pipeline(first))));
                const auto waiter = finish(database.begin(context())).value();
                const auto answer = finish(waiter->execute(
                    pipeline(number_call(statements::limit_lock_wait, 20), second)));
                words.push_back(std::string(first.statement->name) + ' ' +
                                std::string(second.statement->name) + ": " + word(answer));
            }
        }
        return words;
    }
};

TEST_F(PostgresLocks, ExcludeAsOnTheModel) {
    const auto words = excluded_on(*server_);
    EXPECT_EQ(words, excluded_on(simulated_));
    EXPECT_EQ(std::ranges::count_if(
                  words, [](const auto& each) { return each.ends_with("lock-timeout"); }),
              7);
}

}  // namespace
}  // namespace rushproof::inventory
