// run.json: one object; docs/run.md lists its members.
#include <boost/json.hpp>

#include "reports/report.hpp"

namespace rushproof::reports {

namespace json = boost::json;
using simulator::CheckRecord;
using simulator::FaultRecord;
using simulator::LatencySlice;
using simulator::LedgerLine;
using simulator::OperationMetrics;
using simulator::RunMetrics;
using simulator::SwitchRecord;
using simulator::ThresholdRecord;

namespace {

json::value from_histogram(const Histogram& histogram) {
    json::array buckets;
    for (const auto& bucket : histogram.buckets()) {
        buckets.push_back(json::array{bucket.value, bucket.count});
    }
    return json::object{{"count", histogram.count()},      {"min", histogram.min()},
                        {"max", histogram.max()},          {"sum", histogram.sum()},
                        {"p50", histogram.quantile(0.5)},  {"p90", histogram.quantile(0.9)},
                        {"p99", histogram.quantile(0.99)}, {"p99.9", histogram.quantile(0.999)},
                        {"buckets", std::move(buckets)}};
}

json::value from_operation(const OperationMetrics& operation) {
    json::array slices;
    for (const auto& slice : operation.slices) {
        slices.push_back(
            json::array{slice.second, slice.count, slice.errors, slice.p50, slice.p99});
    }
    return json::object{{"operation", operation.operation},
                        {"started", operation.started},
                        {"succeeded", operation.succeeded},
                        {"refused", operation.refused},
                        {"failed", operation.failed},
                        {"unknown", operation.unknown},
                        {"attempts", operation.attempts},
                        {"latency", from_histogram(operation.latency)},
                        {"service_time", from_histogram(operation.service_time)},
                        {"slices", std::move(slices)}};
}

json::value from_metrics(const RunMetrics& metrics) {
    json::array operations;
    for (const auto& operation : metrics.operations) {
        operations.push_back(from_operation(operation));
    }
    return json::object{{"operations", std::move(operations)},
                        {"send_lag", from_histogram(metrics.send_lag)},
                        {"arrivals", metrics.arrivals},
                        {"shed", metrics.shed},
                        {"duration", metrics.duration},
                        {"wall_time", metrics.wall_time},
                        {"scheduler_steps", metrics.scheduler_steps}};
}

json::value from_check(const CheckRecord& check) {
    return json::object{{"name", check.name},
                        {"verdict", check.verdict},
                        {"sentence", check.sentence},
                        {"expected", check.expected},
                        {"witness", json::value_from(check.witness)},
                        {"operations", check.operations},
                        {"line", check.line}};
}

json::value from_threshold(const ThresholdRecord& threshold) {
    return json::object{{"metric", threshold.metric},   {"expression", threshold.expression},
                        {"verdict", threshold.verdict}, {"measured", threshold.measured},
                        {"samples", threshold.samples}, {"line", threshold.line}};
}

json::value from_fault(const FaultRecord& fault) {
    return json::object{{"id", fault.id},
                        {"kind", fault.kind},
                        {"target", fault.target},
                        {"planned", fault.planned},
                        {"began", fault.began},
                        {"ended", fault.ended},
                        {"evidence", fault.evidence},
                        {"line", fault.line}};
}

json::value from_switch(const SwitchRecord& change) {
    return json::object{{"id", change.id},
                        {"from", change.from},
                        {"to", change.to},
                        {"outcome", change.outcome},
                        {"epoch", change.epoch},
                        {"began", change.began},
                        {"duration", change.duration},
                        {"carried_over", change.carried_over},
                        {"error", change.error}};
}

json::value from_ledger(const LedgerLine& line) {
    return json::object{{"sku", line.sku},         {"initial", line.initial},
                        {"on_hand", line.on_hand}, {"held", line.held},
                        {"sold", line.sold},       {"oversold", line.oversold}};
}

template <class Item, class Function>
json::array array_of(const std::vector<Item>& items, Function function) {
    json::array array;
    array.reserve(items.size());
    for (const Item& item : items) { array.push_back(function(item)); }
    return array;
}

// Reads members of one object and remembers the first that was missing or of the wrong type.
class Reader {
public:
    Reader(const json::value& value, std::string path, std::string& problem)
        : object_(value.if_object()), path_(std::move(path)), problem_(&problem) {
        if (object_ == nullptr) { complain(path_ + " must be an object"); }
    }

    std::string text(std::string_view name) const {
        const json::value* value = member(name);
        if (value == nullptr) { return {}; }
        if (const auto* string = value->if_string()) { return std::string(*string); }
        complain(path_ + "." + std::string(name) + " must be a string");
        return {};
    }
    template <class Number>
    Number number(std::string_view name) const {
        return number_of<Number>(member(name), path_ + "." + std::string(name));
    }
    bool has(std::string_view name) const {
        return object_ != nullptr && object_->if_contains(name) != nullptr;
    }
    bool flag(std::string_view name) const {
        const json::value* value = member(name);
        if (value != nullptr && !value->is_bool()) {
            complain(path_ + "." + std::string(name) + " must be true or false");
        }
        return value != nullptr && value->is_bool() && value->get_bool();
    }
    // Calls function(value, path) for each element.
    template <class Function>
    void each(std::string_view name, Function function) const {
        const json::value* value = member(name);
        if (value == nullptr) { return; }
        const std::string place = path_ + "." + std::string(name);
        const auto* array = value->if_array();
        if (array == nullptr) { return complain(place + " must be an array"); }
        for (std::size_t i = 0; i < array->size(); ++i) {
            function((*array)[i], place + "[" + std::to_string(i) + "]");
        }
    }
    Reader object(std::string_view name) const {
        const json::value nothing;
        const json::value* value = member(name);
        return {value == nullptr ? nothing : *value, path_ + "." + std::string(name), *problem_};
    }
    template <class Number>
    Number number_of(const json::value* value, const std::string& place) const {
        if (value == nullptr) { return {}; }
        boost::system::error_code error;
        const auto number = value->to_number<Number>(error);
        if (error) { complain(place + " must be a number"); }
        return error ? Number{} : number;
    }

private:
    void complain(std::string what) const {
        if (problem_->empty()) { *problem_ = std::move(what); }
    }
    const json::value* member(std::string_view name) const {
        const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(name);
        if (value == nullptr) { complain(path_ + "." + std::string(name) + " is missing"); }
        return value;
    }

    const json::object* object_;
    std::string path_;
    std::string* problem_;
};

// A row of plain numbers, as slices and buckets are.
std::vector<std::int64_t> numbers(const Reader& reader, const json::value& value,
                                  const std::string& place, std::size_t count) {
    std::vector<std::int64_t> result(count);
    const auto* array = value.if_array();
    for (std::size_t i = 0; array != nullptr && i < count && i < array->size(); ++i) {
        result[i] = reader.number_of<std::int64_t>(&(*array)[i], place);
    }
    return result;
}

Histogram to_histogram(const Reader& reader) {
    std::vector<Histogram::Bucket> buckets;
    reader.each("buckets", [&](const json::value& value, const std::string& place) {
        const auto row = numbers(reader, value, place, 2);
        buckets.push_back({row[0], static_cast<std::uint64_t>(row[1])});
    });
    return Histogram::restore(buckets, reader.number<std::int64_t>("min"),
                              reader.number<std::int64_t>("max"),
                              reader.number<std::uint64_t>("sum"));
}

OperationMetrics to_operation(const Reader& reader) {
    OperationMetrics operation;
    operation.operation = reader.text("operation");
    operation.started = reader.number<std::uint64_t>("started");
    operation.succeeded = reader.number<std::uint64_t>("succeeded");
    operation.refused = reader.number<std::uint64_t>("refused");
    operation.failed = reader.number<std::uint64_t>("failed");
    operation.unknown = reader.number<std::uint64_t>("unknown");
    operation.attempts = reader.number<std::uint64_t>("attempts");
    operation.latency = to_histogram(reader.object("latency"));
    operation.service_time = to_histogram(reader.object("service_time"));
    reader.each("slices", [&](const json::value& value, const std::string& place) {
        const auto row = numbers(reader, value, place, 5);
        operation.slices.push_back({.second = row[0],
                                    .count = static_cast<std::uint64_t>(row[1]),
                                    .errors = static_cast<std::uint64_t>(row[2]),
                                    .p50 = row[3],
                                    .p99 = row[4]});
    });
    return operation;
}

RunMetrics to_metrics(const Reader& reader, std::string& problem) {
    RunMetrics metrics;
    reader.each("operations", [&](const json::value& value, const std::string& place) {
        metrics.operations.push_back(to_operation(Reader(value, place, problem)));
    });
    metrics.send_lag = to_histogram(reader.object("send_lag"));
    metrics.arrivals = reader.number<std::uint64_t>("arrivals");
    metrics.shed = reader.number<std::uint64_t>("shed");
    metrics.duration = reader.number<std::int64_t>("duration");
    metrics.wall_time = reader.number<std::int64_t>("wall_time");
    metrics.scheduler_steps = reader.number<std::uint64_t>("scheduler_steps");
    return metrics;
}

CheckRecord to_check(const Reader& reader) {
    CheckRecord check;
    check.name = reader.text("name");
    check.verdict = reader.text("verdict");
    check.sentence = reader.text("sentence");
    check.expected = reader.flag("expected");
    reader.each("witness", [&](const json::value& value, const std::string&) {
        if (value.is_string()) { check.witness.emplace_back(value.get_string()); }
    });
    check.operations = reader.number<std::uint64_t>("operations");
    check.line = reader.number<int>("line");
    return check;
}

ThresholdRecord to_threshold(const Reader& reader) {
    return {.metric = reader.text("metric"),
            .expression = reader.text("expression"),
            .verdict = reader.text("verdict"),
            .measured = reader.number<double>("measured"),
            .samples = reader.number<std::uint64_t>("samples"),
            .line = reader.number<int>("line")};
}

FaultRecord to_fault(const Reader& reader) {
    return {.id = reader.text("id"),
            .kind = reader.text("kind"),
            .target = reader.text("target"),
            .planned = reader.number<std::int64_t>("planned"),
            .began = reader.number<std::int64_t>("began"),
            .ended = reader.number<std::int64_t>("ended"),
            .evidence = reader.text("evidence"),
            .line = reader.number<int>("line")};
}

SwitchRecord to_switch(const Reader& reader) {
    return {.id = reader.text("id"),
            .from = reader.text("from"),
            .to = reader.text("to"),
            .outcome = reader.text("outcome"),
            .epoch = reader.number<std::int64_t>("epoch"),
            .began = reader.number<std::int64_t>("began"),
            .duration = reader.number<std::int64_t>("duration"),
            .carried_over = reader.number<std::int64_t>("carried_over"),
            .error = reader.text("error")};
}

LedgerLine to_ledger(const Reader& reader) {
    return {.sku = reader.text("sku"),
            .initial = reader.number<std::int64_t>("initial"),
            .on_hand = reader.number<std::int64_t>("on_hand"),
            .held = reader.number<std::int64_t>("held"),
            .sold = reader.number<std::int64_t>("sold"),
            .oversold = reader.number<std::int64_t>("oversold")};
}

}  // namespace

std::string run_json(const RunRecord& run) {
    json::object cell;
    for (const auto& [key, value] : run.cell) { cell[key] = value; }
    const json::object object{
        {"rushproof-run", 1},
        {"scenario", run.scenario},
        {"title", run.title},
        {"description", run.description},
        {"seed", run.seed},
        {"world", run.world},
        {"cell", std::move(cell)},
        {"verdict", run.verdict},
        {"exit_code", run.exit_code},
        {"trace_hash", run.trace_hash},
        {"build", run.build},
        {"checks", array_of(run.checks, from_check)},
        {"thresholds", array_of(run.thresholds, from_threshold)},
        {"faults", array_of(run.faults, from_fault)},
        {"switches", array_of(run.switches, from_switch)},
        {"ledger", array_of(run.ledger, from_ledger)},
        {"metrics", from_metrics(run.metrics)},
        {"latency_verdict", run.latency_verdict},
        {"notes", json::value_from(run.notes)},
        {"overrides", json::value_from(run.overrides)},
        {"replay", run.replay},
        {"directory", run.directory},
    };
    return json::serialize(object);
}

Result<RunRecord> parse_run_json(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    const auto refuse = [](const std::string& what) {
        return failure(ErrorKind::permanent, "invalid-run",
                       what + "; a run.json is written by `rushproof run --out DIRECTORY`");
    };
    if (error) { return refuse("not JSON: " + error.message()); }
    std::string problem;
    const Reader reader(value, "run", problem);
    if (reader.number<int>("rushproof-run") != 1 && problem.empty()) {
        problem = "run.rushproof-run must be 1: this program reads no other version";
    }
    RunRecord run;
    run.scenario = reader.text("scenario");
    run.title = reader.text("title");
    run.description = reader.text("description");
    run.seed = reader.number<std::uint64_t>("seed");
    run.world = reader.text("world");
    if (const auto* object = value.if_object(); object != nullptr && object->contains("cell")) {
        if (const auto* cell = object->at("cell").if_object()) {
            for (const auto& [key, entry] : *cell) {
                if (entry.is_string()) { run.cell.emplace_back(key, entry.get_string()); }
            }
        }
    }
    run.verdict = reader.text("verdict");
    run.exit_code = reader.number<int>("exit_code");
    run.trace_hash = reader.text("trace_hash");
    run.build = reader.text("build");
    const auto read_each = [&](std::string_view name, auto& items, auto convert) {
        reader.each(name, [&](const json::value& item, const std::string& place) {
            items.push_back(convert(Reader(item, place, problem)));
        });
    };
    read_each("checks", run.checks, to_check);
    read_each("thresholds", run.thresholds, to_threshold);
    read_each("faults", run.faults, to_fault);
    // Runs of older programs have none.
    if (reader.has("switches")) { read_each("switches", run.switches, to_switch); }
    read_each("ledger", run.ledger, to_ledger);
    run.metrics = to_metrics(reader.object("metrics"), problem);
    run.latency_verdict = reader.text("latency_verdict");
    const auto read_texts = [&](std::string_view name, std::vector<std::string>& texts) {
        reader.each(name, [&](const json::value& item, const std::string&) {
            if (item.is_string()) { texts.emplace_back(item.get_string()); }
        });
    };
    read_texts("notes", run.notes);
    read_texts("overrides", run.overrides);
    run.replay = reader.text("replay");
    run.directory = reader.text("directory");
    if (!problem.empty()) { return refuse(problem); }
    return run;
}

}  // namespace rushproof::reports
