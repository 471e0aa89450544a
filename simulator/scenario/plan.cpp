#include "simulator/scenario/plan.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/topology.hpp"
#include "simulator/scenario/units.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration shortest = std::chrono::milliseconds(1);
constexpr std::uint32_t one_half = 500'000;

// No draw when there is nothing to choose, so that a concrete target costs none.
template <class T>
T pick(const std::vector<T>& candidates, RandomStream& stream) {
    return candidates.size() == 1 ? candidates.front()
                                  : candidates[stream.below(candidates.size())];
}

void pick_targets(const Scenario& scenario, Fault& fault, RandomStream& stream) {
    if (fault.kind == FaultKind::switch_queue) { return; }  // a queue is no machine
    if (fault.kind == FaultKind::broker) {
        if (fault.target == "any") { fault.target = pick(brokers(scenario), stream); }
        return;
    }
    if (fault.between) {
        auto& [near, far] = *fault.between;
        near = pick(resolve_target(scenario, near), stream);
        far = pick(resolve_target(scenario, far), stream);
        fault.target = near;
    } else if (const auto usual = usual_target(fault.kind); usual && fault.target == "any") {
        fault.target = pick(resolve_target(scenario, *usual), stream);
    } else {
        fault.target = pick(resolve_target(scenario, fault.target), stream);
    }
}

Duration duration_of(const Scenario& scenario, const TimelineEntry& entry) {
    const bool until_the_end = entry.duration == Duration::zero() && !takes_no_time(*entry.fault);
    if (restarts(*entry.fault)) { return entry.fault->restart_after; }
    if (entry.fault->kind == FaultKind::switch_queue) { return entry.fault->deadline; }
    return until_the_end ? scenario.duration - entry.at : entry.duration;
}

std::vector<PlannedFault> plan_timeline(const Scenario& scenario, std::uint64_t seed) {
    std::vector<PlannedFault> plan;
    std::map<std::string, std::uint64_t> same;
    for (const auto& entry : scenario.timeline) {
        if (!entry.fault) { continue; }
        PlannedFault planned{entry.id,       entry.location, entry.at, duration_of(scenario, entry),
                             entry.at_point, *entry.fault};
        // The key says what the fault is, not where it stands: taking one away moves no other.
        std::string key = "fault/" + std::string(to_string(entry.fault->kind)) + '@';
        key += entry.at_point ? entry.at_point->name + '#' + std::to_string(entry.at_point->nth)
                              : format_duration(entry.at);
        RandomStream stream = keyed_stream(seed, key, same[key]++);
        const bool of_broker = planned.fault.kind == FaultKind::broker;
        if (!entry.at_point || planned.fault.target != "any" || of_broker) {
            pick_targets(scenario, planned.fault, stream);
        }
        plan.push_back(std::move(planned));
    }
    return plan;
}

Duration draw_duration(const DurationDraw& draw, RandomStream& stream) {
    if (draw.kind == DrawKind::constant) { return draw.mean; }
    if (draw.kind == DrawKind::uniform) { return stream.between(draw.min, draw.max); }
    const Duration drawn = std::max(stream.exponential(draw.mean), draw.min);
    return draw.max > Duration::zero() ? std::min(drawn, draw.max) : drawn;
}

// Faults that would hide one another: both about the process of one machine, or of one kind.
bool collide(const PlannedFault& a, const PlannedFault& b) {
    const auto about_process = [](const Fault& fault) {
        return fault.kind == FaultKind::kill || fault.kind == FaultKind::stop ||
               fault.kind == FaultKind::pause || fault.kind == FaultKind::restart ||
               (fault.kind == FaultKind::broker && fault.effect == BrokerEffect::power_loss);
    };
    const bool same_kind = a.fault.kind == b.fault.kind &&
                           (a.fault.kind != FaultKind::broker || a.fault.effect == b.fault.effect);
    const bool both = about_process(a.fault) && about_process(b.fault);
    const bool same_queue = same_kind && a.fault.kind == FaultKind::switch_queue;
    const bool same_place =
        same_queue || (a.fault.target == b.fault.target && a.fault.between == b.fault.between);
    return (same_kind || both) && same_place && a.at <= b.at + b.duration &&
           b.at <= a.at + a.duration;
}

class SwarmPlanner {
public:
    SwarmPlanner(const Scenario& scenario, std::uint64_t seed)
        : scenario_(scenario),
          swarm_(*scenario.swarm),
          seed_(seed),
          end_(scenario.duration - swarm_.quiet_tail) {
        std::map<FaultKind, int> same;
        for (const auto& kind : swarm_.kinds) {
            const int number = same[kind.fault.kind]++;
            std::string key(to_string(kind.fault.kind));
            if (number > 0) { key += '#' + std::to_string(number); }
            RandomStream coin = keyed_stream(seed, "swarm/subset/" + key);
            if (!swarm_.random_subset || coin.chance(one_half)) {
                enabled_.push_back({&kind, std::move(key)});
            }
        }
    }

    // Adds to the faults of the timeline.
    void plan(std::vector<PlannedFault>& plan) {
        RandomStream gaps = keyed_stream(seed_, "swarm/gaps");
        Duration at = swarm_.start;
        for (std::uint64_t slot = 0; slot < limits::swarm_faults_max && !enabled_.empty(); ++slot) {
            at += gaps.exponential(swarm_.mean_gap);
            if (at + shortest >= end_) { return; }
            auto planned = draw(slot, at);
            // By its slot, so that no name depends on what else there is.
            planned.id = std::string(swarm_id_prefix) + std::string(to_string(planned.fault.kind)) +
                         '-' + std::to_string(slot + 1);
            if (fits(plan, planned)) { plan.push_back(std::move(planned)); }
        }
    }

private:
    struct Enabled {
        const SwarmKind* kind;
        std::string key;
    };

    // Each kind bids for the slot and the highest bid wins: without one kind, only the slots that
    // it had won change.
    const Enabled& winner(std::uint64_t slot) const {
        const auto bid = [&](const Enabled& enabled) {
            return keyed_stream(seed_, "swarm/bid/" + enabled.key, slot).next();
        };
        return *std::ranges::max_element(enabled_, {}, bid);
    }

    PlannedFault draw(std::uint64_t slot, Duration at) const {
        const auto& [kind, key] = winner(slot);
        RandomStream stream = keyed_stream(seed_, "swarm/fault/" + key, slot);
        Fault fault = kind->fault;
        pick_targets(scenario_, fault, stream);
        const auto draw_range = [&stream](auto& value, const auto& range) {
            using Value = std::remove_reference_t<decltype(value)>;
            if (range) { value = static_cast<Value>(stream.between(range->first, range->second)); }
        };
        draw_range(fault.delay, kind->delay);
        draw_range(fault.offset, kind->offset);
        draw_range(fault.restart_after, kind->restart_after);
        draw_range(fault.timeout, kind->timeout);
        draw_range(fault.drift_ppm, kind->drift_ppm);
        draw_range(fault.rate, kind->rate);
        if (!kind->effects.empty()) { fault.effect = pick(kind->effects, stream); }
        if (!kind->to.empty()) { fault.target = pick(kind->to, stream); }
        if (!kind->directions.empty()) { fault.direction = pick(kind->directions, stream); }
        Duration duration = std::max(draw_duration(swarm_.duration, stream), shortest);
        if (restarts(fault)) { duration = fault.restart_after; }
        if (fault.kind == FaultKind::switch_queue) { duration = fault.deadline; }
        if (takes_no_time(fault)) { duration = Duration::zero(); }
        duration = std::min(duration, end_ - at);
        if (restarts(fault)) { fault.restart_after = duration; }
        return {{}, kind->location, at, duration, std::nullopt, std::move(fault)};
    }

    bool fits(const std::vector<PlannedFault>& plan, const PlannedFault& next) const {
        std::int64_t under_way = 0;
        for (const auto& other : plan) {
            if (other.at_point) { continue; }
            if (collide(other, next)) { return false; }
            const bool ours = other.id.starts_with(swarm_id_prefix);
            if (ours && other.at + other.duration > next.at) { ++under_way; }
        }
        return under_way < swarm_.max_concurrent;
    }

    const Scenario& scenario_;
    const Swarm& swarm_;
    std::uint64_t seed_;
    Duration end_;
    std::vector<Enabled> enabled_;
};

}  // namespace

bool restarts(const Fault& fault) {
    const bool loses_power =
        fault.kind == FaultKind::broker && fault.effect == BrokerEffect::power_loss;
    return fault.kind == FaultKind::kill || fault.kind == FaultKind::stop ||
           fault.kind == FaultKind::promote || loses_power;
}

bool takes_no_time(const Fault& fault) {
    const bool redelivers =
        fault.kind == FaultKind::broker && fault.effect == BrokerEffect::redeliver;
    return fault.kind == FaultKind::restart || fault.kind == FaultKind::terminate_backends ||
           redelivers;
}

std::vector<PlannedFault> plan_faults(const Scenario& scenario, std::uint64_t seed) {
    auto plan = plan_timeline(scenario, seed);
    if (scenario.swarm) { SwarmPlanner(scenario, seed).plan(plan); }
    std::ranges::sort(plan, {},
                      [](const PlannedFault& planned) { return std::tie(planned.at, planned.id); });
    return plan;
}

}  // namespace rushproof::simulator
