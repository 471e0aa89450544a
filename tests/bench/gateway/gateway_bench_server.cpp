// The real HTTP server and the real gateway, over an inventory that answers without a database:
// what the edge alone costs.  Prints the address that it listens on; ends when it is killed.
#include <cstdio>
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/real/beast/http_server.hpp"
#include "core/real/os/cores.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "core/runtime/http_router.hpp"
#include "services/gateway/gateway.hpp"
#include "services/host/local_rpc.hpp"

namespace rushproof {

namespace {

class NoDatabase final : public Database {
public:
    Task<Result<std::unique_ptr<Transaction>>> begin(Context, TransactionOptions) override {
        co_return failure(ErrorKind::retryable, "unavailable", "there is no database");
    }
};

std::string reservation() {
    ::inventory::v1::Reservation reservation;
    reservation.set_id("7ef03914-7065-4599-9dbf-ea58cdb576eb");
    reservation.set_sku("SKU-1");
    reservation.set_quantity(1);
    reservation.set_owner("bench");
    reservation.set_state(::inventory::v1::HELD);
    reservation.set_expires_at_us(1'800'000'000'000'000);
    reservation.set_time_left_us(600'000'000);
    return reservation.SerializeAsString();
}

int run() {
    RealTelemetry telemetry(LogLevel::warning);
    Cores cores(1);
    const asio::any_io_executor executor = cores[0].get_executor();
    RealClock clock(executor);
    RealRandom random;
    RealSpawner spawner(executor);
    NoDatabase database;
    RpcRouter rpc_router(telemetry);
    rpc_router.add({{"inventory.v1.Inventory/Reserve",
                     [answer = reservation()](Context, std::string) -> Task<Result<std::string>> {
                         co_return answer;
                     }}});
    const std::vector<LocalInstance> instances{{executor, &rpc_router}};
    LocalRpc rpc(executor, instances);
    NoQueues queues;
    Environment environment{clock, random, spawner, rpc, database, telemetry, queues};
    const auto gateway = gateway::make_gateway(environment, {});
    HttpRouter router(telemetry);
    router.add(gateway->http_routes());
    HttpHandler handler = [&router](Context context, HttpRequest request) {
        return router.answer(std::move(context), std::move(request));
    };
    std::vector<HttpServerCore> places;
    places.push_back({executor, &clock, std::move(handler)});
    const auto server = HttpServer::create(std::move(places), {}, telemetry).value();
    std::printf("127.0.0.1:%u\n", server->port());
    std::fflush(stdout);
    cores.run();
    return 0;
}

}  // namespace

}  // namespace rushproof

int main() { return rushproof::run(); }
