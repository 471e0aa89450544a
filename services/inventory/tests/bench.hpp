// What the tests of inventory share: the use cases on an engine, and an audit of what they left.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime/tests/fake_environment.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/inventory_model.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof::inventory {

inline const Sku sku_a("SKU-A");
inline const Owner alice("alice");

// Without timers deadlocks are found at once, and nothing times out.
inline simulator::ModelOptions model_options(FakeWorld& world, bool timers = false) {
    simulator::ModelOptions options;
    // A clock of its own: the world's wall clock is the service's.
    options.wall = [&world, offset = world.wall_offset] {
        return WallTime(offset + std::chrono::floor<std::chrono::microseconds>(
                                     world.monotonic().time_since_epoch()));
    };
    options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
    if (timers) {
        options.after = [&world](Duration time, std::function<void()> call) {
            world.wait_until(
                world.monotonic() + time,
                [call = std::move(call)](const boost::system::error_code&) { call(); });
        };
    }
    return options;
}

class ModelEngine {
public:
    explicit ModelEngine(FakeWorld& world, bool timers = false)
        : model_(model_schema(), model_options(world, timers)), database_(model_) {}
    Database& database() { return database_; }

private:
    simulator::ModelDatabase model_;
    simulator::DirectDatabase database_;
};

// The use cases over a database.
class Bench {
public:
    Bench(FakeWorld& world, Database& database, Options options = {})
        : environment{world, world, world, rpc, database, world, world.queues},
          world_(world),
          application(environment, options) {}

    Context context(Duration limit = std::chrono::seconds(30)) const {
        return Context(world_.monotonic() + limit);
    }

    Result<Reservation> reserve(const std::string& key, std::int64_t units,
                                const Sku& sku = sku_a) {
        return finish(application.reserve(context(), order(key, units, sku)));
    }
    Result<Reservation> confirm(const ReservationId& id, const Owner& owner = alice) {
        return finish(application.end(context(), Ending::confirm, id, owner));
    }
    Result<Reservation> release(const ReservationId& id, const Owner& owner = alice) {
        return finish(application.end(context(), Ending::release, id, owner));
    }
    Result<Reservation> get(const ReservationId& id, const Owner& owner = alice) {
        return finish(application.get_reservation(context(), id, owner));
    }
    Result<Stock> set_stock(std::int64_t units, const Sku& sku = sku_a) {
        return finish(application.set_stock(context(), sku, Quantity(units)));
    }
    Result<Stock> stock(const Sku& sku = sku_a) {
        return finish(application.get_stock(context(), sku));
    }
    Result<std::size_t> expire() { return finish(application.expire_due(context())); }
    std::vector<LedgerEntry> ledger(const Sku& sku = sku_a) {
        return finish(application.get_ledger(context(), LedgerPage{sku, 0, limits::page})).value();
    }

    // Starts a reserve that runs when the world does.
    void start_reserve(const std::string& key, std::int64_t units,
                       std::vector<Result<Reservation>>& answers, const Sku& sku = sku_a) {
        start_basket(key, {Line{sku, Quantity(units)}}, answers);
    }
    void start_basket(const std::string& key, std::vector<Line> lines,
                      std::vector<Result<Reservation>>& answers) {
        ReserveRequest request{alice, IdempotencyKey(key), merge_lines(std::move(lines))};
        asio::co_spawn(world_.executor("reserve"),
                       application.reserve(context(), std::move(request)),
                       [&answers](const std::exception_ptr& exception, Result<Reservation> answer) {
                           if (exception) { std::rethrow_exception(exception); }
                           answers.push_back(std::move(answer));
                       });
    }

    // What is wrong with stock and ledger of a SKU; empty if nothing.
    std::string audit(const Sku& sku = sku_a);

    FakeRpc rpc;
    Environment environment;

private:
    static ReserveRequest order(const std::string& key, std::int64_t units, const Sku& sku) {
        return ReserveRequest{alice, IdempotencyKey(key), {Line{sku, Quantity(units)}}};
    }
    template <class T>
    T finish(Task<T> task) {
        return world_.finish(std::move(task)).value();
    }

    FakeWorld& world_;

public:
    Application application;
};

inline std::string Bench::audit(const Sku& sku) {
    Stock folded;
    std::map<std::string, std::string> last_kind;  // by reservation
    std::map<std::string, std::string> made_by;    // reservation by key
    for (const LedgerEntry& entry : ledger(sku)) {
        std::string& last = last_kind[entry.reservation.text()];
        if (entry.kind == "stock") {
            folded.on_hand = folded.on_hand + entry.quantity;
        } else if (entry.kind == "reserve") {
            folded.held = folded.held + entry.quantity;
            if (!last.empty()) { return "reserved twice: " + entry.reservation.text(); }
            if (!made_by.emplace(entry.key.text(), entry.reservation.text()).second) {
                return "two reservations for key " + entry.key.text();
            }
        } else {
            if (last != "reserve") { return entry.kind + " after '" + last + "'"; }
            folded.held = folded.held - entry.quantity;
            if (entry.kind == "confirm") {
                folded.on_hand = folded.on_hand - entry.quantity;
                folded.sold = folded.sold + entry.quantity;
            }
        }
        last = entry.kind;
        if (folded.available() < Quantity()) {
            return "oversold at number " + std::to_string(entry.number);
        }
    }
    const Stock found = stock(sku).value();
    if (found.on_hand != folded.on_hand || found.held != folded.held || found.sold != folded.sold) {
        return "stock and ledger differ";
    }
    return {};
}

}  // namespace rushproof::inventory
