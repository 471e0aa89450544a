// Goal: whatever fails at whatever step, each use case has its effect once or not at all, and says
// which; its event goes with it.  Requests at the same time keep the rules, too.
// Method: run it once per step and kind of failure, then ask the feed; many at once on the model.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>

#include "core/runtime/tests/failing_database.hpp"
#include "services/catalog/tests/bench.hpp"

namespace rushproof::catalog {
namespace {

constexpr Fault all_faults[] = {Fault::refused, Fault::broken, Fault::lost_answer,
                                Fault::never_applied, Fault::applied_later};

struct Failing {
    FakeWorld world;
    ModelEngine model{world};
    FailingDatabase database{world, model.database()};
    Bench bench{world, database, model.database()};
    ProductId id;
};

void fail_each_step(const std::function<void(Failing&)>& prepare,
                    const std::function<std::optional<Error>(Failing&)>& use_case,
                    const std::function<void(Failing&, bool)>& check) {
    int steps = 0;
    for (const Fault fault : all_faults) {
        for (int step = 1;; ++step) {
            SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at step " +
                         std::to_string(step));
            Failing failing;
            prepare(failing);
            failing.database.fail_step(step, fault);
            const std::optional<Error> error = use_case(failing);
            if (!failing.database.failed()) { break; }
            failing.database.fail_step(INT32_MAX, fault);
            ++steps;
            EXPECT_EQ(error.has_value(), fault == Fault::broken) << error->code();
            check(failing, !error.has_value());
        }
    }
    EXPECT_GE(steps, 3 * static_cast<int>(std::size(all_faults)));
}

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
    if (result) { return std::nullopt; }
    return result.error();
}

void create_one(Failing& failing) { failing.id = failing.bench.create("k")->id; }

TEST(FailedCreate, CreatesOnceOrNotAtAll) {
    fail_each_step(
        [](Failing&) {}, [](Failing& failing) { return error_of(failing.bench.create("k")); },
        [](Failing& failing, bool created) {
            EXPECT_EQ(failing.bench.list("", ProductId(), 10).size(), created ? 1u : 0u);
            const auto made = failing.bench.create("k");
            ASSERT_TRUE(made);
            EXPECT_EQ(failing.bench.list("", ProductId(), 10).size(), 1u);
            EXPECT_EQ(failing.bench.deliver().size(), 1u);
            EXPECT_EQ(failing.bench.known_of(made->id), (Known{1, "product.created", 0}));
        });
}

TEST(FailedPatch, ChangesOnceOrNotAtAll) {
    fail_each_step(
        create_one,
        [](Failing& failing) { return error_of(failing.bench.rename(failing.id, "Cup", 1)); },
        [](Failing& failing, bool patched) {
            EXPECT_EQ(failing.bench.get(failing.id)->version, patched ? 2 : 1);
            EXPECT_TRUE(failing.bench.rename(failing.id, "Cup", 1));
            EXPECT_EQ(failing.bench.get(failing.id)->version, 2);
            EXPECT_EQ(failing.bench.deliver().size(), 2u);
            EXPECT_EQ(failing.bench.known_of(failing.id), (Known{2, "product.updated", 0}));
        });
}

TEST(FailedDelete, DeletesOnceOrNotAtAll) {
    fail_each_step(
        create_one, [](Failing& failing) { return error_of(failing.bench.remove(failing.id)); },
        [](Failing& failing, bool deleted) {
            EXPECT_EQ(failing.bench.get(failing.id).has_value(), !deleted);
            EXPECT_TRUE(failing.bench.remove(failing.id));
            EXPECT_FALSE(failing.bench.get(failing.id));
            EXPECT_EQ(failing.bench.deliver().size(), 2u);
            EXPECT_EQ(failing.bench.known_of(failing.id), (Known{2, "product.deleted", 0}));
        });
}

// What was unknown once, and is refused then, was not necessarily refused.
TEST(FailedPatch, ThatMayHaveBeenOverwrittenIsOfUnknownOutcome) {
    Failing failing;
    create_one(failing);
    failing.database.fail_step(3, Fault::lost_answer);  // the commit
    std::optional<Result<Product>> answer;
    Patch cup;
    cup.name = "Cup";
    PatchRequest request{failing.id, cup, 1};
    Bench other(failing.world, failing.model.database(), failing.model.database());
    asio::co_spawn(failing.world.executor("patch"),
                   failing.bench.application.patch(failing.bench.context(), std::move(request)),
                   [&](const std::exception_ptr&, Result<Product> result) { answer = result; });
    failing.world.run_for(Duration(0));
    ASSERT_TRUE(failing.database.failed());
    ASSERT_FALSE(answer);  // it waits before it tries again
    EXPECT_TRUE(other.rename(failing.id, "Bowl", 2));
    failing.world.run();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().kind(), ErrorKind::unknown_outcome);
}

class AtOnce : public testing::Test {
protected:
    template <class T>
    void start(Task<Result<T>> task, std::vector<std::optional<Error>>& errors) {
        asio::co_spawn(world_.executor("call"), std::move(task),
                       [&errors](const std::exception_ptr& exception, Result<T> result) {
                           if (exception) { std::rethrow_exception(exception); }
                           errors.push_back(error_of(result));
                       });
    }
    static std::ptrdiff_t succeeded(const std::vector<std::optional<Error>>& errors) {
        return std::ranges::count(errors, std::optional<Error>());
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    Bench bench_{world_, model_.database(), model_.database()};
    Bench other_instance_{world_, model_.database(), model_.database()};
};

TEST_F(AtOnce, RepeatsOfOneCreateMakeOneProduct) {
    std::vector<std::optional<Error>> errors;
    for (Bench* bench : {&bench_, &other_instance_, &bench_, &other_instance_}) {
        CreateRequest request{alice, IdempotencyKey("k"), mug()};
        start(bench->application.create(bench->context(), std::move(request)), errors);
    }
    world_.run();
    EXPECT_EQ(succeeded(errors), 4);
    EXPECT_EQ(bench_.list("", ProductId(), 10).size(), 1u);
}

TEST_F(AtOnce, OneOfManyGetsTheSku) {
    std::vector<std::optional<Error>> errors;
    for (int i = 0; i < 4; ++i) {
        CreateRequest request{alice, IdempotencyKey("k" + std::to_string(i)), mug()};
        start(bench_.application.create(bench_.context(), std::move(request)), errors);
    }
    world_.run();
    EXPECT_EQ(succeeded(errors), 1);
}

TEST_F(AtOnce, OneOfManyPatchesOfAVersionIsTaken) {
    const ProductId id = bench_.create("k")->id;
    std::vector<std::optional<Error>> errors;
    for (int i = 0; i < 6; ++i) {
        Bench& bench = i % 2 == 0 ? bench_ : other_instance_;
        PatchRequest request{id, {}, 1};
        request.patch.name = "Cup " + std::to_string(i);
        start(bench.application.patch(bench.context(), std::move(request)), errors);
    }
    world_.run();
    EXPECT_EQ(succeeded(errors), 1);
    EXPECT_EQ(bench_.get(id)->version, 2);
    bench_.deliver();
    EXPECT_EQ(bench_.known_of(id), (Known{2, "product.updated", 0}));
}

TEST_F(AtOnce, ADeletedProductHasNoHeldReservation) {
    for (int round = 0; round < 20; ++round) {
        const std::string name = std::to_string(round);
        const ProductId id = bench_.create("k" + name, mug("S-" + name))->id;
        bench_.set_stock("S-" + name, 1);
        std::vector<std::optional<Error>> deleted;
        std::vector<std::optional<Error>> reserved;
        const auto begin_delete = [&](Bench& bench) {
            start(bench.application.remove(bench.context(), DeleteRequest{id, {}}), deleted);
        };
        const auto begin_reserve = [&] {
            Context context = bench_.context();
            context.principal = "alice";
            context.idempotency_key = "r" + name;
            start(bench_.application.reserve(std::move(context), id, 1), reserved);
        };
        if (round % 2 == 0) { begin_reserve(); }
        begin_delete(bench_);
        begin_delete(other_instance_);
        if (round % 2 == 1) { begin_reserve(); }
        world_.run();
        ASSERT_EQ(deleted.size(), 2u);
        const bool is_gone = !bench_.get(id);
        EXPECT_EQ(is_gone, succeeded(deleted) > 0);
        EXPECT_EQ(succeeded(reserved), is_gone ? 0 : 1) << round;
        if (!is_gone) { EXPECT_TRUE(bench_.rename(id, "Cup")); }
    }
}

}  // namespace
}  // namespace rushproof::catalog
