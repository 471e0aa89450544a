// The suite on a queue in a real PostgreSQL; open() is a process's own queue and pool each time.
#include <cstdlib>
#include <deque>
#include <pqxx/pqxx>

#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/postgres_database.hpp"
#include "core/runtime/table_queue.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "core/runtime/tests/table_queue_tables.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/real_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr TableQueueOptions options{.capacity = 50,
                                    .message_bytes = 4096,
                                    .claim = std::chrono::seconds(1),
                                    .poll = std::chrono::milliseconds(20)};

class PostgresBench final : public RealQueueBench {
public:
    explicit PostgresBench(std::string url) : url_(std::move(url)) {
        pqxx::connection connection(url_);
        pqxx::nontransaction(connection)
            .exec("DROP SCHEMA IF EXISTS test CASCADE; DROP TABLE IF EXISTS schema_migration");
        EXPECT_TRUE(migrate_postgres(url_, "test", test_queue_migrations()));
    }
    ~PostgresBench() override { run_out(); }

    QueueTraits traits() const override {
        QueueTraits traits;
        traits.quiet = std::chrono::milliseconds(100);
        traits.message_bytes = options.message_bytes;
        return traits;
    }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        PostgresOptions server;
        server.url = url_;
        Instance& instance = instances_.emplace_back();
        instance.database =
            PostgresDatabase::create(context().get_executor(), server, telemetry()).value();
        instance.environment = std::make_unique<Environment>(Environment{
            clock(), random(), spawner(), rpc_, *instance.database, telemetry(), queues_});
        std::shared_ptr<MessageQueue> queue =
            std::make_shared<TableQueue>(*instance.environment, test_queue_sql(), options);
        co_return queue;
    }
    bool restart() override {
        run_out();
        instances_.clear();
        return true;
    }

private:
    struct Instance {
        std::unique_ptr<PostgresDatabase> database;
        std::unique_ptr<Environment> environment;
    };

    std::string url_;
    FakeRpc rpc_;
    NoQueues queues_;
    std::deque<Instance> instances_;
};

std::unique_ptr<QueueBench> make_bench() {
    const char* url = std::getenv("RUSHPROOF_POSTGRES_URL");
    if (url == nullptr) {
        ADD_FAILURE() << "run this by ctest, or by infra/stack/stack run postgres";
        return nullptr;
    }
    return std::make_unique<PostgresBench>(url);
}

INSTANTIATE_TEST_SUITE_P(Postgres, QueueConformance,
                         testing::Values(QueueProvider{"postgres", make_bench}));

}  // namespace
}  // namespace rushproof::conformance
