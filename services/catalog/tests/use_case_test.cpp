// Goal: every use case keeps its contract, on the model database and on our SQL alike.
// Method: sequences of calls with a real inventory beside it, on a fake clock.
#include <gtest/gtest.h>

#include <set>

#include "services/catalog/tests/bench.hpp"

namespace rushproof::catalog {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

enum class Engine : std::uint8_t { model, sqlite };

class Products : public testing::TestWithParam<Engine> {
protected:
    Products() {
        sqlite_.migrate(inventory::migrations());
        sqlite_.migrate(migrations());
    }
    Database& database() {
        return GetParam() == Engine::model ? model_.database() : static_cast<Database&>(sqlite_);
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    MemorySqlite sqlite_{[this] { return world_.wall(); }};
    Bench bench_{world_, database(), database()};
};

std::string name_of(const testing::TestParamInfo<Engine>& engine) {
    return engine.param == Engine::model ? "model" : "sqlite";
}

INSTANTIATE_TEST_SUITE_P(All, Products, testing::Values(Engine::model, Engine::sqlite), &name_of);

TEST_P(Products, AreReadAsTheyWereCreated) {
    const auto made = bench_.create("k");
    ASSERT_TRUE(made);
    Product expected = mug();
    expected.id = made->id;
    EXPECT_EQ(*made, expected);
    EXPECT_EQ(bench_.get(made->id), expected);
    EXPECT_EQ(bench_.get(ProductId("3f0c8f4e-0000-4000-8000-000000000001")).error().code(),
              "not-found");
}

TEST_P(Products, ARepeatGetsTheFirstAnswerWhateverBecameOfIt) {
    const auto made = bench_.create("k");
    ASSERT_TRUE(made);
    EXPECT_EQ(bench_.create("k"), made);
    EXPECT_TRUE(bench_.rename(made->id, "Cup"));
    EXPECT_EQ(bench_.create("k"), made);
    Product other = mug();
    other.price.minor_units += 1;
    EXPECT_EQ(bench_.create("k", other).error().code(), "key-reused");
    EXPECT_TRUE(bench_.remove(made->id));
    EXPECT_EQ(bench_.create("k"), made);
    EXPECT_EQ(bench_.get(made->id).error().code(), "not-found");
}

TEST_P(Products, NoTwoHaveOneSku) {
    const auto made = bench_.create("k1");
    const auto refused = bench_.create("k2");
    EXPECT_EQ(refused.error().code(), "conflict");
    EXPECT_EQ(refused.error().message(), "sku MUG-1 belongs to another product");
    EXPECT_TRUE(bench_.remove(made->id));
    // A refusal is not remembered.
    const auto next = bench_.create("k2");
    ASSERT_TRUE(next);
    EXPECT_NE(next->id, made->id);
}

TEST_P(Products, APatchNeedsTheVersionItWasMadeFor) {
    const ProductId id = bench_.create("k")->id;
    const auto cup = bench_.rename(id, "Cup", 1);
    ASSERT_TRUE(cup);
    EXPECT_EQ(cup->version, 2);
    EXPECT_EQ(bench_.get(id), cup);
    EXPECT_EQ(bench_.rename(id, "Bowl", 1).error().code(), "precondition-failed");
    EXPECT_EQ(bench_.get(id), cup);
    // As a client does that did not get its answer.
    EXPECT_EQ(bench_.rename(id, "Cup", 1), cup);
    EXPECT_EQ(bench_.rename(id, "Cup", 2), cup);
    EXPECT_EQ(bench_.rename(id, "Bowl")->version, 3);
    EXPECT_EQ(bench_.rename(id, "").error().code(), "invalid");
    EXPECT_EQ(
        bench_.rename(ProductId("3f0c8f4e-0000-4000-8000-000000000001"), "Cup").error().code(),
        "not-found");
}

TEST_P(Products, EveryMemberButTheSkuCanBePatched) {
    const ProductId id = bench_.create("k")->id;
    Patch patch;
    patch.description = "";
    patch.category = "table";
    patch.minor_units = 1;
    patch.currency = "JPY";
    ASSERT_TRUE(bench_.patch(id, patch));
    Product expected = mug();
    expected.id = id;
    expected.description = "";
    expected.category = "table";
    expected.price = {1, "JPY"};
    expected.version = 2;
    EXPECT_EQ(bench_.get(id), expected);
}

TEST_P(Products, APageBeginsWhereTheLastEndedWhateverCameBetween) {
    std::set<std::string> before;
    for (int i = 0; i < 7; ++i) {
        before.insert(
            bench_.create("k" + std::to_string(i), mug("A-" + std::to_string(i)))->id.text());
    }
    std::vector<std::string> seen;
    ProductId after;
    for (int i = 0;; ++i) {
        const auto page = bench_.list("", after, 2);
        if (page.empty()) { break; }
        for (const Product& product : page) { seen.push_back(product.id.text()); }
        after = page.back().id;
        bench_.create("n" + std::to_string(i), mug("B-" + std::to_string(i)));
    }
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
    EXPECT_TRUE(std::ranges::includes(seen, before));
}

TEST_P(Products, AreListedByCategory) {
    const ProductId mug_id = bench_.create("k1")->id;
    Product pen = mug("PEN-1");
    pen.category = "office";
    const ProductId pen_id = bench_.create("k2", pen)->id;
    const auto ids = [&](const std::string& category) {
        std::vector<ProductId> found;
        for (const Product& product : bench_.list(category, ProductId(), 10)) {
            found.push_back(product.id);
        }
        return found;
    };
    EXPECT_EQ(ids("").size(), 2u);
    EXPECT_EQ(ids("office"), std::vector{pen_id});
    EXPECT_EQ(ids("garden"), std::vector<ProductId>());
    Patch moved;
    moved.category = "office";
    EXPECT_TRUE(bench_.patch(mug_id, moved));
    EXPECT_EQ(ids("kitchen"), std::vector<ProductId>());
    EXPECT_EQ(ids("office").size(), 2u);
}

TEST_P(Products, AreReservedByInventory) {
    const ProductId id = bench_.create("k")->id;
    const auto without_stock = bench_.reserve(id, 1, "r1");
    EXPECT_EQ(without_stock.error().code(), "insufficient-stock");
    bench_.set_stock("MUG-1", 3);
    const auto held = bench_.reserve(id, 2, "r1");
    ASSERT_TRUE(held);
    EXPECT_EQ(bench_.reserve(id, 2, "r1"), held);
    EXPECT_EQ(bench_.reserve(id, 1, "r1").error().code(), "key-reused");
    EXPECT_EQ(bench_.reserve(id, 2, "r2").error().code(), "insufficient-stock");
    EXPECT_EQ(bench_.reserve(id, 0, "r3").error().code(), "invalid");
    EXPECT_EQ(
        bench_.reserve(ProductId("3f0c8f4e-0000-4000-8000-000000000001"), 1, "r4").error().code(),
        "not-found");
}

TEST_P(Products, AreNotDeletedWhileReservationsAreHeld) {
    const ProductId id = bench_.create("k")->id;
    bench_.set_stock("MUG-1", 3);
    const std::string held = bench_.reserve(id, 2, "r1").value();
    const auto refused = bench_.remove(id);
    EXPECT_EQ(refused.error().code(), "conflict");
    EXPECT_EQ(refused.error().message(),
              "reservations of sku MUG-1 are held: confirm or release them first");
    // As if nobody had asked.
    EXPECT_EQ(bench_.on_hand("MUG-1"), 3);
    EXPECT_TRUE(bench_.rename(id, "Cup"));
    EXPECT_TRUE(bench_.reserve(id, 1, "r2"));
    bench_.release(held);
    EXPECT_EQ(bench_.remove(id).error().code(), "conflict");
    bench_.release(bench_.reserve(id, 1, "r2").value());
    EXPECT_TRUE(bench_.remove(id));
    EXPECT_EQ(bench_.get(id).error().code(), "not-found");
    EXPECT_EQ(bench_.reserve(id, 1, "r3").error().code(), "not-found");
    EXPECT_EQ(bench_.on_hand("MUG-1"), 0);
}

TEST_P(Products, DeletingTwiceIsWellAndDeletingTheWrongVersionIsNot) {
    const ProductId id = bench_.create("k")->id;
    EXPECT_TRUE(bench_.rename(id, "Cup"));
    EXPECT_EQ(bench_.remove(id, 1).error().code(), "precondition-failed");
    EXPECT_TRUE(bench_.get(id));
    EXPECT_TRUE(bench_.remove(id, 2));
    EXPECT_TRUE(bench_.remove(id, 2));
    EXPECT_TRUE(bench_.remove(id));
    EXPECT_EQ(bench_.remove(ProductId("3f0c8f4e-0000-4000-8000-000000000001")).error().code(),
              "not-found");
    world_.run_for(limits::retention + seconds(1));
    EXPECT_EQ(bench_.finish(bench_.application.forget(bench_.context())), 2u);  // a key as well
    EXPECT_EQ(bench_.remove(id).error().code(), "not-found");
}

TEST_P(Products, AreFollowedByTheFeedInOrder) {
    const ProductId a = bench_.create("k1", mug("A"))->id;
    const ProductId b = bench_.create("k2", mug("B"))->id;
    EXPECT_EQ(bench_.create("k3", mug("A")).error().code(), "conflict");
    EXPECT_TRUE(bench_.rename(a, "Cup"));
    EXPECT_TRUE(bench_.rename(a, "Cup"));
    EXPECT_EQ(bench_.known_of(a), std::nullopt);
    auto events = bench_.deliver();
    EXPECT_EQ(events.size(), 3u);
    EXPECT_EQ(bench_.known_of(a), (Known{2, "product.updated", 0}));
    EXPECT_EQ(bench_.known_of(b), (Known{1, "product.created", 0}));
    EXPECT_TRUE(bench_.rename(b, "Cup"));
    EXPECT_TRUE(bench_.remove(b));
    EXPECT_EQ(bench_.deliver().size(), 2u);
    EXPECT_EQ(bench_.known_of(b), (Known{3, "product.deleted", 0}));
    // What comes again is known by its version.
    EXPECT_TRUE(bench_.finish(add_to_feed(database(), bench_.context(), events)));
    EXPECT_EQ(bench_.known_of(b), (Known{3, "product.deleted", 0}));
    // What never came leaves a gap.
    OutboxEvent late = events.front();
    Product product = mug();
    product.version = 9;
    late.aggregate = a.text();
    late.body = as_json(product);
    EXPECT_TRUE(bench_.finish(add_to_feed(database(), bench_.context(), {late})));
    EXPECT_EQ(bench_.known_of(a)->gaps, 1);
    world_.run_for(limits::retention + seconds(1));
    EXPECT_TRUE(bench_.finish(bench_.application.forget(bench_.context())));
    EXPECT_EQ(bench_.known_of(b), std::nullopt);
    EXPECT_TRUE(bench_.known_of(a));
}

TEST_P(Products, ADeletionThatLostItsCallerIsTakenUp) {
    const ProductId id = bench_.create("k")->id;
    bench_.rpc.handler = [](Context, std::string, std::string) -> Task<Result<std::string>> {
        co_return failure(ErrorKind::retryable, "unavailable", "");
    };
    EXPECT_EQ(bench_.remove(id).error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(bench_.rename(id, "Cup").error().code(), "conflict");
    const auto settle = [&] {
        return bench_.finish(bench_.application.settle_deletions(bench_.context()));
    };
    EXPECT_EQ(settle(), 0u);  // whoever began it may still be at it
    world_.run_for(limits::deletion_patience + seconds(1));
    EXPECT_FALSE(settle());
    bench_.restore_inventory();
    EXPECT_EQ(settle(), 1u);
    EXPECT_EQ(settle(), 0u);
    EXPECT_EQ(bench_.get(id).error().code(), "not-found");
    EXPECT_EQ(bench_.deliver().size(), 2u);
    EXPECT_EQ(bench_.known_of(id), (Known{2, "product.deleted", 0}));
}

TEST_P(Products, ADeletionTakenUpIsUndoneWhileReservationsAreHeld) {
    const ProductId id = bench_.create("k")->id;
    bench_.set_stock("MUG-1", 1);
    EXPECT_TRUE(bench_.reserve(id, 1, "r"));
    bench_.rpc.handler = [](Context, std::string, std::string) -> Task<Result<std::string>> {
        co_return failure(ErrorKind::unknown_outcome, "connection-lost", "");
    };
    EXPECT_EQ(bench_.remove(id).error().kind(), ErrorKind::unknown_outcome);
    bench_.restore_inventory();
    world_.run_for(limits::deletion_patience + seconds(1));
    EXPECT_EQ(bench_.finish(bench_.application.settle_deletions(bench_.context())), 1u);
    EXPECT_TRUE(bench_.rename(id, "Cup"));
}

}  // namespace
}  // namespace rushproof::catalog
