#include "simulator/scenario/load_tables.hpp"

#include <numeric>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

using std::chrono::milliseconds;

constexpr auto no_time = Duration::zero();
constexpr auto longest = limits::duration_max;
constexpr std::uint32_t everything = 1'000'000;
constexpr std::string_view popular = "$popular";

using Weights = std::vector<std::pair<std::int64_t, std::uint32_t>>;

// {1: 0.8, 2: 0.15, 4: 0.05}
Type<Weights> weights_type(std::int64_t min, std::int64_t max) {
    constexpr std::size_t values_max = 64;
    const auto shares = map_of(share_type(), "number", values_max);
    return {shares.shape, [read_shares = shares.read, min, max](Reader& reader, const Node& node,
                                                                Weights& weights) {
                std::vector<std::pair<std::string, std::uint32_t>> read;
                if (!read_shares(reader, node, read)) { return false; }
                std::uint64_t sum = 0;
                for (std::size_t index = 0; index < read.size(); ++index) {
                    const auto number = parse_integer(read[index].first);
                    if (!number || *number < min || *number > max) {
                        reader.error(node.entries[index].key_place,
                                     '"' + read[index].first + "\" is no number from " +
                                         std::to_string(min) + " to " + std::to_string(max));
                        return false;
                    }
                    weights.emplace_back(*number, read[index].second);
                    sum += read[index].second;
                }
                if (sum == everything) { return true; }
                reader.error(node.place, "the shares do not add up to 1");
                return false;
            }};
}

Type<std::string> sku_type() {
    const auto name = name_type("a SKU", "SKU or `$popular`");
    return {name.shape,
            [read = name.read](Reader& reader, const Node& node, std::string& sku) {
                if (node.kind == Node::Kind::scalar && node.text == popular) {
                    sku.clear();
                    return true;
                }
                return read(reader, node, sku);
            },
            [](const std::string& sku) { return sku.empty() ? std::string(popular) : sku; }};
}

Type<Stage> stage_type() {
    return Object<Stage>("stage", "The rate moves linearly to `target` over `duration`.")
        .field(
            "target", rate_type(),
            [](Stage& stage, Rate rate) { stage.target = rate.per_1000_seconds; },
            "the rate at its end", Presence::required)
        .field("duration", duration_type(no_time, longest), &Stage::duration, "how long it takes",
               Presence::required)
        .type();
}

// --- journeys ---

Type<ReserveStep> reserve_type() {
    const auto path = word_type(
        {{"direct", "the answer says whether there was enough"},
         {"queued", "through the pipeline: it is accepted at once, and its result is asked for"}});
    return Object<ReserveStep>("reserve", "Reserves units of a SKU.")
        .field("sku", sku_type(), &ReserveStep::sku, "a name, or one by popularity")
        .field("quantity", number_draw_type("quantity", 1, limits::quantity_max),
               &ReserveStep::quantity, "how many units")
        .field("idempotency-key", enumeration_type<KeyPolicy>(), &ReserveStep::key,
               "which attempts share a key, and so have one effect together")
        .field("path", path,
               Property{[](ReserveStep& step, const std::string& word) {
                            step.queued = word == "queued";
                        },
                        [](const ReserveStep& step) {
                            return std::string(step.queued ? "queued" : "direct");
                        }},
               "how it gets there")
        .check([](const ReserveStep& step) -> std::optional<Flaw> {
            if (!step.queued || step.key == KeyPolicy::per_step) { return {}; }
            return Flaw{"path",
                        {"a queued reserve has one key for a step and its retries",
                         "leave \"idempotency-key\" out"}};
        })
        .type();
}

Type<IngestStep> ingest_type() {
    const auto keys =
        word_type({{"per-step", "one for a step and its retries"},
                   {"per-attempt", "a new one for every attempt, which makes a new message"}});
    return Object<IngestStep>("ingest", "Sends a message into the pipeline.")
        .field("key", sku_type(), &IngestStep::key,
               "messages of one key keep their order: a name, or a SKU by popularity")
        .field("keys", integer_type(1, limits::keys_max), &IngestStep::keys,
               "instead of `key`: one of so many, `key-1` and so on, all alike")
        .at_most_one({"key", "keys"})
        .field("bytes", integer_type(0, limits::message_bytes_max), &IngestStep::bytes,
               "how long its data is")
        .field(
            "idempotency-key", keys,
            Property{[](IngestStep& step, const std::string& word) {
                         step.idempotency =
                             word == "per-step" ? KeyPolicy::per_step : KeyPolicy::per_attempt;
                     },
                     [](const IngestStep& step) { return std::string(word_of(step.idempotency)); }},
            "which attempts are the same message")
        .type();
}

Type<ReserveManyStep> reserve_many_type() {
    const auto order =
        word_type({{"random", "as they were drawn"}, {"sorted", "in the order of SKUs"}});
    return Object<ReserveManyStep>("reserve-many", "Reserves a basket of SKUs by popularity.")
        .field("items", number_draw_type("items", 1, limits::basket_items_max),
               &ReserveManyStep::items, "how many; a SKU that comes twice adds up",
               Presence::required)
        .field("quantity", number_draw_type("quantity", 1, limits::quantity_max),
               &ReserveManyStep::quantity, "how many units of each item")
        .field("order", order,
               Property{[](ReserveManyStep& step, const std::string& word) {
                            step.sorted = word == "sorted";
                        },
                        [](const ReserveManyStep& step) {
                            return std::string(step.sorted ? "sorted" : "random");
                        }},
               "in which the request names them")
        .field("atomic", boolean_type(), &ReserveManyStep::atomic,
               "all of them or none; otherwise one reserve after the other")
        .type();
}

Type<ReadStep> read_type() {
    return Object<ReadStep>("read", "Asks for the stock of a SKU.")
        .field("sku", sku_type(), &ReadStep::sku, "a name, or one by popularity")
        .type();
}

Type<ChooseStep> choose_type() {
    // `abandon` is what is left over, so only its value is checked.
    struct Shares : ChooseStep {
        std::optional<std::uint32_t> abandon;
    };
    const auto shares =
        Object<Shares>("choose", "What a buyer does with the reservation.")
            .field("confirm", share_type(), &Shares::confirm, "buys")
            .field("release", share_type(), &Shares::release, "gives it back")
            .field("abandon", share_type(), &Shares::abandon,
                   "leaves it to expire; whatever the others leave over")
            .check([](const Shares& read) -> std::optional<Flaw> {
                const std::uint64_t sum = std::uint64_t{read.confirm} + read.release;
                const auto rest = sum > everything ? 0 : everything - sum;
                if (sum <= everything && (!read.abandon || *read.abandon == rest)) { return {}; }
                return Flaw{"", {"the shares do not add up to 1", "leave \"abandon\" out"}};
            })
            .type();
    return {shares.shape,
            [read_shares = shares.read](Reader& reader, const Node& node, ChooseStep& step) {
                Shares read;
                if (!read_shares(reader, node, read)) { return false; }
                step = read;
                return true;
            }};
}

Type<RetryPolicy> backoff_type() {
    const auto jitter = word_type(
        {{"full", "anything from nothing to the whole pause"}, {"none", "the pause as it is"}});
    return Object<RetryPolicy>("backoff", "The pause before each further attempt.")
        .field("base", duration_type(no_time, longest), &RetryPolicy::base, "the first pause")
        .field("factor", number_type(1, 10), &RetryPolicy::factor, "how much longer each next is")
        .field("jitter", jitter,
               Property{[](RetryPolicy& policy, const std::string& word) {
                            policy.jitter = word == "full";
                        },
                        [](const RetryPolicy& policy) {
                            return std::string(policy.jitter ? "full" : "none");
                        }},
               "what of the pause is random")
        .type();
}

Type<RetryPolicy> retry_type() {
    const auto reasons = word_type({{"timeout", "no answer in time, or the connection broke"},
                                    {"503", "refused, 503 or 429"},
                                    {"conflict", "409 that may be retried"}});
    constexpr std::int64_t attempts_max = 100;
    return Object<RetryPolicy>("retry",
                               "Further attempts of every operation of the journey, with the "
                               "same idempotency key unless that is per-attempt.")
        .field(
            "when", list_of(reasons, 1, 3),
            [](RetryPolicy& policy, const std::vector<std::string>& read) {
                for (const auto& word : read) {
                    policy.on_timeout = policy.on_timeout || word == "timeout";
                    policy.on_unavailable = policy.on_unavailable || word == "503";
                    policy.on_conflict = policy.on_conflict || word == "conflict";
                }
            },
            "after which answers", Presence::required)
        .field("max", integer_type(0, attempts_max), &RetryPolicy::max, "how many more attempts",
               Presence::required)
        .field("attempt-timeout", duration_type(milliseconds(1), longest),
               &RetryPolicy::attempt_timeout, "how long an attempt waits for its answer")
        .field(
            "backoff", backoff_type(),
            [](RetryPolicy& policy, const RetryPolicy& read) {
                policy.base = read.base;
                policy.factor = read.factor;
                policy.jitter = read.jitter;
            },
            "the pause before it")
        .type();
}

struct JourneyItem {
    std::optional<Step> step;
    std::optional<RetryPolicy> retry;
};

Type<JourneyItem> item_type() {
    Choice<JourneyItem> choice("step", "One thing that a buyer does.");
    choice.alternative<ReserveStep>(
        "reserve", reserve_type(), [](JourneyItem& item, ReserveStep step) { item.step = step; },
        "reserves units of a SKU", Bare::yes);
    choice.alternative<ReserveManyStep>(
        "reserve-many", reserve_many_type(),
        [](JourneyItem& item, const ReserveManyStep& step) { item.step = step; },
        "reserves a basket of SKUs");
    choice.alternative<IngestStep>(
        "ingest", ingest_type(),
        [](JourneyItem& item, IngestStep step) { item.step = std::move(step); },
        "sends a message into the pipeline", Bare::yes);
    choice.alternative<ReadStep>(
        "read", read_type(), [](JourneyItem& item, ReadStep step) { item.step = step; },
        "asks for the stock", Bare::yes);
    choice.alternative<FindStep>(
        "find", Object<FindStep>("find", "Asks what became of the latest reservation.").type(),
        [](JourneyItem& item, FindStep step) { item.step = step; },
        "asks what became of its latest reservation", Bare::yes);
    choice.alternative<ExtendStep>(
        "extend", Object<ExtendStep>("extend", "Extends every reservation that is held.").type(),
        [](JourneyItem& item, ExtendStep step) { item.step = step; },
        "lets the time of what it holds begin anew", Bare::yes);
    choice.alternative<DurationDraw>(
        "think", duration_draw_type(),
        [](JourneyItem& item, DurationDraw time) { item.step = ThinkStep{time}; }, "waits");
    choice.alternative<ChooseStep>(
        "choose", choose_type(), [](JourneyItem& item, ChooseStep step) { item.step = step; },
        "buys, gives back or abandons what the last reserve got");
    choice.alternative<RetryPolicy>(
        "retry", retry_type(), [](JourneyItem& item, RetryPolicy retry) { item.retry = retry; },
        "further attempts, for the whole journey");
    return choice.type();
}

}  // namespace

Type<DurationDraw> duration_draw_type() {
    const auto time = duration_type(no_time, longest);
    auto type =
        Object<DurationDraw>("time", "A duration, drawn from the seed each time.")
            .tag("dist", enumeration_type<DrawKind>(), &DurationDraw::kind, "the distribution")
            .only({"constant"})
            .field("value", time, &DurationDraw::mean, "the duration", Presence::required)
            .only({"exponential"})
            .field("mean", time, &DurationDraw::mean, "the average", Presence::required)
            .field("min", time, &DurationDraw::min, "shorter ones are this long")
            .field("max", time, &DurationDraw::max, "longer ones are this long; 0s: no limit")
            .only({"uniform"})
            .field("min", time, &DurationDraw::min, "the least", Presence::required)
            .field("max", time, &DurationDraw::max, "the most", Presence::required)
            .only({"lognormal"})
            .field("median", time, &DurationDraw::mean, "half of them are longer",
                   Presence::required)
            .field("sigma", number_type(0, 4), &DurationDraw::sigma,
                   "the standard deviation of the logarithm", Presence::required)
            .shorthand<Duration>(time,
                                 [](DurationDraw& draw, Duration value) { draw.mean = value; })
            .check([](const DurationDraw& draw) -> std::optional<Flaw> {
                if (draw.kind != DrawKind::uniform || draw.min <= draw.max) { return {}; }
                return Flaw{"max", {"is less than min", "swap them"}};
            })
            .type();
    return type;
}

Type<NumberDraw> number_draw_type(std::string name, std::int64_t min, std::int64_t max) {
    const auto number = integer_type(min, max);
    const auto set_constant = [](NumberDraw& draw, std::int64_t value) {
        draw.min = value;
        draw.max = value;
    };
    auto type =
        Object<NumberDraw>(std::move(name), "A whole number, drawn from the seed each time.")
            .tag(
                "dist", enumeration_type<NumberKind>(), [](NumberDraw&, NumberKind) {},
                "the distribution")
            .only({"constant"})
            .field("value", number, set_constant, "the number", Presence::required)
            .only({"uniform"})
            .field("min", number, &NumberDraw::min, "the least", Presence::required)
            .field("max", number, &NumberDraw::max, "the most", Presence::required)
            .only({"choice"})
            .field("values", weights_type(min, max), &NumberDraw::values,
                   "numbers and their shares, such as `{1: 0.8, 2: 0.2}`", Presence::required)
            .shorthand<std::int64_t>(number, set_constant)
            .check([](const NumberDraw& draw) -> std::optional<Flaw> {
                if (draw.min <= draw.max) { return {}; }
                return Flaw{"max", {"is less than min", "swap them"}};
            })
            .type();
    type.spell = [](const NumberDraw& draw) {
        const bool constant = draw.values.empty() && draw.min == draw.max;
        return constant ? std::to_string(draw.min) : "";
    };
    return type;
}

Type<Popularity> popularity_type() {
    return Object<Popularity>("popularity", "Which SKU `$popular` is.")
        .tag("dist", enumeration_type<PopularityKind>(), &Popularity::kind, "the distribution")
        .only({"zipf"})
        .field("s", number_type(0, 10), &Popularity::s, "how strongly the first ranks win")
        .only({"fixed"})
        .field("sku", name_type("a SKU", "SKU"), &Popularity::sku, "the only one",
               Presence::required)
        .type();
}

Type<Stock> stock_type() {
    constexpr std::size_t named_max = 10'000;
    const auto units = integer_type(0, limits::units_max);
    return Object<Stock>("stock", "What is for sale.")
        .field("skus", integer_type(0, limits::skus_max), &Stock::skus,
               "how many SKUs, named SKU-1, SKU-2 and so on")
        .field("units", number_draw_type("units", 0, limits::units_max), &Stock::units,
               "how many units of each")
        .field("set", map_of(units, "SKU", named_max), &Stock::set,
               "SKUs by name: further ones, or other units for one of those above")
        .type();
}

Type<Load> load_type() {
    const auto rate = rate_type();
    Object<Load> object("load", "Buyers who come in one way.");
    object.tag("executor", enumeration_type<Executor>(), &Load::executor, "how they come")
        .field("journey", name_type("a name", "name"), &Load::journey, "what each of them does",
               Presence::required)
        .field("start-time", duration_type(no_time, longest), &Load::start_time,
               "when the first may come")
        .field("read-your-writes", boolean_type(), &Load::read_your_writes,
               "buyers send back the position of what they wrote, so that their reads see it")
        .field("popularity", popularity_type(), &Load::popularity,
               "which SKUs they want, if other than everybody's");
    object.only({"constant-arrival-rate"})
        .field("rate", rate, &Load::rate, "arrivals per second", Presence::required);
    object.only({"constant-arrival-rate", "constant-vus"})
        .field("duration", duration_type(no_time, longest), &Load::duration,
               "until the end of the run without it");
    object.only({"ramping-arrival-rate"})
        .field("start-rate", rate, &Load::start_rate, "the rate before the first stage")
        .field("stages", list_of(stage_type(), 1, 100), &Load::stages,
               "one after the other; nobody comes after the last", Presence::required);
    object.only({"constant-arrival-rate", "ramping-arrival-rate"})
        .field("arrivals", enumeration_type<Arrivals>(), &Load::arrivals, "how they are spaced")
        .field("max-in-flight", integer_type(1, limits::in_flight_max), &Load::max_in_flight,
               "arrivals beyond it are shed and counted");
    object.only({"constant-vus"})
        .field("vus", integer_type(1, limits::users_max), &Load::vus, "how many users",
               Presence::required);
    return object.type();
}

Type<Journey> journey_type() {
    constexpr std::size_t steps_max = 64;
    const auto items = list_of(item_type(), 1, steps_max);
    return {items.shape,
            [read_items = items.read](Reader& reader, const Node& node, Journey& journey) {
                std::vector<JourneyItem> read;
                const bool good = read_items(reader, node, read);
                bool retries = false;
                for (std::size_t index = 0; index < read.size(); ++index) {
                    if (read[index].step) { journey.steps.push_back(*read[index].step); }
                    if (!read[index].retry) { continue; }
                    if (retries) {
                        reader.error(node.items[index].place, "a second retry in one journey",
                                     "the first holds for all of it");
                        return false;
                    }
                    retries = true;
                    journey.retry = *read[index].retry;
                }
                return good;
            }};
}

}  // namespace rushproof::simulator
