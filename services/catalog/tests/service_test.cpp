// Goal: the service relays and sweeps by itself, survives a database that is away, checks what
// comes in, and drains when it stops.  Method: its public interface only, on the fake clock.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "core/protocol/catalog.pb.h"
#include "core/runtime/shard.hpp"
#include "core/runtime/tests/failing_database.hpp"
#include "core/runtime/tests/running_service.hpp"
#include "services/catalog/tests/bench.hpp"

namespace rushproof::catalog {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
namespace wire = ::catalog::v1;

class CatalogService : public testing::Test {
protected:
    static std::string create_bytes() {
        wire::CreateProductRequest request;
        request.set_sku("MUG-1");
        request.set_name("Mug");
        request.mutable_price()->set_minor_units(5);
        request.mutable_price()->set_currency("EUR");
        return request.SerializeAsString();
    }
    wire::Product create() {
        wire::Product product;
        EXPECT_TRUE(product.ParseFromString(service_.call("Create", create_bytes()).value()));
        return product;
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    FailingDatabase database_{world_, model_.database()};
    Bench bench_{world_, database_, model_.database()};
    RunningService service_{world_, make_catalog(bench_.environment, Options()),
                            "catalog.v1.Catalog/"};
};

TEST_F(CatalogService, AnswersCallsAndRelays) {
    service_->start();
    const wire::Product made = create();
    EXPECT_EQ(made.version(), 1);
    wire::PatchProductRequest patch;
    patch.set_id(made.id());
    patch.set_if_version(1);
    patch.set_name("Cup");
    wire::Product patched;
    ASSERT_TRUE(patched.ParseFromString(service_.call("Patch", patch.SerializeAsString()).value()));
    EXPECT_EQ(patched.name(), "Cup");
    wire::ProductRequest by_id;
    by_id.set_id(made.id());
    EXPECT_EQ(service_.call("Get", by_id.SerializeAsString()), patched.SerializeAsString());
    wire::ListProductsRequest page;
    page.set_limit(1);
    wire::Products products;
    ASSERT_TRUE(products.ParseFromString(service_.call("List", page.SerializeAsString()).value()));
    EXPECT_EQ(products.items_size(), 1);
    EXPECT_EQ(products.next(), made.id());
    wire::DeleteProductRequest gone;
    gone.set_id(made.id());
    EXPECT_TRUE(service_.call("Delete", gone.SerializeAsString()));
    world_.run_for(seconds(3));
    EXPECT_TRUE(service_.stop());
    EXPECT_EQ(bench_.known_of(ProductId(made.id())), (Known{3, "product.deleted", 0}));
}

TEST_F(CatalogService, ChecksWhatComesIn) {
    EXPECT_EQ(service_.call("Create", "\xFF").error().code(), "malformed");
    EXPECT_EQ(service_.call("Create", "").error().code(), "invalid");
    wire::ListProductsRequest page;
    page.set_limit(limits::page + 1);
    EXPECT_EQ(service_.call("List", page.SerializeAsString()).error().code(), "invalid");
    page.set_limit(1);
    page.set_category("a b");
    EXPECT_EQ(service_.call("List", page.SerializeAsString()).error().code(), "invalid");
    for (const char* method : {"Get", "Patch", "Delete", "Reserve"}) {
        EXPECT_EQ(service_.call(method, "").error().code(), "not-found") << method;
    }
}

TEST_F(CatalogService, TheSweepFinishesWhatWasLeft) {
    const ProductId id = bench_.create("k")->id;
    database_.fail_step(5, Fault::refused, true);  // the deletion is begun, then all is away
    EXPECT_EQ(bench_.remove(id).error().kind(), ErrorKind::unknown_outcome);
    service_->start();
    world_.run_for(minutes(1));
    EXPECT_FALSE(world_.logged.empty());
    database_.fail_step(INT32_MAX, Fault::refused);
    world_.run_for(seconds(10));
    EXPECT_TRUE(service_.stop());
    EXPECT_FALSE(bench_.get(id));
    EXPECT_EQ(bench_.known_of(id), (Known{2, "product.deleted", 0}));
}

// Remembers which group it was to ask, and that nothing answers.
class DeafRpc final : public Rpc {
public:
    Task<Result<std::string>> call(Context, RpcTarget target, std::string) override {
        groups.push_back(target.group);
        co_return failure(ErrorKind::permanent, "insufficient-stock", "");
    }
    std::vector<std::uint32_t> groups;
};

TEST_F(CatalogService, AsksTheShardThatKeepsTheSku) {
    DeafRpc rpc;
    Environment environment{world_, world_, world_, rpc, model_.database(), world_, world_.queues};
    Application application(environment, 3);
    std::vector<std::uint32_t> expected;
    for (const char* sku : {"A", "B", "C", "D", "E"}) {
        const ProductId id = bench_.create(sku, mug(sku))->id;
        EXPECT_FALSE(*world_.finish(application.reserve(bench_.context(), id, 1)));
        expected.push_back(shard_of_key(sku, 3));
    }
    EXPECT_EQ(rpc.groups, expected);
    EXPECT_GT(std::set(expected.begin(), expected.end()).size(), 1u);
}

TEST_F(CatalogService, DoesNotStartWithOptionsOutOfRange) {
    Options busy;
    busy.sweep_interval = seconds(0);
    EXPECT_THROW(make_catalog(bench_.environment, busy), std::invalid_argument);
    busy = Options();
    busy.relay_interval = seconds(0);
    EXPECT_THROW(make_catalog(bench_.environment, busy), std::invalid_argument);
}

TEST_F(CatalogService, StopRefusesWhatComesLater) {
    service_->start();
    create();
    EXPECT_TRUE(service_.stop());
    EXPECT_EQ(service_.call("Create", create_bytes()).error().code(), "stopping");
}

TEST_F(CatalogService, IsReadyWhenTheDatabaseAnswersInTime) {
    EXPECT_TRUE(service_.ready());
    database_.fail_step(1, Fault::refused, true);
    EXPECT_FALSE(service_.ready());
}

}  // namespace
}  // namespace rushproof::catalog
