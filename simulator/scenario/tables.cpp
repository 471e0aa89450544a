#include "simulator/scenario/tables.hpp"

#include <algorithm>

#include "simulator/scenario/fault_tables.hpp"
#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/load_tables.hpp"
#include "simulator/scenario/system_tables.hpp"
#include "simulator/scenario/thresholds.hpp"

namespace rushproof::simulator {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto no_time = Duration::zero();
constexpr auto longest = limits::duration_max;

using Words = std::vector<std::pair<std::string, std::string>>;

Words check_words() {
    return {
        {"no-oversell", "never more units promised than there are"},
        {"conservation", "the ledger adds up: initial = available + held + sold, for every SKU"},
        {"all-or-nothing", "a basket is held, and ended, whole and at once, or not at all"},
        {"lifecycle", "a reservation is held, then confirmed, released or expired, once, in time"},
        {"linearizable", "what the clients saw fits one order of the operations on each SKU"},
        {"idempotent", "one effect for each idempotency key"},
        {"read-your-writes", "who was told of an effect finds it from then on"},
        {"accepted-is-processed", "every accepted message is processed once"},
        {"switch-loses-nothing", "a switch of the queue loses, doubles and reorders no message"},
        {"dual-write-divergence", "what one part of a composite queue lacks is known and repaired"},
        {"delivery", "messages have as many effects as the guarantee says"},
        {"per-key-order", "messages with the same key are processed in order"},
        {"progress", "once the last fault has ended, operations succeed again"},
        {"acknowledged-survives", "what was acknowledged is in the ledger at the end"},
    };
}

// --- strategy.matrix ---

Type<Node> value_type() {
    return scalar_type<Node>(
        {"a value", "value", {{"type", json::array{"string", "number", "boolean"}}}},
        [](const Node& node) -> Parsed<Node> {
            if (node.text.size() > limits::key_bytes_max) {
                return tl::unexpected(
                    Problem{"this value is too long",
                            "at most " + std::to_string(limits::key_bytes_max) + " bytes"});
            }
            return node;
        },
        {});
}

Type<std::string> plain_type() {
    return scalar_type<std::string>(
        {"a value", "value", {{"type", json::array{"string", "number", "boolean"}}}},
        [](const Node& node) -> Parsed<std::string> { return node.text; }, {});
}

Type<Strategy> matrix_type() {
    const auto axis = list_of(value_type(), 1, limits::cells_max);
    const auto exclude =
        list_of(map_of(plain_type(), "axis", limits::cells_max), 0, limits::cells_max);
    Shape shape{"a map",
                "map of axis to list of value; `exclude` is a list of cells to leave out",
                {{"type", "object"},
                 {"properties", {{"exclude", exclude.shape.schema}}},
                 {"additionalProperties", axis.shape.schema}}};
    return {shape, [read_axis = axis.read, read_exclude = exclude.read](
                       Reader& reader, const Node& node, Strategy& strategy) {
                if (node.kind != Node::Kind::map) {
                    reader.error(node.place, "expected a map, found " + describe(node));
                    return false;
                }
                bool good = true;
                for (const auto& entry : node.entries) {
                    const Reader::Scope scope(reader, entry.key);
                    if (entry.key == "exclude") {
                        good = read_exclude(reader, entry.value, strategy.exclude) && good;
                        continue;
                    }
                    good = check_name(reader, entry) && good;
                    auto& values = strategy.axes.emplace_back(entry.key, std::vector<Node>{});
                    good = read_axis(reader, entry.value, values.second) && good;
                }
                return good;
            }};
}

// --- seeds ---

struct SeedRange {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
};

using Seeds = std::vector<std::uint64_t>;

void append(Seeds& seeds, const SeedRange& range) {
    for (std::uint64_t seed = range.first; seed <= range.last; ++seed) { seeds.push_back(seed); }
}

Parsed<SeedRange> parse_seeds(const Node& node) {
    const std::string_view text = node.text;
    const auto dots = text.find("..");
    const auto first = parse_integer(text.substr(0, dots));
    const auto last = dots == text.npos ? first : parse_integer(text.substr(dots + 2));
    if (!first || !last || *first < 0 || *last < *first) {
        return tl::unexpected(
            Problem{"expected a seed or a range of seeds, found " + describe(node),
                    "write it like 7, 1..500 or [1, 2, 5..9]"});
    }
    if (*last - *first >= static_cast<std::int64_t>(limits::seeds_max)) {
        return tl::unexpected(
            Problem{"too many seeds", "at most " + std::to_string(limits::seeds_max)});
    }
    return SeedRange{static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last)};
}

Type<SeedRange> seed_range_type() {
    const json::object whole{{"type", "integer"}, {"minimum", 0}};
    const json::object range{{"type", "string"}, {"pattern", R"(^[0-9]+\.\.[0-9]+$|\$\{\{)"}};
    return scalar_type<SeedRange>(
        {"a seed or a range of seeds", "whole number or range such as `1..500`",
         any_of({whole, range})},
        &parse_seeds, {});
}

Type<Seeds> seeds_type() {
    constexpr std::size_t parts_max = 1000;
    const auto parts = one_or_list(seed_range_type(), parts_max);
    return {parts.shape,
            [read_parts = parts.read](Reader& reader, const Node& node, Seeds& seeds) {
                std::vector<SeedRange> ranges;
                if (!read_parts(reader, node, ranges)) { return false; }
                for (const auto& range : ranges) {
                    if (seeds.size() + (range.last - range.first) >= limits::seeds_max) {
                        reader.error(node.place, "too many seeds",
                                     "at most " + std::to_string(limits::seeds_max));
                        return false;
                    }
                    append(seeds, range);
                }
                return true;
            },
            [](const Seeds& seeds) { return std::to_string(seeds.front()); }};
}

// --- the judge ---

// The checks that have options; the others have none.
std::vector<std::pair<std::string, Type<CheckSpec>>> checks_with_options() {
    const Words guarantees{{"exactly-once", "one effect, never none, never two"},
                           {"at-least-once", "one effect or more"},
                           {"at-most-once", "one effect or none"}};
    auto lifecycle = Object<CheckSpec>("lifecycle", "Options of the check `lifecycle`.")
                         .field("grace", duration_type(no_time, longest), &CheckSpec::grace,
                                "how much later than its TTL a reservation may expire")
                         .type();
    auto divergence =
        Object<CheckSpec>("dual-write-divergence", "Options of the check `dual-write-divergence`.")
            .field("max", integer_type(0, limits::units_max), &CheckSpec::max,
                   "how many messages may be left on one part only")
            .field("settle", duration_type(no_time, longest), &CheckSpec::settle,
                   "how long after its message a divergence may still be open")
            .type();
    auto delivery =
        Object<CheckSpec>("delivery", "Options of the check `delivery`.")
            .field("guarantee", word_type(guarantees), &CheckSpec::guarantee, "what was promised")
            .field("max-duplicates", share_type(), &CheckSpec::max_duplicates,
                   "the share of the messages that may have a second effect, where the guarantee "
                   "allows it")
            .type();
    return {{"lifecycle", std::move(lifecycle)},
            {"dual-write-divergence", std::move(divergence)},
            {"delivery", std::move(delivery)}};
}

Type<CheckSpec> check_type() {
    Choice<CheckSpec> choice("check", "A promise that the run must keep.");
    const auto none = Object<CheckSpec>("check-options", "Most checks have no options.").type();
    const auto with_options = checks_with_options();
    for (const auto& [word, sentence] : check_words()) {
        const auto own =
            std::ranges::find(with_options, word, [](const auto& entry) { return entry.first; });
        choice.alternative<CheckSpec>(
            word, own == with_options.end() ? none : own->second,
            [name = word](CheckSpec& check, CheckSpec read) {
                const Location location = check.location;
                check = std::move(read);
                check.location = location;
                check.name = name;
            },
            sentence, Bare::yes);
    }
    auto type = choice.type();
    type.read = [read = type.read](Reader& reader, const Node& node, CheckSpec& check) {
        check.location = Reader::location(node.place);
        return read(reader, node, check);
    };
    return type;
}

Type<Threshold> threshold_type() {
    return Object<Threshold>("threshold", "A demand on a metric; see the metrics below.")
        .located(&Threshold::location)
        .field("expr", text_type(), &Threshold::expression,
               "such as `p(99) < 80ms`, `rate < 0.1%` or `count == 0`", Presence::required)
        .field("during", text_type(), &Threshold::during,
               "only then: `phase:x`, `fault:id`, `fault:*` or `load:x`; in quotes")
        .field("allow-empty", boolean_type(), &Threshold::allow_empty,
               "passes when there is nothing to measure; otherwise that fails")
        .shorthand<std::string>(
            text_type(),
            [](Threshold& threshold, std::string text) { threshold.expression = std::move(text); })
        .type();
}

using ReadThresholds = std::function<bool(Reader&, const Node&, std::vector<Threshold>&)>;

// Reads "reserve.latency: [p(99) < 80ms]" with what is known of the metric.
bool read_metric(Reader& reader, const NodeEntry& entry, const ReadThresholds& read_list,
                 std::vector<Threshold>& thresholds) {
    std::vector<std::string> names;
    for (const auto& known : known_metrics()) { names.push_back(known.name); }
    const auto metric = std::ranges::find(known_metrics(), entry.key, &MetricName::name);
    if (metric == known_metrics().end()) {
        reader.error(entry.key_place, "unknown metric \"" + entry.key + '"',
                     suggest(entry.key, names));
        return false;
    }
    const Reader::Scope scope(reader, entry.key);
    std::vector<Threshold> read;
    bool good = read_list(reader, entry.value, read);
    for (std::size_t index = 0; index < read.size(); ++index) {
        if (read[index].expression.empty()) { continue; }  // reported by the list
        const bool one = entry.value.kind != Node::Kind::list;
        const Node& node = one ? entry.value : entry.value.items[index];
        const Node* const expression = node.find("expr");
        auto parsed = parse_threshold(read[index].expression, metric->unit);
        if (!parsed) {
            reader.error(expression != nullptr ? expression->place : node.place, parsed.error());
            good = false;
            continue;
        }
        parsed->metric = entry.key;
        parsed->location = read[index].location;
        parsed->during = read[index].during;
        parsed->allow_empty = read[index].allow_empty;
        thresholds.push_back(*std::move(parsed));
    }
    return good;
}

Type<std::vector<Threshold>> thresholds_type() {
    constexpr std::size_t thresholds_max = 32;
    const auto list = one_or_list(threshold_type(), thresholds_max);
    json::array names;
    for (const auto& metric : known_metrics()) { names.emplace_back(metric.name); }
    Shape shape{"a map",
                "map of [metric](#metrics) to " + list.shape.word,
                {{"type", "object"},
                 {"propertyNames", {{"enum", std::move(names)}}},
                 {"additionalProperties", list.shape.schema}},
                list.shape.sections};
    return {shape, [read = list.read](Reader& reader, const Node& node,
                                      std::vector<Threshold>& thresholds) {
                if (node.kind != Node::Kind::map) {
                    reader.error(node.place, "expected a map, found " + describe(node),
                                 "its keys are metrics such as reserve.latency");
                    return false;
                }
                bool good = true;
                for (const auto& entry : node.entries) {
                    good = read_metric(reader, entry, read, thresholds) && good;
                }
                return good;
            }};
}

Type<Expectation> expectation_type() {
    return Object<Expectation>(
               "expect", "A negative control: in these cells these checks fail, and only they.")
        .located(&Expectation::location)
        .field("when", map_of(plain_type(), "axis", limits::cells_max), &Expectation::when,
               "the values of the matrix for which it holds; every cell without it")
        .field("fail", list_of(word_type(check_words()), 1, check_words().size()),
               &Expectation::fail, "the checks that must fail", Presence::required)
        .type();
}

// --- the rest of the file ---

Type<Scenario> report_type() {
    const Words formats{{"html", "one page that needs nothing else"},
                        {"json", "run.json"},
                        {"junit", "for CI servers"},
                        {"github", "annotations on the failing line"},
                        {"markdown", "a summary"}};
    return Object<Scenario>("report", "What is written beside the verdict on the terminal.")
        .field("formats", list_of(word_type(formats), 1, formats.size()), &Scenario::report_formats,
               "which files")
        .type();
}

Type<Scenario> schedule_type() {
    return Object<Scenario>("schedule", "How virtual time picks among what is ready.")
        .field("pick", enumeration_type<Schedule>(), &Scenario::schedule, "the way to pick",
               Presence::required)
        .field("depth", integer_type(1, 100), &Scenario::schedule_depth,
               "of pct: how often priorities change")
        .shorthand<Schedule>(enumeration_type<Schedule>(),
                             [](Scenario& scenario, Schedule pick) { scenario.schedule = pick; })
        .type();
}

Type<Duration> minutes_type() {
    const auto whole = integer_type(1, longest / std::chrono::minutes(1));
    return {whole.shape,
            [read = whole.read](Reader& reader, const Node& node, Duration& value) {
                std::int64_t minutes = 0;
                if (!read(reader, node, minutes)) { return false; }
                value = std::chrono::minutes(minutes);
                return true;
            },
            [](const Duration& value) { return std::to_string(value / std::chrono::minutes(1)); }};
}

// Adapts a member of Scenario to a field of Document.
template <class M>
auto in_scenario(M Scenario::* member) {
    return [member](Document& document) -> M& { return document.scenario.*member; };
}

void describe_head(Object<Document>& object) {
    const Words versions{{std::to_string(format_version), ""}};
    const auto version = word_type(versions);
    object
        .field(
            "rushproof", version, [](Document&, const std::string&) {},
            "the version of this format", Presence::required)
        .field("title", text_type(), in_scenario(&Scenario::title),
               "what the scenario shows, in one line", Presence::required)
        .field("description", text_type(), in_scenario(&Scenario::description),
               "the same in a few sentences")
        .field("tags", list_of(name_type("a name", "name"), 0, 32), in_scenario(&Scenario::tags),
               "for choosing among files")
        .field("mode", enumeration_type<Mode>(), in_scenario(&Scenario::mode),
               "the world in which it runs")
        .field("seed", integer_type(0, INT64_MAX),
               Property{[](Document& document, std::int64_t seed) {
                            document.scenario.seeds = {static_cast<std::uint64_t>(seed)};
                        },
                        [](const Document& document) {
                            return static_cast<std::int64_t>(document.scenario.seeds.front());
                        }},
               "everything random follows from it")
        .field("seeds", seeds_type(), in_scenario(&Scenario::seeds), "one run for each of them")
        .at_most_one({"seed", "seeds"})
        .field("duration", duration_type(milliseconds(1), longest),
               in_scenario(&Scenario::duration), "how long the load lasts")
        .field("timeout-minutes", minutes_type(), in_scenario(&Scenario::timeout),
               "a guard on wall time")
        .field("strategy", strategy_type(), &Document::strategy,
               "several runs from one file, as in GitHub Actions")
        .field(
            "schedule", schedule_type(),
            [](Document& document, const Scenario& read) {
                document.scenario.schedule = read.schedule;
                document.scenario.schedule_depth = read.schedule_depth;
            },
            "how virtual time picks among what is ready");
}

}  // namespace

const std::vector<std::string_view>& known_checks() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const auto& [word, sentence] : check_words()) { list.push_back(word); }
        return list;
    }();
    static const std::vector<std::string_view> views(names.begin(), names.end());
    return views;
}

Type<Strategy> strategy_type() {
    return Object<Strategy>("strategy", "One run for every combination of the matrix.")
        .field("fail-fast", boolean_type(), &Strategy::fail_fast,
               "the first failing run ends the others")
        .field(
            "matrix", matrix_type(),
            [](Strategy& strategy, Strategy read) {
                strategy.axes = std::move(read.axes);
                strategy.exclude = std::move(read.exclude);
            },
            "its values are filled in for `${{ matrix.axis }}` anywhere in the file",
            Presence::required)
        .type();
}

namespace {

Type<Document> make_document_type() {
    constexpr std::size_t named_max = 64;
    constexpr std::size_t timeline_max = 1000;
    Object<Document> object("scenario", "The file.");
    describe_head(object);
    object.field("system", system_type(), in_scenario(&Scenario::system), "what is tested")
        .field("stock", stock_type(), in_scenario(&Scenario::stock), "what is for sale",
               Presence::required)
        .field("popularity", popularity_type(), in_scenario(&Scenario::popularity),
               "which SKU a buyer wants")
        .field("load", named(load_type(), "name", named_max), in_scenario(&Scenario::loads),
               "who comes, and when; all loads run together", Presence::required)
        .field("journeys", named(journey_type(), "name", named_max),
               in_scenario(&Scenario::journeys), "what a buyer does, step by step",
               Presence::required)
        .field("timeline", list_of(timeline_entry_type(), 0, timeline_max),
               in_scenario(&Scenario::timeline), "phases, and faults at exact times")
        .field("swarm", swarm_type(), in_scenario(&Scenario::swarm), "faults drawn from the seed")
        .field("checks", list_of(check_type(), 1, check_words().size()),
               in_scenario(&Scenario::checks), "the promises that the history is judged by",
               Presence::required)
        .field("thresholds", thresholds_type(), in_scenario(&Scenario::thresholds),
               "demands on latencies, errors and rates")
        .field("expect", list_of(expectation_type(), 1, named_max), &Document::expect,
               "what must fail: a negative control")
        .field(
            "report", report_type(),
            [](Document& document, Scenario read) {
                document.scenario.report_formats = std::move(read.report_formats);
            },
            "what is written");
    return object.type();
}

}  // namespace

const Type<Document>& document_type() {
    static const Type<Document> type = make_document_type();
    return type;
}

}  // namespace rushproof::simulator
