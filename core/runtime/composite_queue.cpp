#include "core/runtime/composite_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "core/base/assert.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/wakeup.hpp"

namespace rushproof {

namespace {

Error down_error(std::string_view name) {
    return {ErrorKind::retryable, "unavailable", std::string(name) + " is down"};
}

}  // namespace

struct CompositeQueue::Provider {
    CompositeMember member;
    Counter& failures;
    int failed_in_a_row = 0;
    MonotonicTime down_until{};
    MonotonicTime doubted_until{};
    CompositeProviderStats stats;
};

class CompositeQueue::State {
public:
    State(Environment& world, std::vector<CompositeMember> members, CompositeOptions chosen)
        : environment(world),
          options(std::move(chosen)),
          executor(world.spawner.executor("composite_queue")),
          divergences_(world.telemetry.counter("composite_divergences_total",
                                               "Messages that some providers lack")),
          unrecorded_(world.telemetry.counter("composite_unrecorded_divergences_total",
                                              "Divergences that could not be recorded")) {
        for (CompositeMember& member : members) {
            const std::string name(member.name);
            Counter& failures = world.telemetry.counter("composite_failed_publishes_total",
                                                        "Publishes that a provider did not take",
                                                        Labels{{"provider", name}});
            auto provider =
                std::make_unique<Provider>(Provider{std::move(member), failures, 0, {}, {}, {}});
            provider->stats.name = provider->member.name;
            provider->stats.mirror = provider->member.mirror;
            if (!provider->member.mirror) { consumed.push_back(provider.get()); }
            providers.push_back(std::move(provider));
        }
        RP_ASSERT(!consumed.empty());
    }

    bool down(const Provider& provider) const {
        return provider.down_until > environment.clock.monotonic();
    }

    // What failed lately may do so again.
    bool doubted(const Provider& provider) const {
        return provider.failed_in_a_row > 0 ||
               provider.doubted_until > environment.clock.monotonic();
    }

    Task<Result<void>> publish_to(Context context, Provider& provider, Message message) {
        const MonotonicTime patience = environment.clock.monotonic() + options.patience;
        const auto answer =
            co_await provider.member.queue->publish(context.until(patience), std::move(message));
        if (answer) {
            provider.failed_in_a_row = 0;
            provider.down_until = {};
            ++provider.stats.published;
            co_return answer;
        }
        note_failure(provider, answer.error());
        co_return answer;
    }

    bool is_fast() const { return options.strategy == CompositeStrategy::fail_fast; }

    // What a provider would never take is refused before the others have it: its absence could not
    // be repaired.  With best-effort it is enough that one takes it.
    Result<void> check(const Message& message) const {
        Result<void> refusal;
        for (const auto& provider : providers) {
            const auto checked = provider->member.queue->check(message);
            if (checked) {
                if (!is_fast() && !provider->member.mirror) { return {}; }
                continue;
            }
            refusal = failure(checked.error().kind(), checked.error().code(),
                              reason_of(*provider, checked.error()));
            if (is_fast()) { break; }
        }
        return refusal;
    }

    Task<Result<void>> publish(Context context, Message message) {
        RP_CO_CHECK(check(message));
        if (is_fast()) {
            bool doubts = false;
            for (const auto& provider : providers) {
                if (down(*provider)) { co_return failure(down_error(provider->member.name)); }
                doubts = doubts || doubted(*provider);
            }
            if (doubts) { co_return co_await one_by_one(std::move(context), std::move(message)); }
        }
        co_return co_await at_once(std::move(context), std::move(message));
    }

    Task<Result<void>> one_by_one(Context context, Message message) {
        std::vector<Provider*> order;
        order.reserve(providers.size());
        for (const auto& provider : providers) { order.push_back(provider.get()); }
        std::ranges::stable_sort(order, std::greater(), &Provider::doubted_until);
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto answer = co_await publish_to(context, *order[i], message);
            if (answer) { continue; }
            const bool unknown = answer.error().kind() == ErrorKind::unknown_outcome;
            if (i == 0 && !unknown) { co_return answer; }
            const std::string reason = reason_of(*order[i], answer.error());
            const std::vector<Provider*> lacking(order.begin() + static_cast<std::ptrdiff_t>(i),
                                                 order.end());
            co_await diverged(context, std::move(message), lacking, reason);
            if (i == 0) { co_return answer; }
            co_return failure(ErrorKind::unknown_outcome, "partially-published", reason);
        }
        co_return Result<void>();
    }

    Task<Result<void>> at_once(Context context, Message message) {
        std::vector<std::optional<Result<void>>> answers(providers.size());
        const bool any_up =
            std::any_of(consumed.begin(), consumed.end(),
                        [this](const Provider* provider) { return !down(*provider); });
        Scope scope(environment.spawner);
        for (std::size_t i = 0; i < providers.size(); ++i) {
            if (any_up && down(*providers[i])) {
                count_failure(*providers[i]);
                continue;
            }
            scope.start("composite_queue.publish", keep_answer(context, i, message, answers[i]));
        }
        co_await scope.join();
        std::vector<Provider*> lacking;
        std::string reason;
        bool accepted = false;
        bool maybe_somewhere = false;
        for (std::size_t i = 0; i < providers.size(); ++i) {
            Provider& provider = *providers[i];
            if (answers[i] && *answers[i]) {
                accepted = accepted || !provider.member.mirror;
                maybe_somewhere = true;
                continue;
            }
            lacking.push_back(&provider);
            if (!reason.empty()) { reason += "; "; }
            reason += answers[i] ? reason_of(provider, answers[i]->error())
                                 : std::string(provider.member.name) + ": down";
            maybe_somewhere = maybe_somewhere || (answers[i] && answers[i]->error().kind() ==
                                                                    ErrorKind::unknown_outcome);
        }
        if (maybe_somewhere && !lacking.empty()) {
            co_await diverged(context, std::move(message), lacking, reason);
        }
        if (is_fast() ? lacking.empty() : accepted) { co_return Result<void>(); }
        if (maybe_somewhere) {
            co_return failure(ErrorKind::unknown_outcome, "partially-published", reason);
        }
        co_return failure(nowhere(answers, reason));
    }

    QueueFeatures features() const {
        QueueFeatures features = consumed.front()->member.queue->features();
        const bool fast = is_fast();
        for (const Provider* provider : consumed) {
            const QueueFeatures its = provider->member.queue->features();
            features.survives_kill = fast ? features.survives_kill || its.survives_kill
                                          : features.survives_kill && its.survives_kill;
            features.keeps_key_order = features.keeps_key_order && its.keeps_key_order;
            features.counts_size = features.counts_size && its.counts_size;
            features.counts_attempts = features.counts_attempts && its.counts_attempts;
        }
        if (consumed.size() > 1) {
            features.drops_repeats_for = {};
            features.keeps_key_order = features.keeps_key_order && fast;
        }
        return features;
    }

    Environment& environment;
    CompositeOptions options;
    asio::any_io_executor executor;
    std::vector<std::unique_ptr<Provider>> providers;
    std::vector<Provider*> consumed;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;

private:
    static std::string reason_of(const Provider& provider, const Error& error) {
        return std::string(provider.member.name) + ": " + error.code() + ": " + error.message();
    }

    static void count_failure(Provider& provider) {
        ++provider.stats.failed;
        provider.failures.add();
    }

    void note_failure(Provider& provider, const Error& error) {
        count_failure(provider);
        const std::string name(provider.member.name);
        environment.telemetry.log(LogLevel::warning, "a provider did not take a message",
                                  {{"provider", name}, {"code", error.code()}});
        provider.doubted_until = environment.clock.monotonic() + options.rest.longest;
        if (error.kind() == ErrorKind::permanent) { return; }  // the message's fault
        if (down(provider)) { return; }                        // under way since before
        const Duration rest =
            back_off(options.rest, ++provider.failed_in_a_row, environment.random);
        provider.down_until = environment.clock.monotonic() + options.rest.base / 2 + rest;
    }

    Task<void> keep_answer(Context context, std::size_t index, Message message,
                           std::optional<Result<void>>& answer) {
        answer.emplace(
            co_await publish_to(std::move(context), *providers[index], std::move(message)));
    }

    // Nobody has it: again if somebody may take it then.
    static Error nowhere(const std::vector<std::optional<Result<void>>>& answers,
                         const std::string& reason) {
        const Error* permanent = nullptr;
        for (const auto& answer : answers) {
            if (!answer || *answer) { continue; }
            if (answer->error().kind() == ErrorKind::retryable) {
                return {ErrorKind::retryable, answer->error().code(), reason};
            }
            permanent = &answer->error();
        }
        if (permanent != nullptr) { return {ErrorKind::permanent, permanent->code(), reason}; }
        return {ErrorKind::retryable, "unavailable", reason};
    }

    Task<void> diverged(Context context, Message message, const std::vector<Provider*>& lacking,
                        std::string reason) {
        divergences_.add();
        if (!options.record) { co_return; }
        Divergence divergence{std::move(message), {}, std::move(reason)};
        for (const Provider* provider : lacking) {
            divergence.lacking.emplace_back(provider->member.name);
        }
        // The publisher may have little time left, and this matters more than its wait.
        context.deadline =
            std::max(context.deadline, environment.clock.monotonic() + options.patience);
        const auto recorded = co_await options.record(std::move(context), std::move(divergence));
        if (recorded) { co_return; }
        unrecorded_.add();
        environment.telemetry.log(LogLevel::error, "a divergence could not be recorded",
                                  {{"code", recorded.error().code()}});
    }

    Counter& divergences_;
    Counter& unrecorded_;
};

// What one provider has for a member of a group.
namespace {

struct Source {
    std::unique_ptr<Consumer> consumer;  // null until it could be joined
    std::vector<Delivery> arrived;
    bool under_way = false;  // its next()
    bool failed = false;     // the last try
    int failed_in_a_row = 0;
    MonotonicTime rests_until{};
};

}  // namespace

class CompositeQueue::Place final : public Consumer {
    // Outlives the consumer for as long as a provider's next() is under way.
    struct Inside {
        Inside(std::shared_ptr<State> whole, std::string name)
            : state(std::move(whole)),
              group(std::move(name)),
              sources(state->consumed.size()),
              scope(state->environment.spawner) {}
        std::shared_ptr<State> state;
        std::string group;
        std::vector<Source> sources;  // as State::consumed
        Wakeup arrival;
        bool closed = false;
        Scope scope;
    };

public:
    Place(std::shared_ptr<State> state, std::string group)
        : inside_(std::make_shared<Inside>(std::move(state), std::move(group))) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() override {
        inside_->closed = true;
        const asio::any_io_executor executor = inside_->state->executor;
        asio::post(executor, [inside = std::move(inside_)] { inside->scope.cancel(); });
    }

    // True: there is one.
    Task<Result<void>> join_all(Context context) {
        std::optional<Error> error;
        bool any = false;
        for (std::size_t i = 0; i < inside_->sources.size(); ++i) {
            const auto joined = co_await join_one(inside_, i, context);
            any = any || joined;
            if (!joined) { error = joined.error(); }
        }
        if (any) { co_return Result<void>(); }
        co_return failure(*error);
    }

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        const std::shared_ptr<Inside> inside = inside_;
        Clock& clock = inside->state->environment.clock;
        while (!inside->closed) {
            std::vector<Delivery> taken = take(limit);
            if (!taken.empty()) { co_return taken; }
            const MonotonicTime now = clock.monotonic();
            if (now >= context.deadline) {
                if (none_works(*inside)) {
                    co_return failure(ErrorKind::retryable, "unavailable", "no provider answers");
                }
                co_return taken;
            }
            MonotonicTime again = context.deadline;
            for (std::size_t i = 0; i < inside->sources.size(); ++i) {
                Source& source = inside->sources[i];
                if (source.under_way) { continue; }
                if (source.rests_until > now) {
                    again = std::min(again, source.rests_until);
                    continue;
                }
                source.under_way = true;
                inside->scope.start("composite_queue.next", pump(inside, i, context, limit));
            }
            co_await inside->arrival.wait_until(clock, again);
        }
        co_return failure(closed());
    }

    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        const std::shared_ptr<Inside> inside = inside_;
        if (inside->closed) { co_return failure(closed()); }
        std::map<std::size_t, std::vector<std::uint64_t>> by_source;
        std::map<std::size_t, std::vector<std::uint64_t>> own;
        std::optional<Error> error;
        for (const std::uint64_t number : numbers) {
            const auto held = held_.find(number);
            if (held == held_.end()) {
                error = Error(ErrorKind::permanent, "unknown-delivery",
                              "a number that this consumer does not hold");
                continue;
            }
            by_source[held->second.source].push_back(held->second.number);
            own[held->second.source].push_back(number);
        }
        for (auto& [index, its] : by_source) {
            const auto done =
                co_await inside->sources[index].consumer->acknowledge(context, std::move(its));
            if (done) {
                for (const std::uint64_t number : own[index]) { held_.erase(number); }
            } else {
                error = done.error();
            }
        }
        if (error) { co_return failure(*error); }
        co_return Result<void>();
    }

    Task<void> close() override {
        const std::shared_ptr<Inside> inside = inside_;
        if (std::exchange(inside->closed, true)) { co_return; }
        inside->arrival.wake();
        held_.clear();
        for (Source& source : inside->sources) {
            source.arrived.clear();
            if (source.consumer) { co_await source.consumer->close(); }
        }
        inside->scope.cancel();  // whoever is still joining
        co_await inside->scope.join();
    }

private:
    struct Held {
        std::size_t source;
        std::uint64_t number;
    };

    static Error closed() { return {ErrorKind::retryable, "closed", "the consumer was closed"}; }

    static bool none_works(const Inside& inside) {
        return std::all_of(inside.sources.begin(), inside.sources.end(),
                           [](const Source& source) { return source.failed; });
    }

    static Task<Result<void>> join_one(std::shared_ptr<Inside> inside, std::size_t index,
                                       Context context) {
        const State& state = *inside->state;
        MessageQueue& queue = *state.consumed[index]->member.queue;
        const MonotonicTime patience = state.environment.clock.monotonic() + state.options.patience;
        auto joined = co_await queue.join(context.until(patience), inside->group);
        Source& source = inside->sources[index];
        note(*inside, source, joined ? nullptr : &joined.error());
        if (!joined) { co_return failure(joined.error()); }
        source.consumer = std::move(*joined);
        co_return Result<void>();
    }

    static void note(Inside& inside, Source& source, const Error* error) {
        const State& state = *inside.state;
        source.failed = error != nullptr;
        if (error == nullptr) {
            source.failed_in_a_row = 0;
            return;
        }
        const Duration rest =
            back_off(state.options.rest, ++source.failed_in_a_row, state.environment.random);
        source.rests_until =
            state.environment.clock.monotonic() + state.options.rest.base / 2 + rest;
    }

    // One look at one provider; what it finds waits for the next call of next().
    static Task<void> pump(std::shared_ptr<Inside> inside, std::size_t index, Context context,
                           std::size_t limit) {
        Source& source = inside->sources[index];
        bool joined = source.consumer != nullptr;
        if (!joined) {
            joined = (co_await join_one(inside, index, context)).has_value();
            if (joined && inside->closed) { co_await source.consumer->close(); }
        }
        if (joined && !inside->closed) {
            auto found = co_await source.consumer->next(context, limit);
            if (!inside->closed) {
                note(*inside, source, found ? nullptr : &found.error());
                if (found) { source.arrived = std::move(*found); }
            }
        }
        source.under_way = false;
        inside->arrival.wake();
    }

    // Each call begins with another provider.
    std::vector<Delivery> take(std::size_t limit) {
        std::vector<Delivery> taken;
        State& state = *inside_->state;
        const std::size_t count = inside_->sources.size();
        const std::size_t first = turn_++ % count;
        for (std::size_t i = 0; i < count && taken.size() < limit; ++i) {
            const std::size_t index = (first + i) % count;
            std::vector<Delivery>& arrived = inside_->sources[index].arrived;
            const std::size_t many = std::min(arrived.size(), limit - taken.size());
            for (std::size_t j = 0; j < many; ++j) {
                Delivery delivery = std::move(arrived[j]);
                held_.emplace(++last_number_, Held{index, delivery.number});
                delivery.number = last_number_;
                delivery.provider = state.consumed[index]->member.name;
                taken.push_back(std::move(delivery));
            }
            arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(many));
            state.consumed[index]->stats.delivered += many;
        }
        state.delivered += taken.size();
        return taken;
    }

    std::shared_ptr<Inside> inside_;
    std::map<std::uint64_t, Held> held_;
    std::uint64_t last_number_ = 0;
    std::size_t turn_ = 0;
};

CompositeQueue::CompositeQueue(Environment& environment, std::vector<CompositeMember> members,
                               CompositeOptions options)
    : state_(std::make_shared<State>(environment, std::move(members), std::move(options))) {}

CompositeQueue::~CompositeQueue() = default;

QueueFeatures CompositeQueue::features() const { return state_->features(); }

Result<void> CompositeQueue::check(const Message& message) const { return state_->check(message); }

Task<Result<void>> CompositeQueue::publish(Context context, Message message) {
    const auto answer = co_await state_->publish(std::move(context), std::move(message));
    if (answer) { ++state_->published; }
    co_return answer;
}

Task<Result<std::unique_ptr<Consumer>>> CompositeQueue::join(Context context, std::string group) {
    auto place = std::make_unique<Place>(state_, std::move(group));
    RP_CO_CHECK(co_await place->join_all(std::move(context)));
    std::unique_ptr<Consumer> consumer = std::move(place);
    co_return consumer;
}

Task<Result<QueueStats>> CompositeQueue::stats(Context context, std::string group) {
    QueueStats all;
    all.published = state_->published;
    all.delivered = state_->delivered;
    all.size = 0;
    for (const Provider* provider : state_->consumed) {
        RP_CO_TRY(const QueueStats its, co_await provider->member.queue->stats(context, group));
        all.unfinished += its.unfinished;
        if (all.size && its.size) {
            *all.size += *its.size;
        } else {
            all.size.reset();
        }
        if (its.capacity) {
            all.capacity = std::min(all.capacity.value_or(*its.capacity), *its.capacity);
        }
    }
    co_return all;
}

Task<Result<std::int64_t>> CompositeQueue::unfinished_without(Context context, std::string group,
                                                              std::string_view name) {
    std::int64_t unfinished = 0;
    for (const Provider* provider : state_->consumed) {
        if (provider->member.name == name) { continue; }
        RP_CO_TRY(const QueueStats its, co_await provider->member.queue->stats(context, group));
        unfinished += its.unfinished;
    }
    co_return unfinished;
}

Task<Result<void>> CompositeQueue::publish_to(Context context, std::string_view name,
                                              Message message) {
    for (const auto& provider : state_->providers) {
        if (provider->member.name != name) { continue; }
        RP_CO_CHECK(provider->member.queue->check(message));
        if (state_->down(*provider)) { co_return failure(down_error(name)); }
        co_return co_await state_->publish_to(std::move(context), *provider, std::move(message));
    }
    co_return failure(ErrorKind::permanent, "unknown-provider",
                      "the composite has no provider " + std::string(name));
}

std::vector<CompositeProviderStats> CompositeQueue::provider_stats() const {
    std::vector<CompositeProviderStats> all;
    for (const auto& provider : state_->providers) {
        CompositeProviderStats stats = provider->stats;
        stats.down = state_->down(*provider);
        all.push_back(stats);
    }
    return all;
}

}  // namespace rushproof
