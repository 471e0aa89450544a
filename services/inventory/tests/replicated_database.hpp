// A primary and a standby that replays only when it is told to.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {

class ReplicatedDatabase final : public Database {
public:
    explicit ReplicatedDatabase(FakeWorld& world)
        : primary_(model_schema(), model_options(world)),
          standby_(model_schema(), model_options(world), primary_) {}

    void catch_up() { replayed_ += standby_.replay(); }

    Task<Result<std::unique_ptr<Transaction>>> begin(Context, TransactionOptions options) override {
        const bool may_lag = options.route == Route::replica && options.access == Access::read_only;
        const bool by_standby = may_lag && options.seen <= replayed_;
        auto session = (by_standby ? standby_ : primary_).open_session();
        RP_CO_CHECK(session->begin(options));
        std::unique_ptr<Transaction> transaction =
            std::make_unique<Session>(std::move(session), options.access, *this);
        co_return transaction;
    }

private:
    class Session final : public Transaction {
    public:
        Session(std::unique_ptr<simulator::ModelSession> session, Access access,
                const ReplicatedDatabase& database)
            : session_(std::move(session)), access_(access), database_(database) {}

        Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
            return session_->execute(std::move(calls));
        }
        Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
            return session_->commit(std::move(last));
        }
        // As PostgreSQL's does, it knows only when it might have written.
        LogPosition position() const override {
            if (access_ == Access::read_only) { return 0; }
            return database_.replayed_ + database_.standby_.behind();
        }

    private:
        std::unique_ptr<simulator::ModelSession> session_;
        Access access_;
        const ReplicatedDatabase& database_;
    };

    simulator::ModelDatabase primary_;
    simulator::ModelDatabase standby_;
    LogPosition replayed_ = 0;
};

}  // namespace rushproof::inventory
