// What a statement's model asks of its transaction.
#include <algorithm>

#include "core/base/assert.hpp"
#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

namespace {

bool conflict(RowLock a, RowLock b, const ModelEngine& engine) {
    if (engine.makes(ModelMistake::sharers_do_not_stop_writers) &&
        std::min(a, b) == RowLock::share) {
        return false;
    }
    if (a > b) { std::swap(a, b); }
    switch (b) {
        case RowLock::key_share: return false;
        case RowLock::share: return false;
        case RowLock::no_key_update: return a != RowLock::key_share;
        case RowLock::update: return true;
    }
    return true;
}

// Of the lock that only those take who wait for a row.
LockMode queue_mode(RowLock mode) {
    switch (mode) {
        case RowLock::key_share: return LockMode::access_share;
        case RowLock::share: return LockMode::row_share;
        case RowLock::no_key_update: return LockMode::exclusive;
        case RowLock::update: return LockMode::access_exclusive;
    }
    return LockMode::access_exclusive;
}

tl::unexpected<Error> not_available(std::string_view what) {
    return failure(ErrorKind::retryable, "lock-timeout",
                   "could not obtain lock on " + std::string(what) + " (55P03)");
}

// The place at the head of a row version's queue, while its owner waits for the row's holders.
class QueuePlace {
public:
    QueuePlace(ModelBackend& backend, LockManager& manager)
        : backend_(backend), manager_(manager) {}
    QueuePlace(const QueuePlace&) = delete;
    QueuePlace& operator=(const QueuePlace&) = delete;
    ~QueuePlace() { leave(); }

    bool taken() const { return lock_ != nullptr; }
    void take(Lock& lock, LockMode mode) {
        lock_ = &lock;
        mode_ = mode;
    }
    void leave() {
        if (lock_ == nullptr || !backend_.connected()) { return; }
        manager_.release(backend_.locks(), *std::exchange(lock_, nullptr), mode_);
    }

private:
    ModelBackend& backend_;
    LockManager& manager_;
    Lock* lock_ = nullptr;
    LockMode mode_ = LockMode::access_share;
};

}  // namespace

// --- rows ---

Task<Result<std::vector<Row>>> ModelBackend::select(std::string_view name, RowFilter filter) {
    Table& table = engine_->table(name);
    if (!open_table(table, LockMode::access_share)) {
        RP_CO_CHECK(co_await wait_for_table(table, LockMode::access_share));
    }
    RP_CO_CHECK(note_reads(table, filter));
    std::vector<Row> result;
    for (const Candidate& candidate : table.find(filter, snapshot())) {
        result.push_back(*candidate.row);
    }
    co_return result;
}

Task<Result<std::vector<Row>>> ModelBackend::select_for_update(std::string_view table,
                                                               RowFilter filter, LockWait wait,
                                                               std::size_t limit) {
    return select_for(RowLock::update, table, std::move(filter), wait, limit);
}

Task<Result<std::vector<Row>>> ModelBackend::select_for(RowLock lock, std::string_view table,
                                                        RowFilter filter, LockWait wait,
                                                        std::size_t limit) {
    return modify(table, std::move(filter), {Intent::Kind::lock, lock, nullptr, wait, limit});
}

Task<Result<std::vector<Row>>> ModelBackend::update(std::string_view table, RowFilter filter,
                                                    std::function<void(Row&)> change) {
    Intent intent;
    intent.kind = Intent::Kind::change;
    intent.lock = RowLock::no_key_update;
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
    if (!open_table(table, LockMode::row_exclusive)) {
        RP_CO_CHECK(co_await wait_for_table(table, LockMode::row_exclusive));
    }
    RP_CO_CHECK(disk_has_room());
    if (table.definition().identity && std::holds_alternative<std::monostate>(row[0])) {
        row[0] = engine_->next_number(table);
    }
    if (!table.key_complete(row)) {
        co_return failure(ErrorKind::permanent, "constraint-violation",
                          "null in the primary key of " + std::string(name) + " (23502)");
    }
    const Key key = table.key_of(row);
    Slot* slot = &table.slot(key);
    while (slot->writer() != nullptr && slot->writer() != this) {
        if (engine_->makes(ModelMistake::insert_ignores_uncommitted_key)) {
            co_return failure(ErrorKind::permanent, "unique-violation", "mistaken (23505)");
        }
        RP_CO_CHECK(co_await wait_for_end_of(*slot->writer()));
        slot = &table.slot(key);
    }
    const Version* newest = slot->newest(this);
    if (newest != nullptr && !newest->deleted) {
        if (!or_nothing) {
            RP_CO_CHECK(note_insert(table, row));
            co_return failure(ErrorKind::permanent, "unique-violation",
                              "duplicate key in " + std::string(name) + " (23505)");
        }
        // To do nothing because of a row that the snapshot cannot see would not be
        // repeatable.
        const bool seen =
            newest->writer == this || newest->visible_since <= snapshot_number_.value_or(0);
        if (repeatable() && !seen) { co_return serialization_failure(); }
        co_return std::vector<Row>{};
    }
    hold(*slot, RowLock::update);
    RP_CO_CHECK(note_insert(table, row));
    Version version;
    version.row = std::make_shared<const Row>(row);
    version.incarnation = engine_->next_incarnation();
    version.writer = this;
    version.command = command_;
    table.add(*slot, std::move(version));
    std::vector<Row> result;
    result.push_back(std::move(row));
    co_return result;
}

Task<Result<std::vector<Row>>> ModelBackend::modify(std::string_view name, RowFilter filter,
                                                    Intent intent) {
    RP_CO_CHECK(writable());
    Table& table = engine_->table(name);
    const LockMode mode =
        intent.kind == Intent::Kind::lock ? LockMode::row_share : LockMode::row_exclusive;
    if (!open_table(table, mode)) { RP_CO_CHECK(co_await wait_for_table(table, mode)); }
    if (intent.kind == Intent::Kind::change) { RP_CO_CHECK(disk_has_room()); }
    if (engine_->makes(ModelMistake::skip_locked_waits) && intent.wait == LockWait::skip_locked) {
        intent.wait = LockWait::block;
    }
    RP_CO_CHECK(note_reads(table, filter));
    std::vector<Row> result;
    const std::vector<Candidate> candidates = table.find(filter, snapshot());
    for (const Candidate& candidate : candidates) {
        if (result.size() >= intent.limit) { break; }
        Claim claimed = claim(candidate, filter, intent.lock);
        if (claimed == Claim::busy && intent.wait == LockWait::block) {
            RP_CO_TRY(claimed, co_await wait_and_claim(candidate, filter, intent.lock));
        }
        if (claimed == Claim::conflict) { co_return serialization_failure(); }
        if (claimed == Claim::busy && intent.wait == LockWait::no_wait) {
            co_return not_available("a row of " + std::string(name));
        }
        if (claimed != Claim::taken) { continue; }
        result.push_back(apply(*candidate.slot, intent));
        if (intent.kind != Intent::Kind::lock) { RP_CO_CHECK(note_update(*candidate.slot)); }
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
ModelBackend::Claim ModelBackend::claim(const Candidate& candidate, const RowFilter& filter,
                                        RowLock mode) {
    Slot& slot = *candidate.slot;
    const Version* newest = slot.newest(this);
    const bool exists =
        newest != nullptr && newest->incarnation == candidate.incarnation && !newest->deleted;
    const bool own_write = newest != nullptr && newest->writer == this;
    if (own_write && newest->command == command_) { return Claim::gone; }
    const bool unchanged = exists && newest->row == candidate.row;
    if (!unchanged && repeatable() && !engine_->makes(ModelMistake::repeatable_read_overwrites)) {
        return Claim::conflict;
    }
    if (!exists) { return Claim::gone; }
    for (const RowHolder& holder : slot.holders) {
        if (holder.backend != this && conflict(holder.mode, mode, *engine_)) { return Claim::busy; }
    }
    hold(slot, mode);
    // A row that changed since the snapshot stays locked even if the filter refuses it now.
    const bool wanted = unchanged || matches(filter, *newest->row) ||
                        engine_->makes(ModelMistake::filter_not_checked_again);
    return wanted ? Claim::taken : Claim::gone;
}

// The first who waits for a row version takes its queue's lock, and waits for the transactions that
// hold the row; the others wait for that lock.  Whoever holds the row already skips the queue, and
// so does whoever finds the row changed and comes to a version that is being changed again.
Task<Result<ModelBackend::Claim>> ModelBackend::wait_and_claim(const Candidate& candidate,
                                                               const RowFilter& filter,
                                                               RowLock mode) {
    Slot& slot = *candidate.slot;
    LockManager& manager = engine_->locks();
    QueuePlace place(*this, manager);
    std::shared_ptr<const Row> version = candidate.row;
    bool arrived = true;  // at the version to lock
    while (true) {
        const Claim claimed = claim(candidate, filter, mode);
        if (claimed != Claim::busy) { co_return claimed; }
        const Version& newest = *slot.newest(this);
        if (newest.row != version) {
            place.leave();
            version = newest.row;
            arrived = false;
        }
        if (!arrived && slot.writer() != nullptr && slot.writer() != this) {
            RP_CO_CHECK(co_await wait_for_end_of(*slot.writer()));
            continue;
        }
        arrived = true;
        if (!place.taken() && !holds(slot)) {
            LockTag tag;
            tag.number = static_cast<std::int64_t>(newest.visible_since);
            tag.row = std::string(slot.table->definition().name) + '/' + slot.key->bytes();
            Lock& lock = manager.lock(tag);
            if (!manager.acquire(locks_, lock, queue_mode(mode))) {
                RP_CO_CHECK(co_await wait_for_lock(lock, queue_mode(mode), false));
            }
            place.take(lock, queue_mode(mode));
            continue;
        }
        ModelBackend* first = nullptr;
        for (const RowHolder& holder : slot.holders) {
            if (holder.backend == this || !conflict(holder.mode, mode, *engine_)) { continue; }
            if (first == nullptr || holder.backend->number_ < first->number_) {
                first = holder.backend;
            }
        }
        RP_CO_CHECK(co_await wait_for_end_of(*first));
    }
}

void ModelBackend::hold(Slot& slot, RowLock mode) {
    if (number_ == 0) { number_ = engine_->next_transaction(); }
    for (RowHolder& holder : slot.holders) {
        if (holder.backend == this) {
            holder.mode = std::max(holder.mode, mode);
            return;
        }
    }
    slot.holders.push_back({this, mode});
    held_.push_back(&slot);
}

bool ModelBackend::holds(const Slot& slot) const {
    return std::any_of(slot.holders.begin(), slot.holders.end(),
                       [this](const RowHolder& holder) { return holder.backend == this; });
}

// --- locks ---

Task<Result<void>> ModelBackend::lock_table(std::string_view name, TableLock mode, LockWait wait) {
    locks_table_ = true;
    Table& table = engine_->table(name);
    if (mode > TableLock::row_exclusive && engine_->standby()) {
        co_return failure(ErrorKind::permanent, "statement-failed",
                          "cannot lock a table like that during recovery (55000)");
    }
    if (engine_->locks().acquire(locks_, table.lock, mode)) { co_return Result<void>{}; }
    if (wait != LockWait::block) { co_return not_available("table " + std::string(name)); }
    co_return co_await wait_for_lock(table.lock, mode, false);
}

// PostgreSQL takes the snapshot of a statement after its table locks, but that of a transaction
// before the first statement's.
bool ModelBackend::open_table(Table& table, LockMode mode) {
    if (repeatable()) { take_snapshot(); }
    if (!engine_->locks().acquire(locks_, table.lock, mode)) { return false; }
    take_snapshot();
    return true;
}

Task<Result<void>> ModelBackend::wait_for_table(Table& table, LockMode mode) {
    RP_CO_CHECK(co_await wait_for_lock(table.lock, mode, false));
    take_snapshot();
    co_return Result<void>{};
}

Task<Result<bool>> ModelBackend::advisory_lock(AdvisoryLock lock, LockWait wait) {
    take_snapshot();
    LockTag tag;
    tag.kind = LockTag::Kind::advisory;
    tag.number = lock.key;
    const LockMode mode = lock.shared ? LockMode::share : LockMode::exclusive;
    Lock& locked = engine_->locks().lock(tag);
    if (engine_->locks().acquire(locks_, locked, mode, lock.session)) { co_return true; }
    if (wait != LockWait::block) { co_return false; }
    RP_CO_CHECK(co_await wait_for_lock(locked, mode, lock.session));
    co_return true;
}

bool ModelBackend::advisory_unlock(AdvisoryLock lock) {
    LockTag tag;
    tag.kind = LockTag::Kind::advisory;
    tag.number = lock.key;
    const LockMode mode = lock.shared ? LockMode::share : LockMode::exclusive;
    return engine_->locks().release(locks_, tag, mode, true);
}

std::int64_t ModelBackend::next_number(std::string_view table) {
    return engine_->next_number(engine_->table(table));
}

void ModelBackend::set_local(LocalSetting setting, Duration value) {
    switch (setting) {
        case LocalSetting::lock_timeout: lock_timeout_ = value; break;
        case LocalSetting::statement_timeout: statement_timeout_ = value; break;
    }
}

// --- waiting ---

LockManager::Patience ModelBackend::patience() const {
    LockManager::Patience patience;
    if (lock_timeout_ > Duration{}) { patience.lock_timeout = lock_timeout_; }
    if (statement_timeout_ > Duration{}) {
        patience.statement_due = statement_began_ + statement_timeout_;
    }
    return patience;
}

Task<Result<void>> ModelBackend::wait_for_lock(Lock& lock, LockMode mode, bool session) {
    const Duration since = engine_->elapsed();
    const WaitEnd end = co_await engine_->locks().wait(locks_, lock, mode, session, patience());
    co_return waited(end, since);
}

Task<Result<void>> ModelBackend::wait_for_end_of(ModelBackend& other) {
    const Duration since = engine_->elapsed();
    const WaitEnd end =
        co_await engine_->locks().wait_for_transaction(locks_, other.locks_, patience());
    co_return waited(end, since);
}

Result<void> ModelBackend::waited(WaitEnd end, Duration since) {
    if (!connected()) { return connection_lost(); }
    ModelMetrics& metrics = engine_->metrics();
    if (end == WaitEnd::deadlock) {
        ++metrics.deadlocks;
        return failure(ErrorKind::retryable, "deadlock", "deadlock detected (40P01)");
    }
    ++metrics.lock_waits;
    metrics.lock_wait_time += engine_->elapsed() - since;
    switch (end) {
        case WaitEnd::lock_timeout:
            ++metrics.lock_timeouts;
            return failure(ErrorKind::retryable, "lock-timeout",
                           "canceling statement due to lock timeout (55P03)");
        case WaitEnd::statement_timeout:
            return failure(ErrorKind::retryable, "query-canceled",
                           "canceling statement due to statement timeout (57014)");
        case WaitEnd::cancelled:
            if (recovery_conflict_) { return usable(); }
            return failure(ErrorKind::retryable, "query-canceled",
                           "canceling statement due to user request (57014)");
        default: return {};
    }
}

tl::unexpected<Error> ModelBackend::serialization_failure() {
    ++engine_->metrics().conflicts;
    return failure(ErrorKind::retryable, "serialization-failure",
                   "could not serialize access due to concurrent update (40001)");
}

}  // namespace rushproof::simulator
