#include "simulator/models/database/backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

tl::unexpected<Error> statement_failed(std::string message) {
    return failure(ErrorKind::permanent, "statement-failed", std::move(message));
}

tl::unexpected<Error> commit_unknown() {
    return failure(ErrorKind::unknown_outcome, "commit-unknown",
                   "the connection was lost during the commit (40003)");
}

}  // namespace

ModelBackend::ModelBackend(ModelEngine& engine)
    : engine_(&engine), world_(engine.options()), locks_(engine.next_session()) {
    engine.connect(*this);
}

Result<void> ModelBackend::begin(TransactionOptions options) {
    if (!connected()) { return connection_lost(); }
    RP_ASSERT(state_ == State::idle);
    if (engine_->standby() && options.isolation == Isolation::serializable) {
        return statement_failed("cannot use serializable mode in a hot standby (0A000)");
    }
    options_ = options;
    now_ = world_->wall ? world_->wall() : WallTime{};
    command_ = 0;
    lock_timeout_ = engine_->lock_timeout();
    statement_timeout_ = world_->statement_timeout;
    state_ = State::active;
    return {};
}

Task<Result<std::vector<Rows>>> ModelBackend::execute(Self self, std::vector<Call> calls) {
    std::vector<Rows> results;
    results.reserve(calls.size());
    for (Call& call : calls) {
        if (!results.empty()) { co_await asio::post(asio::deferred); }
        if (auto usable = self->usable(); !usable) {
            self->abort();
            co_return failure(usable.error());
        }
        const StatementFunction* function = self->engine_->model_of(*call.statement);
        if (function == nullptr) {
            self->abort();
            co_return statement_failed("no model of statement " +
                                       std::string(call.statement->name) + " (42883)");
        }
        self->begin_statement();
        Result<Rows> rows = co_await (*function)(*self, std::move(call.arguments));
        if (!self->connected()) {
            co_return rows ? self->connection_lost() : failure(rows.error());
        }
        if (!rows) {
            self->abort();
            co_return failure(rows.error());
        }
        if (!self->repeatable()) {
            self->snapshot_number_.reset();
        } else if (!self->locks_table_) {
            self->take_snapshot();
        }
        results.push_back(*std::move(rows));
    }
    if (auto usable = self->usable(); !usable) {
        self->abort();
        co_return failure(usable.error());
    }
    co_return results;
}

Task<Result<std::vector<Rows>>> ModelBackend::commit(Self self, std::vector<Call> last) {
    if (!self->connected()) { co_return self->connection_lost(); }
    const bool called = !last.empty();
    auto results = co_await execute(self, std::move(last));
    if (results && called) { co_await asio::post(asio::deferred); }
    if (results && self->connected()) {
        const Result<void> finished = co_await self->finish();
        if (!finished) { results = failure(finished.error()); }
    }
    if (!self->connected()) {
        // Who is told why knows that nothing was committed.
        if (!results && self->shut_down_) { co_return results; }
        co_return commit_unknown();
    }
    self->rollback();
    if (self->shut_down_) { self->terminate(); }
    co_return results;
}

Task<Result<std::vector<Rows>>> ModelBackend::commit_unanswered(Self self, std::vector<Call> last,
                                                                CommitFate fate) {
    if (!self->connected()) { co_return self->connection_lost(); }
    if (fate.outcome == CommitOutcome::applied_later) {
        RP_ASSERT(self->world_->sleep);
        asio::co_spawn(co_await asio::this_coro::executor,
                       commit_later(std::move(self), std::move(last), fate.delay), asio::detached);
    } else if (fate.outcome == CommitOutcome::applied_unanswered) {
        co_await commit(std::move(self), std::move(last));
    } else {
        self->terminate();
    }
    co_return commit_unknown();
}

Task<void> ModelBackend::commit_later(Self self, std::vector<Call> last, Duration delay) {
    co_await self->world_->sleep(delay);
    co_await commit(self, std::move(last));
}

void ModelBackend::rollback() {
    RP_ASSERT(state_ != State::committing);
    abort();
    state_ = State::idle;
}

void ModelBackend::terminate() {
    if (!connected()) { return; }
    if (state_ == State::committing) {
        engine_->mark_flushed(log_record_);
        complete_commit();
    } else {
        rollback();
    }
    end_wait(WaitEnd::disconnected);
    engine_->locks().disconnect(locks_);
    engine_->disconnect(*this);
    engine_ = nullptr;
}

void ModelBackend::shut_down() {
    shut_down_ = true;
    gone_ = Gone::administrator;
    if (state_ != State::committing) { terminate(); }
}

void ModelBackend::cancel() {
    if (connected()) { end_wait(WaitEnd::cancelled); }
}

std::vector<std::uint64_t> ModelBackend::blockers() const {
    return connected() ? engine_->locks().blockers(locks_) : std::vector<std::uint64_t>{};
}

void ModelBackend::end_wait(WaitEnd end) {
    if (locks_.request != nullptr && locks_.request->queued) {
        engine_->locks().end_wait(*locks_.request, end);
    }
}

void ModelBackend::sever() {
    engine_ = nullptr;
    state_ = State::idle;
    serializable_ = nullptr;
    held_.clear();
}

tl::unexpected<Error> ModelBackend::connection_lost() {
    switch (std::exchange(gone_, Gone::lost)) {
        case Gone::lost: break;
        case Gone::administrator:
            return failure(ErrorKind::retryable, "connection-lost",
                           "terminating connection due to administrator command (57P01)");
        case Gone::too_many:
            return failure(ErrorKind::retryable, "unavailable",
                           "sorry, too many clients already (53300)");
    }
    return failure(ErrorKind::retryable, "connection-lost",
                   "the database closed the connection (08006)");
}

void ModelBackend::cancel_for_recovery() {
    const bool behind = snapshot_number_ && *snapshot_number_ < engine_->commit_number();
    if (state_ != State::active || !behind) { return; }
    recovery_conflict_ = true;
    end_wait(WaitEnd::cancelled);
}

Result<void> ModelBackend::usable() {
    if (!connected()) { return connection_lost(); }
    if (recovery_conflict_) {
        return failure(ErrorKind::retryable, "serialization-failure",
                       "canceling statement due to conflict with recovery (40001)");
    }
    if (state_ == State::failed) {
        return statement_failed("the transaction is aborted until its rollback (25P02)");
    }
    RP_ASSERT(state_ == State::active);
    return {};
}

Result<void> ModelBackend::writable() const {
    if (options_.access == Access::read_only || engine_->read_only()) {
        return statement_failed("the transaction is read-only (25006)");
    }
    return {};
}

Result<void> ModelBackend::disk_has_room() const {
    if (!engine_->disk_full()) { return {}; }
    ++engine_->metrics().without_room;
    return failure(ErrorKind::retryable, "disk-full",
                   "could not extend file: No space left on device (53100)");
}

void ModelBackend::begin_statement() {
    ++command_;
    locks_table_ = false;
    if (statement_timeout_ > Duration{}) { statement_began_ = engine_->elapsed(); }
}

void ModelBackend::take_snapshot() {
    if (snapshot_number_) { return; }
    snapshot_number_ = engine_->commit_number();
    if (options_.isolation == Isolation::serializable) {
        serializable_ = engine_->serializable().begin(options_.access == Access::read_only,
                                                      engine_->transaction_numbers());
    }
}

Task<Result<void>> ModelBackend::finish() {
    if (serializable_ != nullptr && !engine_->serializable().prepare(*serializable_)) {
        auto failed = dependency_failure();
        abort();
        co_return failed;
    }
    snapshot_number_.reset();
    const std::optional<std::size_t> record = engine_->append_commit(*this, held_);
    if (!record) {
        ++engine_->metrics().commits;
        commit_serializable();
        end_transaction();
        co_return Result<void>{};
    }
    state_ = State::committing;
    log_record_ = *record;
    if (!world_->synchronous_commit) {
        engine_->flush_later();
        complete_commit();
        co_return Result<void>{};
    }
    if (world_->flush) { co_await world_->flush(); }
    if (connected()) { engine_->mark_flushed(log_record_); }
    if (connected() && world_->replicated) { co_await world_->replicated(log_record_ + 1); }
    if (connected()) { complete_commit(); }
    co_return Result<void>{};
}

void ModelBackend::complete_commit() {
    engine_->make_visible(log_record_, *this, held_);
    ++engine_->metrics().commits;
    commit_serializable();
    end_transaction();
}

void ModelBackend::commit_serializable() {
    if (serializable_ == nullptr) { return; }
    engine_->serializable().commit(*serializable_, engine_->commit_number(),
                                   engine_->transaction_numbers());
}

void ModelBackend::abort() {
    if (state_ != State::active) { return; }
    for (Slot* slot : held_) {
        if (slot->writer() == this) { slot->table->roll_back(*slot); }
    }
    ++engine_->metrics().aborts;
    if (serializable_ != nullptr) {
        engine_->serializable().roll_back(*serializable_, engine_->transaction_numbers());
    }
    end_transaction();
    state_ = State::failed;
}

void ModelBackend::end_transaction() {
    snapshot_number_.reset();
    state_ = State::idle;
    number_ = 0;
    serializable_ = nullptr;
    recovery_conflict_ = false;
    for (Slot* slot : held_) {
        slot->release(this);
        slot->table->erase_if_unused(*slot);
    }
    held_.clear();
    engine_->locks().end_transaction(locks_);
    if (engine_->makes(ModelMistake::session_lock_ends_with_transaction)) {
        engine_->locks().release_all(locks_, true);
    }
}

}  // namespace rushproof::simulator
