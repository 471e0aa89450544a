// Goal: the service sweeps by itself, survives a database that is away, and drains when it stops.
// Method: its public interface only, on the fake clock.
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/rpc_router.hpp"
#include "services/inventory/tests/bench.hpp"
#include "services/inventory/tests/failing_database.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
namespace wire = ::inventory::v1;

class ServiceTest : public testing::Test {
protected:
    ServiceTest() { router_.add(service_->rpc_methods()); }

    Task<Result<std::string>> start_call(std::string method, std::string bytes) {
        Context context(world_.monotonic() + seconds(5));
        context.principal = "alice";
        context.idempotency_key = "k";
        return router_.answer(std::move(context), "inventory.v1.Inventory/" + method,
                              std::move(bytes));
    }
    // The sweeper never ends, so time is limited here.
    Result<std::string> call(std::string method, std::string bytes) {
        std::optional<Result<std::string>> answer;
        asio::co_spawn(world_.executor("call"), start_call(std::move(method), std::move(bytes)),
                       [&](const std::exception_ptr&, Result<std::string> result) {
                           answer = std::move(result);
                       });
        world_.run_for(std::chrono::milliseconds(100));
        return *answer;
    }
    Task<bool> stop() {
        co_await service_->stop();
        co_return true;
    }

    static std::string reserve_bytes() {
        wire::ReserveRequest request;
        request.set_sku("SKU-A");
        request.set_quantity(2);
        return request.SerializeAsString();
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    FailingDatabase database_{world_, model_.database()};
    Bench bench_{world_, database_};
    std::unique_ptr<Service> service_ = make_inventory(bench_.environment, Options());
    RpcRouter router_{world_};
};

TEST_F(ServiceTest, AnswersCallsAndSweeps) {
    bench_.set_stock(10);
    service_->start();
    const auto answer = call("Reserve", reserve_bytes());
    ASSERT_TRUE(answer);
    wire::Reservation reservation;
    ASSERT_TRUE(reservation.ParseFromString(*answer));
    EXPECT_EQ(reservation.state(), wire::HELD);
    EXPECT_EQ(reservation.owner(), "alice");
    EXPECT_EQ(reservation.time_left_us(), 600'000'000);

    wire::ReservationRequest by_id;
    by_id.set_id(reservation.id());
    world_.run_for(minutes(10) + seconds(2));
    ASSERT_TRUE(reservation.ParseFromString(*call("GetReservation", by_id.SerializeAsString())));
    EXPECT_EQ(reservation.state(), wire::EXPIRED);
    EXPECT_EQ(world_.finish(stop()), true);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_F(ServiceTest, ChecksWhatComesIn) {
    wire::ReserveRequest request;
    request.set_sku("SKU-A");
    request.set_quantity(0);
    EXPECT_EQ(call("Reserve", request.SerializeAsString()).error().code(), "invalid");
    EXPECT_EQ(call("Reserve", "\xFF").error().code(), "malformed");
    wire::LedgerRequest page;
    page.set_sku("SKU-A");
    page.set_limit(limits::page + 1);
    EXPECT_EQ(call("GetLedger", page.SerializeAsString()).error().code(), "invalid");
}

TEST_F(ServiceTest, DoesNotStartWithOptionsOutOfRange) {
    Options forever;
    forever.reservation_ttl = limits::reservation_ttl + seconds(1);
    EXPECT_THROW(make_inventory(bench_.environment, forever), std::invalid_argument);
    Options busy;
    busy.sweep_interval = seconds(0);
    EXPECT_THROW(make_inventory(bench_.environment, busy), std::invalid_argument);
}

TEST_F(ServiceTest, TheSweeperSurvivesADatabaseThatIsAway) {
    bench_.set_stock(10);
    bench_.reserve("k", 2);
    service_->start();
    database_.fail_step(1, Fault::refused, true);
    world_.run_for(minutes(11));
    EXPECT_FALSE(world_.logged.empty());
    database_.fail_step(INT32_MAX, Fault::refused);
    world_.run_for(seconds(2));
    EXPECT_EQ(world_.finish(stop()), true);
    EXPECT_EQ(bench_.stock()->held, Quantity(0));
}

TEST_F(ServiceTest, StopFinishesWhatWasAcceptedAndRefusesTheRest) {
    bench_.set_stock(10);
    service_->start();
    database_.fail_step(3, Fault::refused);  // the commit: the accepted call will retry
    std::optional<Result<std::string>> accepted;
    asio::co_spawn(world_.executor("call"), start_call("Reserve", reserve_bytes()),
                   [&](const std::exception_ptr&, Result<std::string> result) {
                       accepted = std::move(result);
                   });
    world_.run_for(Duration(0));
    EXPECT_FALSE(accepted);
    EXPECT_EQ(world_.finish(stop()), true);
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(*accepted);
    EXPECT_EQ(call("Reserve", reserve_bytes()).error().code(), "stopping");
}

TEST_F(ServiceTest, IsReadyWhenTheDatabaseAnswersInTime) {
    const auto ready = [&] {
        return *world_.finish(service_->ready(Context(world_.monotonic() + seconds(1))));
    };
    EXPECT_TRUE(ready());
    database_.fail_step(1, Fault::refused, true);
    EXPECT_FALSE(ready());
}

}  // namespace
}  // namespace rushproof::inventory
