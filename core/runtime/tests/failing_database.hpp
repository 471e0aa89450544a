// A Database that fails at one step: begin, execute and commit count as one step each.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {

enum class Fault : std::uint8_t {
    refused,        // nothing happened, retryable
    broken,         // nothing happened, permanent
    lost_answer,    // it happened; a commit's outcome is unknown
    never_applied,  // of a commit: it did not happen, and that is unknown
    applied_later,  // of a commit: it happens 100 ms after the unknown answer
};

class FailingDatabase final : public Database {
public:
    FailingDatabase(FakeWorld& world, Database& inner) : world_(world), inner_(inner) {}

    // The n-th step from now fails; with `for_ever` every later one, too.
    void fail_step(int step, Fault fault, bool for_ever = false) {
        next_ = 0;
        failing_ = step;
        fault_ = fault;
        for_ever_ = for_ever;
    }
    // How long every execute travels.
    Duration distance{};
    // Since fail_step.
    int steps() const { return next_; }
    // Did the failing step come up?
    bool failed() const { return next_ >= failing_; }

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options) override {
        const auto fault = next_fault();
        if (fault == Fault::broken) {
            co_return failure(ErrorKind::permanent, "statement-failed", "");
        }
        if (fault) { co_return failure(ErrorKind::retryable, "unavailable", ""); }
        RP_CO_TRY(auto inner, co_await inner_.begin(std::move(context), options));
        std::unique_ptr<Transaction> transaction =
            std::make_unique<Session>(*this, std::move(inner));
        co_return transaction;
    }

private:
    class Session final : public Transaction {
    public:
        Session(FailingDatabase& database, std::unique_ptr<Transaction> inner)
            : database_(database), inner_(std::move(inner)) {}

        Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
            const auto fault = database_.next_fault();
            if (database_.distance > Duration()) {
                co_await sleep_for(database_.world_, database_.distance);
            }
            if (!fault) { co_return co_await inner_->execute(std::move(calls)); }
            if (fault == Fault::broken) {
                co_return failure(ErrorKind::permanent, "statement-failed", "");
            }
            if (fault == Fault::lost_answer) { co_await inner_->execute(std::move(calls)); }
            inner_.reset();
            co_return failure(ErrorKind::retryable, "connection-lost", "");
        }

        Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
            const auto fault = database_.next_fault();
            if (!fault) { co_return co_await inner_->commit(std::move(last)); }
            if (fault == Fault::broken) {
                co_return failure(ErrorKind::permanent, "statement-failed", "");
            }
            if (fault == Fault::lost_answer) {
                co_await inner_->commit(std::move(last));
            } else if (fault == Fault::applied_later) {
                FakeWorld& world = database_.world_;
                asio::co_spawn(world.executor("late"),
                               commit_later(world, std::move(inner_), std::move(last)),
                               asio::detached);
            }
            inner_.reset();
            if (fault == Fault::refused) {
                co_return failure(ErrorKind::retryable, "serialization-failure", "");
            }
            co_return failure(ErrorKind::unknown_outcome, "commit-unknown", "");
        }

    private:
        static Task<void> commit_later(FakeWorld& world, std::unique_ptr<Transaction> inner,
                                       std::vector<Call> last) {
            co_await sleep_for(world, std::chrono::milliseconds(100));
            co_await inner->commit(std::move(last));
        }

        FailingDatabase& database_;
        std::unique_ptr<Transaction> inner_;
    };

    std::optional<Fault> next_fault() {
        ++next_;
        const bool fails = for_ever_ ? next_ >= failing_ : next_ == failing_;
        if (!fails) { return std::nullopt; }
        return fault_;
    }

    FakeWorld& world_;
    Database& inner_;
    int next_ = 0;
    int failing_ = INT32_MAX;
    Fault fault_ = Fault::refused;
    bool for_ever_ = false;
};

}  // namespace rushproof
