#include "simulator/scenario/draw.hpp"

#include <algorithm>
#include <map>

#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/units.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::size_t label_width = 19;
constexpr std::size_t note_width = 24;
constexpr std::size_t heading_width = 10;
constexpr std::string_view levels = ".:-=+*#";

std::string padded(std::string text, std::size_t width) {
    if (text.size() > width) { text = text.substr(0, width - 1) + '~'; }
    text.resize(width, ' ');
    return text;
}

// Words of `text`, broken into lines that stand to the right of `heading`.
std::string paragraph(const std::string& heading, const std::string& text, std::size_t width) {
    const std::size_t indent = heading.size();
    std::string out = heading;
    std::size_t column = indent;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find_first_of(" \n", at), text.size());
        const auto word = text.substr(at, end - at);
        at = end + 1;
        if (word.empty()) { continue; }
        if (column > indent && column + 1 + word.size() > width) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        }
        out += (column > indent ? " " : "") + word;
        column += word.size() + (column > indent ? 1 : 0);
    }
    return out + '\n';
}

std::string heading(const std::string& word) { return padded(word, heading_width); }

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string out;
    for (const auto& word : words) { out += (out.empty() ? "" : std::string(separator)) + word; }
    return out;
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
    const bool range = seeds.size() > 2 && seeds.back() - seeds.front() == seeds.size() - 1;
    if (range) { return std::to_string(seeds.front()) + ".." + std::to_string(seeds.back()); }
    std::string out;
    constexpr std::size_t shown = 8;
    for (std::size_t index = 0; index < std::min(seeds.size(), shown); ++index) {
        out += (out.empty() ? "" : ", ") + std::to_string(seeds[index]);
    }
    return out + (seeds.size() > shown ? ", ..." : "");
}

std::string counted(std::size_t count, const std::string& word) {
    return std::to_string(count) + ' ' + word + (count == 1 ? "" : "s");
}

std::string runs_text(const ParsedFile& parsed) {
    const Scenario& first = parsed.scenarios.front();
    const std::size_t worlds = first.mode == Mode::both ? 2 : 1;
    const std::size_t runs = parsed.scenarios.size() * first.seeds.size() * worlds;
    std::string text = std::to_string(runs) + ": " + counted(parsed.scenarios.size(), "cell") +
                       " x " + counted(first.seeds.size(), "seed") + " (" +
                       seeds_text(first.seeds) + ')';
    if (worlds == 2) { text += " x 2 worlds"; }
    text += ", " + format_duration(first.duration);
    text += first.mode == Mode::sim    ? " of virtual time each"
            : first.mode == Mode::live ? " of wall time each"
                                       : " each, in virtual time and live";
    return text;
}

std::string matrix_lines(const ParsedFile& parsed) {
    constexpr std::size_t shown_max = 20;
    std::string out;
    for (std::size_t index = 0; index < parsed.scenarios.size(); ++index) {
        const Scenario& scenario = parsed.scenarios[index];
        const bool single = parsed.scenarios.size() == 1 && scenario.cell.empty();
        if (index == shown_max) {
            const auto more = parsed.scenarios.size() - shown_max;
            return out + std::string(heading_width, ' ') + "and " + std::to_string(more) +
                   " more\n";
        }
        std::vector<std::string> values;
        for (const auto& [axis, value] : scenario.cell) { values.push_back(axis + "=" + value); }
        std::string line = joined(values, "  ");
        if (!scenario.expected_failures.empty()) {
            line += (line.empty() ? "" : "   ") + std::string("must fail: ") +
                    joined(scenario.expected_failures, ", ");
        }
        if (single && line.empty()) { return {}; }
        out +=
            padded(index == 0 ? (single ? "control" : "matrix") : "", heading_width) + line + '\n';
    }
    return out;
}

std::string system_text(const Scenario& scenario) {
    const SystemSpec& system = scenario.system;
    std::string text = std::to_string(system.gateways) + " x gateway, " +
                       std::to_string(system.inventories) + " x inventory on " + system.database;
    if (system.replicas > 0) {
        text += " with " + counted(static_cast<std::size_t>(system.replicas), "replica");
    }
    if (system.shards > 1) { text += " in " + std::to_string(system.shards) + " shards"; }
    if (scenario.cell.empty()) { text += ", " + system.reservation; }
    if (!system.queue.empty()) {
        text += ", messages on " + system.queue + " from " +
                counted(static_cast<std::size_t>(system.ingests), "ingest") + " to " +
                counted(static_cast<std::size_t>(system.processors), "processor");
    }
    if (system.events != SystemSpec().events) { text += ", events on " + system.events; }
    text += ", reservations held " + format_duration(system.reservation_ttl);
    if (system.clock_skew_max > Duration::zero()) {
        text += ", clocks off by up to " + format_duration(system.clock_skew_max);
    }
    return text;
}

std::string popularity_text(const Popularity& popularity) {
    switch (popularity.kind) {
        case PopularityKind::uniform: return "all alike";
        case PopularityKind::zipf: return "zipf " + format_number(popularity.s);
        case PopularityKind::fixed: return "only " + popularity.sku;
    }
    return {};
}

std::string stock_text(const Scenario& scenario) {
    const Stock& stock = scenario.stock;
    std::vector<std::string> parts;
    if (stock.skus > 0) {
        std::string units = "units by choice";
        if (stock.units.values.empty()) {
            units = std::to_string(stock.units.min);
            if (stock.units.max != stock.units.min) {
                units += " to " + std::to_string(stock.units.max);
            }
            units += stock.units.max == 1 ? " unit" : " units";
        }
        parts.push_back(counted(static_cast<std::size_t>(stock.skus), "SKU") + " of " + units);
    }
    constexpr std::size_t shown = 5;
    for (std::size_t index = 0; index < std::min(stock.set.size(), shown); ++index) {
        parts.push_back(stock.set[index].first + " of " + std::to_string(stock.set[index].second));
    }
    if (stock.set.size() > shown) { parts.emplace_back("..."); }
    return joined(parts, ", ") + "; wanted: " + popularity_text(scenario.popularity);
}

std::string limits_text(const Scenario& scenario) {
    std::vector<std::string> parts;
    for (const auto& threshold : scenario.thresholds) {
        parts.push_back(threshold.metric + ' ' + threshold.expression +
                        (threshold.during.empty() ? "" : " during " + threshold.during));
    }
    return joined(parts, "; ");
}

// --- lanes ---

// Arrivals per 1000 s, or users, at a moment.
std::int64_t level_at(const Load& load, Duration run, Duration at) {
    const Duration end = load.duration ? std::min(run, load.start_time + *load.duration) : run;
    if (at < load.start_time || at >= end) { return 0; }
    if (load.executor == Executor::constant_vus) { return load.vus; }
    if (load.executor == Executor::constant_arrival_rate) { return load.rate.per_1000_seconds; }
    Duration begin = load.start_time;
    std::int64_t rate = load.start_rate.per_1000_seconds;
    for (const auto& stage : load.stages) {
        if (at < begin + stage.duration) {
            const double share = static_cast<double>((at - begin).count()) /
                                 static_cast<double>(stage.duration.count());
            return rate +
                   static_cast<std::int64_t>(share * static_cast<double>(stage.target - rate));
        }
        begin += stage.duration;
        rate = stage.target;
    }
    return 0;
}

std::int64_t peak_of(const Load& load) {
    if (load.executor == Executor::constant_vus) { return load.vus; }
    std::int64_t peak = std::max(load.rate.per_1000_seconds, load.start_rate.per_1000_seconds);
    for (const auto& stage : load.stages) { peak = std::max(peak, stage.target); }
    return peak;
}

char sign_of(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::kill:
        case FaultKind::stop:
        case FaultKind::restart:
        case FaultKind::terminate_backends:
        case FaultKind::promote: return 'X';
        case FaultKind::pause:
        case FaultKind::pause_replay: return '=';
        case FaultKind::switch_queue: return '>';
        case FaultKind::broker: return restarts(fault) ? 'X' : '~';
        default: return '~';
    }
}

std::string place_of(const PlannedFault& planned) {
    const auto& between = planned.fault.between;
    return between ? between->first + " - " + between->second : planned.fault.target;
}

// To the millisecond where that is exact enough for people: "3.213s", "138ms".
std::string rounded(Duration duration) {
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    if (std::chrono::abs(duration) < milliseconds(10)) { return format_duration(duration); }
    const auto whole = std::chrono::round<milliseconds>(duration);
    if (std::chrono::abs(whole) < seconds(1) || whole % seconds(1) == milliseconds(0)) {
        return format_duration(whole);
    }
    const std::string fraction = std::to_string(std::abs(whole.count()) % 1000 + 1000).substr(1);
    return (whole.count() < 0 ? "-" : "") + std::to_string(std::abs(whole.count()) / 1000) + '.' +
           fraction + 's';
}

std::string signed_text(std::string text) { return text.starts_with('-') ? text : '+' + text; }

// "kill inventory/0, started again after 500ms"
std::string sentence_of(const PlannedFault& planned) {
    const Fault& fault = planned.fault;
    std::string text = std::string(to_string(fault.kind)) + ' ' + place_of(planned);
    const std::string length = " for " + rounded(planned.duration);
    switch (fault.kind) {
        case FaultKind::kill:
        case FaultKind::stop: return text + ", started again after " + rounded(fault.restart_after);
        case FaultKind::restart:
        case FaultKind::terminate_backends: return text;
        case FaultKind::promote:
            return text + (fault.split_brain ? " beside the old primary" : "") +
                   ", which follows it after " + rounded(fault.restart_after);
        case FaultKind::pause:
        case FaultKind::pause_replay:
        case FaultKind::disk_full: return text + length;
        case FaultKind::lock_timeout: return text + length + ", " + rounded(fault.timeout);
        case FaultKind::latency:
        case FaultKind::disk_slow:
            return text + length + ", " + rounded(fault.delay) +
                   (fault.jitter > Duration::zero() ? " to " + rounded(fault.delay + fault.jitter)
                                                    : "");
        case FaultKind::partition:
            return text + length + ", direction " + std::string(to_string(fault.direction));
        case FaultKind::clock_skew:
            return text + length + ", " + signed_text(rounded(fault.offset));
        case FaultKind::clock_drift:
            return text + length + ", " + signed_text(std::to_string(fault.drift_ppm)) + "ppm";
        case FaultKind::commit_unknown:
            return text + length + ", " + format_share(fault.rate / 1000 * 1000) +
                   " of the commits";
        case FaultKind::broker: {
            const std::string effect = ": " + std::string(to_string(fault.effect));
            if (takes_no_time(fault)) { return text + effect; }
            if (restarts(fault)) {
                return text + effect + ", started again after " + rounded(fault.restart_after);
            }
            const bool drops = fault.effect == BrokerEffect::drop_ack;
            return text + effect + length +
                   (drops ? ", " + format_share(fault.rate / 1000 * 1000) + " of the messages"
                          : "");
        }
        case FaultKind::switch_queue:
            return std::string(to_string(fault.kind)) + " to " + fault.target + ", within " +
                   rounded(fault.deadline);
    }
    return text;
}

class Lanes {
public:
    Lanes(const Scenario& scenario, std::size_t width)
        : duration_(scenario.duration), columns_(width - label_width - note_width - 2) {}

    std::string axis() const {
        std::string numbers(columns_, ' ');
        std::string line(columns_, '-');
        for (Duration at{}; at < duration_; at += tick()) {
            const auto column = column_of(at);
            const std::string text = format_duration(at);
            line[column] = '|';
            if (column + text.size() < columns_) { numbers.replace(column, text.size(), text); }
        }
        return lane("", numbers, format_duration(duration_)) + lane("", line, "");
    }

    std::string load(const Load& load) const {
        const std::int64_t peak = peak_of(load);
        std::string cells(columns_, ' ');
        for (std::size_t column = 0; column < columns_; ++column) {
            const auto level = level_at(load, duration_, time_of(column) + time_of(1) / 2);
            if (level <= 0 || peak <= 0) { continue; }
            const auto step =
                static_cast<std::size_t>(static_cast<double>(level) / static_cast<double>(peak) *
                                         static_cast<double>(levels.size()));
            cells[column] = levels[std::min(step, levels.size() - 1)];
        }
        const bool users = load.executor == Executor::constant_vus;
        const std::string height =
            users ? counted(static_cast<std::size_t>(peak), "user") : format_rate(Rate{peak});
        const bool ramps = load.executor == Executor::ramping_arrival_rate;
        return lane(load.name, cells, (ramps ? "up to " : "") + height + ", " + load.journey);
    }

    std::string phases(const std::vector<TimelineEntry>& timeline) const {
        std::string cells(columns_, ' ');
        for (const auto& entry : timeline) {
            if (entry.phase.empty()) { continue; }
            const auto column = column_of(entry.at);
            const std::string text = '|' + entry.phase;
            cells.replace(column, columns_ - column, padded(text, columns_ - column));
        }
        return lane("phases", cells, "");
    }

    std::string faults(const std::string& label, const std::vector<PlannedFault>& faults,
                       const std::string& note) const {
        std::string cells(columns_, ' ');
        for (const auto& planned : faults) {
            if (planned.at_point) {
                return lane(label, padded("at " + planned.at_point->name, columns_), note);
            }
            const auto first = column_of(planned.at);
            const auto last = std::min(column_of(planned.at + planned.duration), columns_ - 1);
            cells.replace(first, last - first + 1, last - first + 1, sign_of(planned.fault));
        }
        return lane(label, cells, note);
    }

    std::string swarm(const Swarm& swarm, const std::string& note) const {
        const auto first = column_of(swarm.start);
        const auto last = column_of(std::max(swarm.start, duration_ - swarm.quiet_tail));
        std::string cells(columns_, ' ');
        cells.replace(first, last - first, last - first, '_');
        return lane("swarm", cells, note);
    }

private:
    Duration time_of(std::size_t column) const {
        return duration_ * static_cast<std::int64_t>(column) / static_cast<std::int64_t>(columns_);
    }
    std::size_t column_of(Duration at) const {
        const auto share = static_cast<double>(at.count()) / static_cast<double>(duration_.count());
        const auto column = static_cast<std::size_t>(share * static_cast<double>(columns_));
        return std::min(column, columns_ - 1);
    }
    // The smallest round step with at most seven ticks.
    Duration tick() const {
        for (Duration unit = std::chrono::milliseconds(1);; unit *= 10) {
            for (const int factor : {1, 2, 5}) {
                if (unit * factor * 7 >= duration_) { return unit * factor; }
            }
        }
    }
    std::string lane(const std::string& label, const std::string& cells,
                     const std::string& note) const {
        std::string out = padded(label, label_width) + ' ' + cells + ' ' + padded(note, note_width);
        while (out.ends_with(' ')) { out.pop_back(); }
        return out + '\n';
    }

    Duration duration_;
    std::size_t columns_;
};

std::string draw_lanes(const Scenario& scenario, const std::vector<PlannedFault>& plan,
                       std::uint64_t seed, std::size_t width) {
    const Lanes lanes(scenario, width);
    std::string out = lanes.axis();
    for (const auto& load : scenario.loads) { out += lanes.load(load); }
    const auto is_phase = [](const TimelineEntry& entry) { return !entry.phase.empty(); };
    if (std::ranges::any_of(scenario.timeline, is_phase)) {
        out += lanes.phases(scenario.timeline);
    }
    std::map<FaultKind, std::vector<PlannedFault>> swarm;
    for (const auto& planned : plan) {
        if (planned.id.starts_with(swarm_id_prefix)) {
            swarm[planned.fault.kind].push_back(planned);
        } else {
            out += lanes.faults(planned.id, {planned}, place_of(planned));
        }
    }
    if (scenario.swarm) {
        out += lanes.swarm(*scenario.swarm, "of seed " + std::to_string(seed));
        for (const auto& [kind, faults] : swarm) {
            out += lanes.faults(' ' + std::string(to_string(kind)), faults,
                                counted(faults.size(), "fault"));
        }
    }
    std::string legend = "load " + std::string(levels) + " low to the lane's own peak";
    if (!plan.empty()) { legend += "; X gone, = paused, ~ disturbed"; }
    const auto switches = [](const PlannedFault& planned) {
        return planned.fault.kind == FaultKind::switch_queue;
    };
    if (std::ranges::any_of(plan, switches)) { legend += ", > switched"; }
    if (scenario.swarm) { legend += ", _ swarm may strike"; }
    return out + '\n' + paragraph(heading("legend"), legend, width);
}

std::string fault_list(const std::vector<PlannedFault>& plan, std::size_t width) {
    constexpr std::size_t time_width = 9;
    constexpr std::size_t shown_max = 40;
    std::string out;
    for (std::size_t index = 0; index < plan.size(); ++index) {
        if (index == shown_max) {
            return out + std::string(heading_width, ' ') + "and " +
                   std::to_string(plan.size() - shown_max) + " more\n";
        }
        const auto& planned = plan[index];
        const std::string when = planned.at_point ? "at point" : rounded(planned.at);
        out += paragraph(heading(index == 0 ? "faults" : "") + padded(when, time_width),
                         sentence_of(planned) + " (" + planned.id + ')', width);
    }
    return out;
}

}  // namespace

std::string draw_scenario(const ParsedFile& parsed, DrawOptions options) {
    constexpr std::size_t width_min = 72;
    const Scenario& scenario = parsed.scenarios.front();
    const auto width = std::max(static_cast<std::size_t>(std::max(options.width, 0)), width_min);
    const std::uint64_t seed = options.seed != 0 ? options.seed : scenario.seeds.front();
    const auto plan = plan_faults(scenario, seed);
    std::vector<std::string> checks;
    for (const auto& check : scenario.checks) { checks.push_back(check.name); }

    std::string out = scenario.title + '\n' + scenario.file + "\n\n";
    out += paragraph(heading("runs"), runs_text(parsed), width);
    out += matrix_lines(parsed);
    out += paragraph(heading("system"), system_text(scenario), width);
    out += paragraph(heading("stock"), stock_text(scenario), width);
    out += paragraph(heading("checks"), joined(checks, ", "), width);
    if (!scenario.thresholds.empty()) {
        out += paragraph(heading("limits"), limits_text(scenario), width);
    }
    out += '\n' + draw_lanes(scenario, plan, seed, width);
    if (!plan.empty()) { out += '\n' + fault_list(plan, width); }
    return out;
}

}  // namespace rushproof::simulator
