// The suite on queues in tables, in the fake world: on our SQL and on its model.  Each open() is a
// process of its own.
#include <utility>

#include "core/runtime/table_queue.hpp"
#include "core/runtime/table_queue_model.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "core/runtime/tests/table_queue_tables.hpp"
#include "simulator/models/database/direct_database.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/fake_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr TableQueueOptions options{.capacity = 50, .message_bytes = 4096};

QueueTraits table_traits() {
    QueueTraits traits;
    traits.message_bytes = options.message_bytes;
    traits.rounds = 20;
    return traits;
}

class TableBench : public FakeQueueBench {
public:
    explicit TableBench(Database& database) : FakeQueueBench(table_traits(), database) {}

    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        std::shared_ptr<MessageQueue> queue =
            std::make_shared<TableQueue>(environment(), test_queue_sql(), options);
        co_return queue;
    }
    bool restart() override { return true; }
};

// The clock of a world that is not there yet.
struct Sqlite {
    FakeQueueBench* world = nullptr;
    MemorySqlite database{[this] { return world->world().wall(); }};
};

class SqliteBench final : private Sqlite, public TableBench {
public:
    SqliteBench() : TableBench(database) {
        Sqlite::world = this;
        database.migrate(test_queue_migrations());
    }
};

ModelSchema model_schema() {
    ModelSchema schema;
    add_table_queue_model(schema, test_queue_sql());
    return schema;
}

struct Model {
    simulator::ModelOptions model_options() {
        simulator::ModelOptions result;
        result.wall = [this] { return bench->world().wall(); };
        result.elapsed = [this] { return bench->world().monotonic().time_since_epoch(); };
        return result;
    }

    FakeQueueBench* bench = nullptr;
    simulator::ModelDatabase model{model_schema(), model_options()};
    simulator::DirectDatabase database{model};
};

class ModelBench final : private Model, public TableBench {
public:
    ModelBench() : TableBench(database) { Model::bench = this; }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, QueueConformance,
                         testing::Values(QueueProvider{
                             "sqlite", [] { return std::make_unique<SqliteBench>(); }}));
INSTANTIATE_TEST_SUITE_P(Model, QueueConformance,
                         testing::Values(QueueProvider{
                             "model", [] { return std::make_unique<ModelBench>(); }}));

}  // namespace
}  // namespace rushproof::conformance
