// Goal: the service sweeps by itself, survives a database that is away, and drains when it stops.
// Method: its public interface only, on the fake clock.
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/tests/failing_database.hpp"
#include "core/runtime/tests/running_service.hpp"
#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
namespace wire = ::inventory::v1;

class ServiceTest : public testing::Test {
protected:
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
    RunningService service_{world_, make_inventory(bench_.environment, Options()),
                            "inventory.v1.Inventory/"};
};

TEST_F(ServiceTest, AnswersCallsAndSweeps) {
    bench_.set_stock(10);
    service_->start();
    const auto answer = service_.call("Reserve", reserve_bytes());
    ASSERT_TRUE(answer);
    wire::Reservation reservation;
    ASSERT_TRUE(reservation.ParseFromString(*answer));
    EXPECT_EQ(reservation.state(), wire::HELD);
    EXPECT_EQ(reservation.owner(), "alice");
    EXPECT_EQ(reservation.time_left_us(), 600'000'000);

    wire::ReservationRequest by_id;
    by_id.set_id(reservation.id());
    world_.run_for(minutes(10) + seconds(2));
    ASSERT_TRUE(
        reservation.ParseFromString(*service_.call("GetReservation", by_id.SerializeAsString())));
    EXPECT_EQ(reservation.state(), wire::EXPIRED);
    EXPECT_TRUE(service_.stop());
    EXPECT_EQ(bench_.audit(), "");
}

TEST_F(ServiceTest, ChecksWhatComesIn) {
    wire::ReserveRequest request;
    request.set_sku("SKU-A");
    request.set_quantity(0);
    EXPECT_EQ(service_.call("Reserve", request.SerializeAsString()).error().code(), "invalid");
    EXPECT_EQ(service_.call("Reserve", "\xFF").error().code(), "malformed");
    wire::LedgerRequest page;
    page.set_sku("SKU-A");
    page.set_limit(limits::page + 1);
    EXPECT_EQ(service_.call("GetLedger", page.SerializeAsString()).error().code(), "invalid");
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
    EXPECT_TRUE(service_.stop());
    EXPECT_EQ(bench_.stock()->held, Quantity(0));
}

TEST_F(ServiceTest, StopFinishesWhatWasAcceptedAndRefusesTheRest) {
    bench_.set_stock(10);
    service_->start();
    database_.fail_step(3, Fault::refused);  // the commit: the accepted call will retry
    const auto accepted = service_.start_call("Reserve", reserve_bytes());
    world_.run_for(Duration(0));
    EXPECT_FALSE(*accepted);
    EXPECT_TRUE(service_.stop());
    ASSERT_TRUE(*accepted);
    EXPECT_TRUE(**accepted);
    EXPECT_EQ(service_.call("Reserve", reserve_bytes()).error().code(), "stopping");
}

TEST_F(ServiceTest, IsReadyWhenTheDatabaseAnswersInTime) {
    EXPECT_TRUE(service_.ready());
    database_.fail_step(1, Fault::refused, true);
    EXPECT_FALSE(service_.ready());
}

}  // namespace
}  // namespace rushproof::inventory
