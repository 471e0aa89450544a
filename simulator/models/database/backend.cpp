#include "simulator/models/database/backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

tl::unexpected<Error> connection_lost() {
    return failure(ErrorKind::retryable, "connection-lost", "the database closed the connection");
}

tl::unexpected<Error> statement_failed(std::string message) {
    return failure(ErrorKind::permanent, "statement-failed", std::move(message));
}

tl::unexpected<Error> commit_unknown() {
    return failure(ErrorKind::unknown_outcome, "commit-unknown",
                   "the connection was lost during the commit");
}

}  // namespace

ModelBackend::ModelBackend(ModelEngine& engine) : engine_(&engine), world_(engine.options()) {
    engine.connect(*this);
}

Result<void> ModelBackend::begin(TransactionOptions options) {
    if (!connected()) { return connection_lost(); }
    RP_ASSERT(state_ == State::idle);
    if (options.isolation == Isolation::serializable) {
        return statement_failed("the simulated database has no serializable isolation");
    }
    options_ = options;
    now_ = world_->wall ? world_->wall() : WallTime{};
    command_ = 0;
    state_ = State::active;
    return {};
}

Task<Result<std::vector<Rows>>> ModelBackend::execute(Self self, std::vector<Call> calls) {
    std::vector<Rows> results;
    results.reserve(calls.size());
    for (Call& call : calls) {
        if (!results.empty()) { co_await asio::post(asio::deferred); }
        RP_CO_CHECK(self->usable());
        const StatementFunction* function = self->engine_->model_of(*call.statement);
        if (function == nullptr) {
            self->abort();
            co_return statement_failed("no model of statement " +
                                       std::string(call.statement->name));
        }
        self->begin_statement();
        Result<Rows> rows = co_await (*function)(*self, std::move(call.arguments));
        if (!self->connected()) { co_return connection_lost(); }
        if (!rows) {
            self->abort();
            co_return failure(rows.error());
        }
        if (!self->repeatable()) { self->snapshot_number_.reset(); }
        results.push_back(*std::move(rows));
    }
    RP_CO_CHECK(self->usable());
    co_return results;
}

Task<Result<std::vector<Rows>>> ModelBackend::commit(Self self, std::vector<Call> last) {
    if (!self->connected()) { co_return connection_lost(); }
    const bool called = !last.empty();
    auto results = co_await execute(self, std::move(last));
    if (results && called) { co_await asio::post(asio::deferred); }
    if (results && self->connected()) { co_await self->finish(); }
    if (!self->connected()) { co_return commit_unknown(); }
    self->rollback();
    co_return results;
}

Task<Result<std::vector<Rows>>> ModelBackend::commit_unanswered(Self self, std::vector<Call> last,
                                                                CommitFate fate) {
    if (!self->connected()) { co_return connection_lost(); }
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
        complete_commit();
    } else {
        rollback();
    }
    engine_->disconnect(*this);
    engine_ = nullptr;
    if (waiter_ != nullptr) {
        LockWaiter& waiter = *waiter_;
        waiter.leave();
        waiter.wake();
    }
}

void ModelBackend::sever() {
    engine_ = nullptr;
    state_ = State::idle;
    owned_.clear();
    if (waiter_ != nullptr) { waiter_->forget_slot(); }
    waiter_ = nullptr;
}

Task<Result<std::vector<Row>>> ModelBackend::select(std::string_view table, RowFilter filter) {
    std::vector<Row> result;
    for (const Candidate& candidate : engine_->table(table).find(filter, snapshot())) {
        result.push_back(*candidate.row);
    }
    co_return result;
}

Task<Result<std::vector<Row>>> ModelBackend::select_for_update(std::string_view table,
                                                               RowFilter filter, LockWait wait,
                                                               std::size_t limit) {
    return modify(table, std::move(filter), {Intent::Kind::lock, nullptr, wait, limit});
}

Task<Result<std::vector<Row>>> ModelBackend::update(std::string_view table, RowFilter filter,
                                                    std::function<void(Row&)> change) {
    Intent intent;
    intent.kind = Intent::Kind::change;
    intent.change = std::move(change);
    return modify(table, std::move(filter), std::move(intent));
}

Task<Result<std::vector<Row>>> ModelBackend::remove(std::string_view table, RowFilter filter) {
    Intent intent;
    intent.kind = Intent::Kind::remove;
    return modify(table, std::move(filter), std::move(intent));
}

Task<Result<std::vector<Row>>> ModelBackend::insert(std::string_view name, Row row,
                                                    bool or_nothing) {
    RP_CO_CHECK(writable());
    Table& table = engine_->table(name);
    RP_ASSERT(row.size() == table.definition().columns.size());
    if (table.definition().identity && std::holds_alternative<std::monostate>(row[0])) {
        row[0] = engine_->next_number(table);
    }
    if (!table.key_complete(row)) {
        co_return failure(ErrorKind::permanent, "constraint-violation",
                          "null in the primary key of " + std::string(name) + " (23502)");
    }
    Slot& slot = table.slot(table.key_of(row));
    std::optional<LockWaiter> waiter;
    while (slot.owner != this && slot.uncommitted()) {
        if (!waiter) { waiter.emplace(slot, *this); }
        RP_CO_CHECK(co_await wait(*waiter));
    }
    const Version* newest = slot.newest(this);
    if (newest != nullptr && !newest->deleted) {
        if (!or_nothing) {
            co_return failure(ErrorKind::permanent, "unique-violation",
                              "duplicate primary key in " + std::string(name) + " (23505)");
        }
        const bool unseen = newest->writer == nullptr && newest->visible_since > *snapshot_number_;
        if (repeatable() && unseen) { co_return serialization_failure(); }
        co_return std::vector<Row>{};
    }
    Version version;
    version.row = std::make_shared<const Row>(row);
    version.incarnation = engine_->next_incarnation();
    version.writer = this;
    version.command = command_;
    own(slot);
    table.add(slot, std::move(version));
    std::vector<Row> result;
    result.push_back(std::move(row));
    co_return result;
}

Task<Result<std::vector<Row>>> ModelBackend::modify(std::string_view table, RowFilter filter,
                                                    Intent intent) {
    RP_CO_CHECK(writable());
    std::vector<Row> result;
    const std::vector<Candidate> candidates = engine_->table(table).find(filter, snapshot());
    for (const Candidate& candidate : candidates) {
        if (result.size() >= intent.limit) { break; }
        std::optional<LockWaiter> waiter;
        Claim claimed = claim(candidate, filter);
        while (claimed == Claim::busy && intent.wait == LockWait::block) {
            if (!waiter) { waiter.emplace(*candidate.slot, *this); }
            RP_CO_CHECK(co_await wait(*waiter));
            claimed = claim(candidate, filter);
        }
        if (claimed == Claim::conflict) { co_return serialization_failure(); }
        if (claimed == Claim::busy && intent.wait == LockWait::no_wait) {
            co_return failure(ErrorKind::retryable, "lock-timeout",
                              "could not obtain lock on row in " + std::string(table) + " (55P03)");
        }
        if (claimed == Claim::taken) { result.push_back(apply(*candidate.slot, intent)); }
    }
    co_return result;
}

Row ModelBackend::apply(Slot& slot, const Intent& intent) {
    const Version& newest = *slot.newest(this);
    if (intent.kind == Intent::Kind::lock) { return *newest.row; }
    Version next;
    next.incarnation = newest.incarnation;
    next.writer = this;
    next.command = command_;
    if (intent.kind == Intent::Kind::remove) {
        next.row = newest.row;
        next.deleted = true;
    } else {
        Row row = *newest.row;
        intent.change(row);
        RP_ASSERT(slot.table->same_key(row, *newest.row));
        next.row = std::make_shared<const Row>(std::move(row));
    }
    const std::shared_ptr<const Row> row = next.row;
    slot.table->add(slot, std::move(next));
    return *row;
}

// What PostgreSQL does with a row that the snapshot showed, when it comes to lock it.
ModelBackend::Claim ModelBackend::claim(const Candidate& candidate, const RowFilter& filter) {
    Slot& slot = *candidate.slot;
    const Version* newest = slot.newest(this);
    const bool exists =
        newest != nullptr && newest->incarnation == candidate.incarnation && !newest->deleted;
    const bool own_write = newest != nullptr && newest->writer == this;
    if (own_write && newest->command == command_) { return Claim::gone; }
    const bool unchanged = exists && newest->row == candidate.row;
    if (!unchanged && repeatable()) { return Claim::conflict; }
    if (!exists) { return Claim::gone; }
    if (slot.owner != nullptr && slot.owner != this) { return Claim::busy; }
    own(slot);
    // A row that changed since the snapshot stays locked even if the filter refuses it now.
    return unchanged || matches(filter, *newest->row) ? Claim::taken : Claim::gone;
}

void ModelBackend::own(Slot& slot) {
    if (slot.owner == this) { return; }
    RP_ASSERT(slot.owner == nullptr);
    slot.owner = this;
    owned_.push_back(&slot);
}

Task<Result<void>> ModelBackend::wait(LockWaiter& waiter) {
    ModelMetrics& metrics = engine_->metrics();
    if (closes_cycle(*waiter.slot())) {
        ++metrics.deadlocks;
        co_return failure(ErrorKind::retryable, "deadlock", "deadlock detected (40P01)");
    }
    ++metrics.lock_waits;
    const Duration since = engine_->elapsed();
    co_await waiter.wait();
    if (!connected()) { co_return connection_lost(); }
    metrics.lock_wait_time += engine_->elapsed() - since;
    co_return Result<void>{};
}

// Every backend waits for one owner at most, so the wait-for graph is a chain.
bool ModelBackend::closes_cycle(const Slot& slot) const {
    const ModelBackend* owner = slot.owner;
    while (owner != nullptr && owner != this) {
        const LockWaiter* waiter = owner->waiter_;
        owner = waiter != nullptr && waiter->waiting() ? waiter->slot()->owner : nullptr;
    }
    return owner == this;
}

tl::unexpected<Error> ModelBackend::serialization_failure() {
    ++engine_->metrics().conflicts;
    return failure(ErrorKind::retryable, "serialization-failure",
                   "could not serialize access due to concurrent update (40001)");
}

Result<void> ModelBackend::usable() const {
    if (!connected()) { return connection_lost(); }
    if (state_ == State::failed) {
        return statement_failed("the transaction is aborted until its rollback (25P02)");
    }
    RP_ASSERT(state_ == State::active);
    return {};
}

Result<void> ModelBackend::writable() const {
    if (options_.access == Access::read_only) {
        return statement_failed("the transaction is read-only (25006)");
    }
    return {};
}

void ModelBackend::begin_statement() {
    ++command_;
    if (!snapshot_number_) { snapshot_number_ = engine_->commit_number(); }
}

Task<void> ModelBackend::finish() {
    snapshot_number_.reset();
    const std::optional<std::size_t> record = engine_->append_commit(owned_);
    if (!record) {
        ++engine_->metrics().commits;
        end_transaction();
        co_return;
    }
    state_ = State::committing;
    log_record_ = *record;
    if (world_->flush) { co_await world_->flush(); }
    if (connected()) { complete_commit(); }
}

void ModelBackend::complete_commit() {
    engine_->make_visible(log_record_, owned_);
    ++engine_->metrics().commits;
    end_transaction();
}

void ModelBackend::abort() {
    if (state_ != State::active) { return; }
    for (Slot* slot : owned_) { slot->table->roll_back(*slot); }
    ++engine_->metrics().aborts;
    end_transaction();
    state_ = State::failed;
}

void ModelBackend::end_transaction() {
    snapshot_number_.reset();
    state_ = State::idle;
    for (Slot* slot : owned_) {
        slot->owner = nullptr;
        slot->table->offer(*slot);
    }
    owned_.clear();
}

}  // namespace rushproof::simulator
