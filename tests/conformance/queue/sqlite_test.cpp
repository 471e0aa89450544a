// The suite on a queue in a real SQLite file; open() is a queue of its own on it each time.
#include <optional>

#include "core/real/sqlite/tests/fixture.hpp"
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

class SqliteBench final : public RealQueueBench {
public:
    SqliteBench() { start(); }
    ~SqliteBench() override { run_out(); }

    QueueTraits traits() const override {
        QueueTraits traits;
        traits.quiet = std::chrono::milliseconds(100);
        traits.message_bytes = options.message_bytes;
        return traits;
    }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        std::shared_ptr<MessageQueue> queue =
            std::make_shared<TableQueue>(*environment_, test_queue_sql(), options);
        co_return queue;
    }
    bool restart() override {
        run_out();
        environment_.reset();
        database_.reset();
        start();
        return true;
    }

private:
    void start() {
        SqliteOptions file;
        file.path = directory_.file("queue.sqlite");
        database_ = SqliteDatabase::open(file).value();
        EXPECT_TRUE(database_->apply("test", test_queue_migrations()));
        environment_.emplace(
            Environment{clock(), random(), spawner(), rpc_, *database_, telemetry(), queues_});
    }

    sqlite::TemporaryDirectory directory_;
    FakeRpc rpc_;
    NoQueues queues_;
    std::unique_ptr<SqliteDatabase> database_;
    std::optional<Environment> environment_;
};

INSTANTIATE_TEST_SUITE_P(SqliteFile, QueueConformance,
                         testing::Values(QueueProvider{
                             "sqlite", [] { return std::make_unique<SqliteBench>(); }}));

}  // namespace
}  // namespace rushproof::conformance
