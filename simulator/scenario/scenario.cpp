#include "simulator/scenario/scenario.hpp"

#include <array>

#include "simulator/scenario/words.hpp"

namespace rushproof::simulator {

template <>
std::span<const Word<Mode>> words() {
    static constexpr std::array table{
        Word<Mode>{Mode::sim, "sim", "virtual time, seeded and exact"},
        Word<Mode>{Mode::live, "live", "real processes in wall time"},
        Word<Mode>{Mode::both, "both", "first one, then the other"},
    };
    return table;
}

template <>
std::span<const Word<Schedule>> words() {
    static constexpr std::array table{
        Word<Schedule>{Schedule::random, "random", "any of the ready, by the seed"},
        Word<Schedule>{Schedule::fifo, "fifo", "the one that has been ready longest"},
        Word<Schedule>{Schedule::pct, "pct", "by random priorities that change `depth` times"},
    };
    return table;
}

template <>
std::span<const Word<DrawKind>> words() {
    static constexpr std::array table{
        Word<DrawKind>{DrawKind::constant, "constant", "always `value`"},
        Word<DrawKind>{DrawKind::uniform, "uniform", "anything from `min` to `max`"},
        Word<DrawKind>{DrawKind::exponential, "exponential", "memoryless with this `mean`"},
        Word<DrawKind>{DrawKind::lognormal, "lognormal", "skewed to the right, as people think"},
    };
    return table;
}

template <>
std::span<const Word<NumberKind>> words() {
    static constexpr std::array table{
        Word<NumberKind>{NumberKind::constant, "constant", "always `value`"},
        Word<NumberKind>{NumberKind::uniform, "uniform", "any from `min` to `max`"},
        Word<NumberKind>{NumberKind::choice, "choice", "one of `values`, by its share"},
    };
    return table;
}

template <>
std::span<const Word<PopularityKind>> words() {
    static constexpr std::array table{
        Word<PopularityKind>{PopularityKind::uniform, "uniform", "every SKU alike"},
        Word<PopularityKind>{PopularityKind::zipf, "zipf", "rank r by r to the power of -`s`"},
        Word<PopularityKind>{PopularityKind::fixed, "fixed", "only `sku`"},
    };
    return table;
}

template <>
std::span<const Word<Executor>> words() {
    static constexpr std::array table{
        Word<Executor>{Executor::constant_arrival_rate, "constant-arrival-rate",
                       "buyers arrive at `rate`, however slow the answers are"},
        Word<Executor>{Executor::ramping_arrival_rate, "ramping-arrival-rate",
                       "the rate of arrivals moves linearly from stage to stage"},
        Word<Executor>{Executor::constant_vus, "constant-vus",
                       "`vus` users, each with one request at a time"},
    };
    return table;
}

template <>
std::span<const Word<Arrivals>> words() {
    static constexpr std::array table{
        Word<Arrivals>{Arrivals::poisson, "poisson", "independent buyers"},
        Word<Arrivals>{Arrivals::uniform, "uniform", "evenly spaced"},
    };
    return table;
}

template <>
std::span<const Word<KeyPolicy>> words() {
    static constexpr std::array table{
        Word<KeyPolicy>{KeyPolicy::per_buyer, "per-buyer", "one for the whole journey"},
        Word<KeyPolicy>{KeyPolicy::per_step, "per-step", "one for a step and its retries"},
        Word<KeyPolicy>{KeyPolicy::per_attempt, "per-attempt",
                        "a new one for every attempt, which is a client's mistake"},
    };
    return table;
}

template <>
std::span<const Word<FaultKind>> words() {
    static constexpr std::array table{
        Word<FaultKind>{FaultKind::kill, "kill", "SIGKILL, then a new start"},
        Word<FaultKind>{FaultKind::stop, "stop", "SIGTERM with its grace, then a new start"},
        Word<FaultKind>{FaultKind::pause, "pause", "SIGSTOP: no code runs, time goes on"},
        Word<FaultKind>{FaultKind::restart, "restart", "SIGTERM and a new start at once"},
        Word<FaultKind>{FaultKind::latency, "latency", "messages arrive later"},
        Word<FaultKind>{FaultKind::partition, "partition", "messages wait until it heals"},
        Word<FaultKind>{FaultKind::clock_skew, "clock-skew", "the wall clock is off"},
        Word<FaultKind>{FaultKind::clock_drift, "clock-drift", "both clocks run fast or slow"},
        Word<FaultKind>{FaultKind::commit_unknown, "commit-unknown",
                        "the answer to a commit is lost; the commit may have happened"},
        Word<FaultKind>{FaultKind::terminate_backends, "terminate-backends",
                        "all sessions of the database are terminated"},
        Word<FaultKind>{FaultKind::promote, "promote", "a standby takes over as the primary"},
        Word<FaultKind>{FaultKind::pause_replay, "pause-replay",
                        "a standby receives the log and does not replay it"},
        Word<FaultKind>{FaultKind::lock_timeout, "lock-timeout",
                        "waiting for a lock soon ends in an error"},
        Word<FaultKind>{FaultKind::disk_full, "disk-full", "writes of the database find no room"},
        Word<FaultKind>{FaultKind::disk_slow, "disk-slow", "writing the log to disk takes long"},
        Word<FaultKind>{FaultKind::broker, "broker",
                        "a broker does what only brokers do, as `effect` says"},
    };
    return table;
}

template <>
std::span<const Word<Direction>> words() {
    static constexpr std::array table{
        Word<Direction>{Direction::both, "both", "nothing passes"},
        Word<Direction>{Direction::in, "in", "nothing reaches the target"},
        Word<Direction>{Direction::out, "out", "nothing leaves the target"},
    };
    return table;
}

template <>
std::span<const Word<BrokerEffect>> words() {
    static constexpr std::array table{
        Word<BrokerEffect>{BrokerEffect::redeliver, "redeliver",
                           "all that is delivered and not acknowledged is delivered again"},
        Word<BrokerEffect>{BrokerEffect::drop_ack, "drop-ack",
                           "messages are stored and their publishers not told"},
        Word<BrokerEffect>{BrokerEffect::leader_change, "leader-change",
                           "nobody leads, then another replica"},
        Word<BrokerEffect>{
            BrokerEffect::power_loss, "power-loss",
            "all replicas lose what they had not flushed: acknowledged messages, too"},
    };
    return table;
}

template <>
std::span<const Word<Aggregate>> words() {
    static constexpr std::array table{
        Word<Aggregate>{Aggregate::percentile, "p"}, Word<Aggregate>{Aggregate::min, "min"},
        Word<Aggregate>{Aggregate::max, "max"},      Word<Aggregate>{Aggregate::mean, "mean"},
        Word<Aggregate>{Aggregate::count, "count"},  Word<Aggregate>{Aggregate::rate, "rate"},
        Word<Aggregate>{Aggregate::value, "value"},
    };
    return table;
}

template <>
std::span<const Word<Comparison>> words() {
    static constexpr std::array table{
        Word<Comparison>{Comparison::less_equal, "<="},
        Word<Comparison>{Comparison::greater_equal, ">="},
        Word<Comparison>{Comparison::equal, "=="},
        Word<Comparison>{Comparison::less, "<"},
        Word<Comparison>{Comparison::greater, ">"},
    };
    return table;
}

// A switch is no kind of fault to a file, which has a key of its own for it.
std::string_view to_string(FaultKind kind) {
    return kind == FaultKind::switch_queue ? "switch-queue" : word_of(kind);
}
std::string_view to_string(Executor executor) { return word_of(executor); }
std::string_view to_string(Direction direction) { return word_of(direction); }
std::string_view to_string(BrokerEffect effect) { return word_of(effect); }
std::string_view to_string(Aggregate aggregate) { return word_of(aggregate); }
std::string_view to_string(Comparison comparison) { return word_of(comparison); }

}  // namespace rushproof::simulator
