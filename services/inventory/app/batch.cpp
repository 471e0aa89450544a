#include "services/inventory/app/batch.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/runtime/position.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/app/order.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/domain/fit.hpp"
#include "services/inventory/limits.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory {

namespace {

using Key = std::pair<Owner, IdempotencyKey>;

Key key_of(const ReserveRequest& request) { return {request.owner, request.key}; }

// One transaction's thinking: everything between what it read and what it writes.
class Plan {
public:
    Plan(const std::vector<Rows>& found) : due_(due_in(found[2])) {
        for (const Row& row : found[0].rows) {
            before_[Sku(text(row, 0))] = stock_of(row, 1).available();
        }
        shelves_ = before_;
        for (const Due& each : due_) {
            Quantity& available = shelves_[each.line.sku];
            available = available + each.line.quantity;
        }
        const std::vector<Row>& keys = found[1].rows;
        for (auto first = keys.begin(); first != keys.end();) {
            const auto last = std::find_if(
                first, keys.end(), [&](const Row& row) { return text(row, 1) != text(*first, 1); });
            known_.emplace(Key(text(*first, 4), text(*first, 5)), std::span(first, last));
            first = last;
        }
    }

    // Decides about the next in line; nothing means that its order is accepted.
    std::optional<Result<Reservation>> answer_or_accept(Order order) {
        const auto known = known_.find(key_of(order.request));
        if (known != known_.end()) {
            return first_answer_of(order.request, known->second, order.mutant);
        }
        if (const auto taken = take(shelves_, order.request.lines); !taken) {
            return failure(taken.error());
        }
        accepted_.push_back(std::move(order));
        return std::nullopt;
    }

    const std::vector<Order>& accepted() const { return accepted_; }

    std::vector<Call> writes(Random& random) {
        if (accepted_.empty()) { return {}; }
        Expiry expiry = expire(std::move(due_), statements::many::expire_reservation);
        std::vector<LedgerEntry> entries = std::move(expiry.entries);
        std::map<Sku, Quantity> held;
        for (const Order& order : accepted_) {
            for (const Line& line : order.request.lines) {
                held[line.sku] = held[line.sku] + line.quantity;
            }
            for (LedgerEntry& entry : entries_of(LedgerKind::reserve, made_by(order, {}))) {
                entries.push_back(std::move(entry));
            }
        }
        std::vector<LowStock> low;
        for (const auto& [sku, available] : shelves_) {
            if (becomes_low(before_.at(sku), available, accepted_.front().low_stock)) {
                low.push_back({sku, available});
            }
        }
        auto calls = std::move(expiry.calls);
        calls.push_back(change_held_call(held));
        calls.push_back(claim_keys_call());
        append(calls, record_calls(random, entries, low));
        calls.push_back(insert_call(accepted_));
        return calls;
    }

private:
    Call claim_keys_call() const {
        std::vector<std::string> owners;
        std::vector<std::string> keys;
        std::vector<std::string> fingerprints;
        std::vector<std::string> ids;
        for (const Order& order : accepted_) {
            owners.push_back(order.request.owner.text());
            keys.push_back(order.claimed.text());
            fingerprints.push_back(fingerprint_of(order.request.lines));
            ids.push_back(order.id.text());
        }
        return {statements::many::claim_keys,
                {std::move(owners), std::string(reserve_operation), std::move(keys),
                 std::move(fingerprints), std::move(ids)}};
    }

    Shelves before_;
    Shelves shelves_;
    std::vector<Due> due_;
    std::map<Key, std::span<const Row>> known_;
    std::vector<Order> accepted_;
};

}  // namespace

Batcher::Batcher(Environment& environment, const Options& options, RetryBudget& retry_budget,
                 Contention& contention)
    : environment_(environment),
      options_(options),
      retry_budget_(retry_budget),
      contention_(contention),
      batches_(environment.telemetry.counter("inventory_batches_total",
                                             "Transactions that served a batch")),
      requests_(environment.telemetry.counter("inventory_batched_requests_total",
                                              "Requests that were served in batches")),
      scope_(environment.spawner) {}

Task<Result<Reservation>> Batcher::reserve(Context context, ReserveRequest request) {
    if (line_.size() >= limits::batch_waiting) {
        co_return failure(ErrorKind::retryable, "overloaded", "too many requests wait");
    }
    if (!working_) {
        working_ = true;
        scope_.start("inventory.batch", work());
    }
    auto wait = [&](Resumption<Result<Reservation>> answer) {
        line_.push_back({std::move(context), std::move(request), std::move(answer)});
    };
    co_return co_await suspend<Result<Reservation>>(std::move(wait));
}

Task<void> Batcher::work() {
    while (!line_.empty()) {
        Members members = next_members();
        if (!members.empty()) { co_await settle(std::move(members)); }
    }
    working_ = false;
}

// Whoever repeats a request that is in the batch already waits for the next one, to find its
// result.
Batcher::Members Batcher::next_members() {
    Members members;
    std::set<Key> keys;
    std::deque<Waiting> left;
    const MonotonicTime now = environment_.clock.monotonic();
    while (!line_.empty() && members.size() < limits::batch) {
        Waiting next = std::move(line_.front());
        line_.pop_front();
        if (next.context.deadline <= now) {
            next.answer(failure(ErrorKind::retryable, "deadline-exceeded",
                                "the deadline passed before it was this request's turn"));
        } else if (keys.insert(key_of(next.request)).second) {
            members.push_back(std::move(next));
        } else {
            left.push_back(std::move(next));
        }
    }
    line_.insert(line_.begin(), std::make_move_iterator(left.begin()),
                 std::make_move_iterator(left.end()));
    return members;
}

Task<void> Batcher::settle(Members members) {
    MonotonicTime deadline = members.front().context.deadline;
    for (const Waiting& member : members) {
        deadline = std::max(deadline, member.context.deadline);
    }
    const RetryLimits patience{limits::batch_retry_policy, deadline, Repeatable::no,
                               [this](const Error& error) { contention_.failed(error); }};
    auto once = [&] { return attempt(members); };
    auto answers = co_await retry(environment_.clock, environment_.random, retry_budget_, patience,
                                  std::move(once));
    if (answers) {
        for (std::size_t i = 0; i < members.size(); ++i) {
            members[i].answer(std::move((*answers)[i]));
        }
    } else if (answers.error().kind() == ErrorKind::permanent && members.size() > 1) {
        const auto middle = members.begin() + static_cast<std::ptrdiff_t>(members.size() / 2);
        Members second(std::make_move_iterator(middle), std::make_move_iterator(members.end()));
        members.erase(middle, members.end());
        co_await settle(std::move(members));
        co_await settle(std::move(second));
    } else {
        for (Waiting& member : members) { member.answer(failure(answers.error())); }
    }
}

Task<Result<Batcher::Answers>> Batcher::attempt(const Members& members) {
    batches_.add();
    requests_.add(members.size());
    std::set<std::string> skus;
    std::vector<std::string> owners;
    std::vector<std::string> keys;
    Context context = members.front().context;
    for (const Waiting& member : members) {
        for (const Line& line : member.request.lines) { skus.insert(line.sku.text()); }
        owners.push_back(member.request.owner.text());
        keys.push_back(member.request.key.text());
        context.deadline = std::max(context.deadline, member.context.deadline);
    }
    const std::vector<std::string> locked(skus.begin(), skus.end());
    auto look = pipeline(lock_stocks_call(locked),
                         Call(statements::many::find_keys,
                              {std::move(owners), std::string(reserve_operation), std::move(keys)}),
                         due_of_skus_call(locked, limits::expire_batch));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    const MonotonicTime asked = environment_.clock.monotonic();
    auto looked = co_await transaction->execute(std::move(look));
    contention_.locked(environment_.clock.monotonic() - asked);
    RP_CO_TRY(const auto found, std::move(looked));

    const std::chrono::microseconds ttl =
        std::chrono::duration_cast<std::chrono::microseconds>(options_.reservation_ttl);
    Plan plan(found);
    Answers answers;
    std::vector<std::size_t> accepted;
    for (const Waiting& member : members) {
        Order order{member.request,
                    member.request.key,
                    ReservationId(new_uuid(options_.shard, environment_.random)),
                    ttl,
                    options_.low_stock,
                    options_.mutant};
        if (auto answer = plan.answer_or_accept(std::move(order))) {
            answers.push_back(*std::move(answer));
        } else {
            accepted.push_back(answers.size());
            answers.emplace_back();
        }
    }
    auto writes = plan.writes(environment_.random);
    // Who repeats a request must be told where its effect can be seen.
    const bool tells_position =
        options_.reads == Route::replica &&
        std::any_of(answers.begin(), answers.end(), [](const auto& answer) { return !!answer; });
    if (writes.empty() && !tells_position) { co_return answers; }
    auto written = co_await transaction->commit(std::move(writes));
    if (!written) {
        // Another instance took the key since we looked: the next look will find its result.
        const bool key_taken = members.size() == 1 && written.error().code() == "unique-violation";
        if (!key_taken) { co_return failure(written.error()); }
        co_return failure(ErrorKind::retryable, "key-in-flight", "the key is being used");
    }
    for (std::size_t i = 0; i < accepted.size(); ++i) {
        answers[accepted[i]] =
            made_by(plan.accepted()[i], wall_time(written->back().rows.at(0), 0));
    }
    const std::string position = position_text(options_.shard, transaction->position());
    for (Result<Reservation>& answer : answers) {
        if (answer) { answer->position = position; }
    }
    co_return answers;
}

}  // namespace rushproof::inventory
