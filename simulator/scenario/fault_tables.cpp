#include "simulator/scenario/fault_tables.hpp"

#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/load_tables.hpp"
#include "simulator/scenario/system_tables.hpp"

namespace rushproof::simulator {

namespace {

using std::chrono::milliseconds;

constexpr auto no_time = Duration::zero();
constexpr auto longest = limits::duration_max;
constexpr std::size_t queues_max = 5;

Type<std::string> target_type() {
    auto type = text_type();
    type.shape.noun = "an instance";
    type.shape.word = "instance";
    return type;
}

enum class Form : std::uint8_t { exact, drawn };

// A value, or in a swarm also the range from which the seed draws it.
template <class V>
struct Ranged {
    V value{};
    std::optional<std::pair<V, V>> range;
};

template <class V>
Type<Ranged<V>> ranged(std::string name, Type<V> type, Form form) {
    Object<Ranged<V>> object(std::move(name), "A range from which the seed draws.");
    object
        .field(
            "min", type,
            [](Ranged<V>& ranged, V value) {
                if (!ranged.range) { ranged.range.emplace(); }
                ranged.range->first = value;
            },
            "the least", Presence::required)
        .field(
            "max", type,
            [](Ranged<V>& ranged, V value) {
                if (!ranged.range) { ranged.range.emplace(); }
                ranged.range->second = value;
            },
            "the most", Presence::required)
        .template shorthand<V>(type, [](Ranged<V>& ranged, V value) { ranged.value = value; })
        .check([](const Ranged<V>& ranged) -> std::optional<Flaw> {
            if (!ranged.range || ranged.range->first <= ranged.range->second) { return {}; }
            return Flaw{"max", {"is less than min", "swap them"}};
        });
    auto spell_value = [spell = type.spell](const Ranged<V>& value) { return spell(value.value); };
    if (form == Form::drawn) {
        auto drawn = object.type();
        drawn.spell = std::move(spell_value);
        return drawn;
    }
    return {type.shape,
            [read = type.read](Reader& reader, const Node& node, Ranged<V>& value) {
                return read(reader, node, value.value);
            },
            std::move(spell_value)};
}

// A field of a fault that a swarm may draw from a range.
template <class V>
void add_ranged(Object<SwarmKind>& object, const std::string& name, const Type<V>& type, Form form,
                V Fault::* exact, std::optional<std::pair<V, V>> SwarmKind::* range,
                std::string sentence, Presence presence = Presence::optional) {
    object.field(
        name, ranged(name, type, form),
        Property{[exact, range](SwarmKind& kind, const Ranged<V>& value) {
                     kind.*range = value.range;
                     kind.fault.*exact = value.value;
                 },
                 [exact](const SwarmKind& kind) { return Ranged<V>{kind.fault.*exact, {}}; }},
        std::move(sentence), presence);
}

// One table for both forms of a fault, so that they cannot drift apart.
Object<SwarmKind> fault_object(Form form) {
    const bool drawn = form == Form::drawn;
    const auto delay = duration_type(no_time, std::chrono::hours(1));
    const auto offset = duration_type(-longest, longest);
    Object<SwarmKind> object(drawn ? "swarm-fault" : "fault",
                             drawn ? "One kind of fault in a swarm: `- latency: {...}`."
                                   : "What breaks. Without a target the seed picks an instance.");
    object.located(&SwarmKind::location)
        .tag(
            "kind", enumeration_type<FaultKind>(),
            [](SwarmKind& kind) -> FaultKind& { return kind.fault.kind; }, "what happens");
    object
        .only({"kill", "stop", "pause", "restart", "latency", "partition", "clock-skew",
               "clock-drift", "terminate-backends", "promote", "pause-replay", "lock-timeout",
               "disk-full", "disk-slow", "broker"})
        .field(
            "target", target_type(),
            [](SwarmKind& kind) -> std::string& { return kind.fault.target; },
            "`inventory/0`, a role (the seed picks one), `database`, `replica/0`, a broker such as "
            "`nats`, or `any` instance of a service; of a fault of databases `any` is the primary, "
            "of *pause-replay* a standby, of *broker* one of those that the run has");
    object.only({"latency", "partition"})
        .field(
            "between", list_of(target_type(), 2, 2),
            [](SwarmKind& kind, std::vector<std::string> ends) {
                kind.fault.between.emplace(std::move(ends[0]), std::move(ends[1]));
            },
            "instead of a target: the two ends of one link, such as `[gateway/0, inventory]`")
        .at_most_one({"target", "between"});
    if (drawn) {
        object.field("direction", one_or_list(enumeration_type<Direction>(), 3),
                     &SwarmKind::directions, "one or several, of which the seed picks one");
    } else {
        object.field(
            "direction", enumeration_type<Direction>(),
            [](SwarmKind& kind) -> Direction& { return kind.fault.direction; },
            "which way, seen from the target or the first end");
    }
    object.only({"broker"});
    if (drawn) {
        constexpr std::size_t effects_max = 4;
        object.field("effect", one_or_list(enumeration_type<BrokerEffect>(), effects_max),
                     &SwarmKind::effects, "one or several, of which the seed picks one",
                     Presence::required);
    } else {
        object.field(
            "effect", enumeration_type<BrokerEffect>(),
            [](SwarmKind& kind) -> BrokerEffect& { return kind.fault.effect; },
            "what the broker does", Presence::required);
    }
    object.only({"kill", "stop", "promote", "broker"});
    add_ranged(object, "restart-after", delay, form, &Fault::restart_after,
               &SwarmKind::restart_after,
               "when it is started again; of *promote*: when the old primary is a standby of the "
               "new one; of *broker*: after a power loss");
    object.only({"promote"})
        .field(
            "split-brain", boolean_type(),
            [](SwarmKind& kind) -> bool& { return kind.fault.split_brain; },
            "nobody stops the old primary before that: whoever is connected to it can write to it");
    object.only({"lock-timeout"});
    add_ranged(object, "timeout", duration_type(milliseconds(1), std::chrono::hours(1)), form,
               &Fault::timeout, &SwarmKind::timeout, "how long a statement may wait for a lock",
               Presence::required);
    object.only({"latency", "disk-slow"});
    add_ranged(object, "delay", delay, form, &Fault::delay, &SwarmKind::delay,
               "added to each message, or to each flush of the log", Presence::required);
    object.field(
        "jitter", delay, [](SwarmKind& kind) -> Duration& { return kind.fault.jitter; },
        "up to this much more, different for each message");
    object.only({"clock-skew"});
    add_ranged(object, "offset", offset, form, &Fault::offset, &SwarmKind::offset,
               "added to the wall clock; may be negative", Presence::required);
    object.only({"clock-drift"});
    add_ranged(object, "drift", ppm_type(), form, &Fault::drift_ppm, &SwarmKind::drift_ppm,
               "how much faster both clocks run; may be negative", Presence::required);
    object.only({"commit-unknown", "broker"});
    add_ranged(
        object, "rate", share_type(), form, &Fault::rate, &SwarmKind::rate,
        "the share of the commits, or with *drop-ack* of the messages, that lose their answer");
    return object;
}

Type<Duration> deadline_type() { return duration_type(milliseconds(1), std::chrono::hours(1)); }
constexpr auto switch_sentence = "an operator switches the pipeline to another queue";
constexpr auto deadline_sentence = "when the operator gives up waiting for its end";

Type<Fault> switch_type() {
    return Object<Fault>("switch-queue", "Switches the pipeline to another queue, under load.")
        .field("to", queue_type(), &Fault::target, "the new queue", Presence::required)
        .field("deadline", deadline_type(), &Fault::deadline, deadline_sentence)
        .type();
}

Type<SwarmKind> swarm_switch_type() {
    return Object<SwarmKind>("swarm-switch", "Switches of the queue in a swarm.")
        .located(&SwarmKind::location)
        .field("to", one_or_list(queue_type(), queues_max), &SwarmKind::to,
               "one or several, of which the seed picks one", Presence::required)
        .field(
            "deadline", deadline_type(),
            [](SwarmKind& kind) -> Duration& { return kind.fault.deadline; }, deadline_sentence)
        .type();
}

Type<SwarmKind> swarm_kind_type() {
    Choice<SwarmKind> choice("swarm-kind", "A kind of fault and its bounds.");
    const auto object = fault_object(Form::drawn);
    for (const auto& entry : words<FaultKind>()) {
        const std::string word(entry.word);
        choice.alternative<SwarmKind>(
            word, object.type_for(word),
            [](SwarmKind& kind, const SwarmKind& read) { kind = read; },
            std::string(entry.sentence), Bare::yes);
    }
    choice.alternative<SwarmKind>(
        "switch-queue", swarm_switch_type(),
        [](SwarmKind& kind, SwarmKind read) {
            kind = std::move(read);
            kind.fault.kind = FaultKind::switch_queue;
        },
        switch_sentence);
    return choice.type();
}

}  // namespace

Type<TimelineEntry> timeline_entry_type() {
    const auto point =
        Object<AtPoint>("at-point", "A call of a service to one of its ports. Virtual time only.")
            .field("name", text_type(), &AtPoint::name,
                   "`inventory.reserve/commit:before`: the use case, the call, and before or "
                   "after it",
                   Presence::required)
            .field("nth", integer_type(1, limits::units_max), &AtPoint::nth,
                   "how often it is reached until then, this time included")
            .type();
    return Object<TimelineEntry>("timeline",
                                 "A phase mark, a fault or a switch of the queue, at its time.")
        .located(&TimelineEntry::location)
        .field("at", duration_type(no_time, longest), &TimelineEntry::at,
               "since the start of the run")
        .field("at-point", point, &TimelineEntry::at_point,
               "instead of `at`: when a call is reached; `target: any` is then its instance")
        .field("for", duration_type(milliseconds(1), longest), &TimelineEntry::duration,
               "how long the fault lasts; kill and stop have `restart-after` instead, a wrong "
               "clock without it stays wrong")
        .field("id", name_type("a name", "name"), &TimelineEntry::id,
               "the name of the fault in reports and thresholds; `kill-1` and so on by itself")
        .field("phase", name_type("a name", "name"), &TimelineEntry::phase,
               "a phase begins, for `during: \"phase:...\"`; it ends with the next")
        .field(
            "fault", fault_object(Form::exact).type(),
            [](TimelineEntry& entry, const SwarmKind& kind) { entry.fault = kind.fault; },
            "what breaks")
        .field(
            "switch-queue", switch_type(),
            [](TimelineEntry& entry, Fault fault) {
                fault.kind = FaultKind::switch_queue;
                entry.fault = std::move(fault);
            },
            switch_sentence)
        .exactly_one({"phase", "fault", "switch-queue"})
        .exactly_one({"at", "at-point"})
        .type();
}

Type<Swarm> swarm_type() {
    constexpr std::size_t kinds_max = 32;
    const std::vector<std::pair<std::string, std::string>> subsets{
        {"random", "each seed turns each kind on with probability one half"},
        {"all", "every seed has all kinds"}};
    const auto subset = word_type(subsets);
    return Object<Swarm>("swarm", "Faults drawn from the seed.")
        .located(&Swarm::location)
        .field("start", duration_type(no_time, longest), &Swarm::start, "no fault before this")
        .field("quiet-tail", duration_type(no_time, longest), &Swarm::quiet_tail,
               "no fault in this last part of the run, so that the system can recover")
        .field("subset", subset,
               Property{[](Swarm& swarm, const std::string& word) {
                            swarm.random_subset = word == "random";
                        },
                        [](const Swarm& swarm) {
                            return std::string(swarm.random_subset ? "random" : "all");
                        }},
               "which kinds a seed has")
        .field("mean-gap", duration_type(milliseconds(1), longest), &Swarm::mean_gap,
               "between the starts of two faults, exponential")
        .field("duration", duration_draw_type(), &Swarm::duration, "how long a fault lasts",
               Presence::required)
        .field("max-concurrent", integer_type(1, limits::instances_max), &Swarm::max_concurrent,
               "further faults are left out")
        .field("kinds", list_of(swarm_kind_type(), 1, kinds_max), &Swarm::kinds, "what may happen",
               Presence::required)
        .type();
}

}  // namespace rushproof::simulator
