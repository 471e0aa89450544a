// report.html: one file that needs no network, no script and no other file.
#include <algorithm>

#include "reports/chart.hpp"
#include "reports/report.hpp"
#include "reports/summary.hpp"
#include "reports/text.hpp"

namespace rushproof::reports {

namespace {

constexpr std::string_view style = R"css(
:root{--bg:#fff;--fg:#1a1a1a;--dim:#666;--rule:#ddd;--soft:#f5f5f5;--good:#00735c;--bad:#b23a00;
--a:#0072B2;--b:#D55E00;--c:#009E73;--d:#CC79A7}
@media (prefers-color-scheme:dark){:root{--bg:#141414;--fg:#eaeaea;--dim:#a0a0a0;--rule:#3a3a3a;--soft:#1f1f1f;
--good:#3fc9a4;--bad:#ff8a4d;--a:#56B4E9;--b:#E69F00;--c:#33c491;--d:#e09ac4}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2rem auto;padding:0 1rem;
font-variant-numeric:tabular-nums}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2.2rem 0 .5rem;border-bottom:1px solid var(--rule)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
.verdict{padding:.8rem 1rem;border-left:6px solid var(--good);background:var(--soft);font-size:1.05rem}
.verdict.bad{border-color:var(--bad)}.good{color:var(--good)}.bad{color:var(--bad)}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{padding:.25rem .6rem;border-bottom:1px solid var(--rule);
text-align:right;vertical-align:top;white-space:nowrap}td:first-child,td div,td.text{white-space:normal}th{font-weight:600}th:first-child,td:first-child,td.text,th.text{text-align:left}
pre,code{font:13px/1.45 ui-monospace,monospace;background:var(--soft)}pre{padding:.6rem .8rem;overflow-x:auto}
svg{width:100%;height:auto;margin:.4rem 0}.grid{stroke:var(--rule)}.tick,.name,.band{font-size:12px;fill:var(--dim)}
.end{text-anchor:end}.middle{text-anchor:middle}.series{fill:none;stroke-width:1.8}
.series.a{stroke:var(--a)}.series.b{stroke:var(--b);stroke-dasharray:7 3}.series.c{stroke:var(--c);stroke-dasharray:2 2}
.series.d{stroke:var(--d);stroke-dasharray:9 3 2 3}.name.a{fill:var(--a)}.name.b{fill:var(--b)}.name.c{fill:var(--c)}
.name.d{fill:var(--d)}.fault{fill:url(#hatch);stroke:var(--dim);stroke-opacity:.35}
details{margin:.6rem 0}summary{cursor:pointer}
@media print{h2{break-before:auto}details{display:block}}
)css";

// Only one is needed for all charts of the page.
constexpr std::string_view hatch =
    "<svg width='0' height='0' style='position:absolute' aria-hidden='true'><defs><pattern "
    "id='hatch' "
    "width='6' height='6' patternUnits='userSpaceOnUse' patternTransform='rotate(45)'><line x1='0' "
    "y1='0' x2='0' "
    "y2='6' stroke='currentColor' stroke-opacity='.3' stroke-width='2'/></pattern></defs></svg>";

std::string element(const std::string& tag, const std::string& content,
                    const std::string& css = {}) {
    return "<" + tag + (css.empty() ? "" : " class='" + css + "'") + ">" + content + "</" + tag +
           ">";
}

class Table {
public:
    explicit Table(const std::vector<std::string>& heads) {
        std::string row;
        for (const auto& head : heads) { row += element("th", escape_markup(head)); }
        html_ = "<table>" + element("tr", row);
    }
    // Cells are HTML.
    void add(const std::vector<std::string>& cells) {
        std::string row;
        for (const auto& cell : cells) { row += element("td", cell); }
        html_ += element("tr", row);
    }
    std::string html() const { return html_ + "</table>"; }

private:
    std::string html_;
};

std::string verdict_word(const std::string& verdict, bool expected = false) {
    if (verdict == "pass") {
        return element("span", expected ? "&#10007; blind" : "&#10003; pass",
                       expected ? "bad" : "good");
    }
    if (expected) { return element("span", "&#10003; caught", "good"); }
    if (verdict == "not-judged") { return element("span", "&#8211; not judged", "dim"); }
    return element("span", "&#10007; " + escape_markup(verdict), "bad");
}

std::string cells_section(const std::vector<RunRecord>& runs) {
    Table table({"What ran", "runs", "passed", "operations", "unknown outcomes", p50_title(runs),
                 "p99", "max"});
    for (const Cell& cell : group_by_cell(runs)) {
        table.add({escape_markup(cell.name) +
                       (cell.negative_control ? " <span class='dim'>negative control</span>" : ""),
                   count_text(cell.runs.size()),
                   element("span", count_text(cell.passed), cell.failed == 0 ? "good" : "bad"),
                   count_text(cell.operations), count_text(cell.unknown_outcomes),
                   duration_text(cell.latency.quantile(0.5)),
                   duration_text(cell.latency.quantile(0.99)), duration_text(cell.latency.max())});
    }
    return table.html();
}

std::string faults_section(const std::vector<RunRecord>& runs) {
    const auto counts = count_faults(runs);
    if (counts.empty()) { return {}; }
    Table table({"Fault", "planned", "bit (with evidence)"});
    for (const auto& [kind, count] : counts) {
        table.add({escape_markup(kind), count_text(count.planned), count_text(count.bit)});
    }
    return "<h2>Faults</h2>" + table.html();
}

std::string finding_html(const Finding& finding) {
    std::string html =
        "<h3 class='bad'>" + escape_markup(finding.title) + " <span class='dim'>" +
        escape_markup(cell_name(*finding.run)) + ", seed " + std::to_string(finding.run->seed) +
        (finding.line > 0
             ? ", " + escape_markup(finding.run->scenario) + ":" + std::to_string(finding.line)
             : "") +
        "</span></h3>" + element("p", escape_markup(finding.sentence));
    if (!finding.witness.empty()) {
        std::string lines;
        for (const auto& line : finding.witness) { lines += escape_markup(line) + "\n"; }
        html += element("pre", lines);
    }
    return html + element("p", "Replay: " + element("code", escape_markup(finding.run->replay)));
}

std::string checks_table(const RunRecord& run) {
    Table table({"Check", "verdict", "operations", "finding"});
    for (const auto& check : run.checks) {
        std::string finding = escape_markup(check.sentence);
        if (!check.witness.empty()) {
            std::string lines;
            for (const auto& line : check.witness) { lines += escape_markup(line) + "\n"; }
            finding += element(
                "details", element("summary", "witness, " + std::to_string(check.witness.size()) +
                                                  " operations") +
                               element("pre", lines));
        }
        table.add({escape_markup(check.name), verdict_word(check.verdict, check.expected),
                   count_text(check.operations),
                   "<div style='text-align:left'>" + finding + "</div>"});
    }
    return "<h3>Checks</h3>" + table.html();
}

std::string latency_table(const RunRecord& run) {
    Table table({"Operation", "started", "ok", "refused", "failed", "unknown", "attempts", "p50",
                 "p90", "p99", "p99.9", "max"});
    for (const auto& o : run.metrics.operations) {
        const Histogram& h = o.latency;
        table.add({escape_markup(o.operation), count_text(o.started), count_text(o.succeeded),
                   count_text(o.refused), count_text(o.failed), count_text(o.unknown),
                   count_text(o.attempts), duration_text(h.quantile(0.5)),
                   duration_text(h.quantile(0.9)), duration_text(h.quantile(0.99)),
                   duration_text(h.quantile(0.999)), duration_text(h.max())});
    }
    return "<p class='dim'>Latency counts from the intended start of each operation, over all its "
           "attempts.</p>" +
           table.html();
}

std::string thresholds_table(const RunRecord& run) {
    if (run.thresholds.empty()) { return {}; }
    Table table({"Threshold", "verdict", "measured", "samples"});
    for (const auto& t : run.thresholds) {
        table.add({escape_markup(t.metric + ": " + t.expression), verdict_word(t.verdict),
                   t.samples == 0 ? "no samples" : measured_text(t), count_text(t.samples)});
    }
    return "<h3>Thresholds</h3>" + table.html();
}

std::string run_faults_table(const RunRecord& run) {
    if (run.faults.empty()) { return {}; }
    Table table({"Fault", "target", "planned", "began", "ended", "evidence"});
    for (const auto& f : run.faults) {
        table.add(
            {escape_markup(f.id), escape_markup(f.target), duration_text(f.planned),
             f.began < 0 ? "never" : duration_text(f.began),
             f.ended < 0 ? "-" : duration_text(f.ended),
             f.evidence.empty() ? element("span", "none", "dim") : escape_markup(f.evidence)});
    }
    return "<h3>Faults of this run</h3>" + table.html();
}

std::string switches_table(const RunRecord& run) {
    if (run.switches.empty()) { return {}; }
    Table table({"Switch", "from", "to", "began", "took", "carried over", "outcome"});
    for (const auto& change : run.switches) {
        const bool done = change.outcome == "done";
        table.add({escape_markup(change.id), escape_markup(change.from), escape_markup(change.to),
                   duration_text(change.began), duration_text(change.duration),
                   std::to_string(change.carried_over),
                   element("span",
                           change.outcome + (change.error.empty() ? "" : ": ") +
                               escape_markup(change.error),
                           done ? "good" : "bad")});
    }
    return "<h3>Switches of the queue</h3>" + table.html();
}

std::string ledger_table(const RunRecord& run) {
    if (run.ledger.empty()) { return {}; }
    constexpr std::size_t shown_max = 20;
    Table table({"SKU", "initial", "on hand", "held", "sold", "oversold"});
    for (std::size_t i = 0; i < run.ledger.size() && i < shown_max; ++i) {
        const auto& l = run.ledger[i];
        table.add({escape_markup(l.sku), std::to_string(l.initial), std::to_string(l.on_hand),
                   std::to_string(l.held), std::to_string(l.sold),
                   l.oversold > 0 ? element("span", std::to_string(l.oversold), "bad") : "0"});
    }
    const std::string more =
        run.ledger.size() > shown_max
            ? element("p", std::to_string(run.ledger.size() - shown_max) + " more SKUs in run.json",
                      "dim")
            : "";
    return "<h3>Stock ledger</h3>" + table.html() + more;
}

std::string run_section(const RunRecord& run) {
    std::string html = "<h2>" + escape_markup(cell_name(run)) + " <span class='dim'>seed " +
                       std::to_string(run.seed) + ", " +
                       (run.world == "sim" ? "virtual time" : "live") + "</span> " +
                       verdict_word(run.verdict) + "</h2>";
    if (!run.trace_hash.empty()) {
        html += element("p", "Trace hash " + element("code", run.trace_hash), "dim");
    }
    if (!run.latency_verdict.empty() && run.latency_verdict != "judged") {
        html += element("p", "Latency: " + escape_markup(run.latency_verdict));
    }
    html += latency_over_time(run) + latency_table(run) + percentile_spectrum(run) +
            thresholds_table(run) + checks_table(run) + run_faults_table(run) +
            switches_table(run) + ledger_table(run);
    for (const auto& note : run.notes) { html += element("p", escape_markup(note), "dim"); }
    return html + element("p", "Replay: " + element("code", escape_markup(run.replay)));
}

constexpr std::size_t failing_runs_shown_max = 5;
constexpr std::size_t findings_shown_max = 20;

// The first run of each cell, and the first failing ones.
std::vector<const RunRecord*> shown_runs(const std::vector<RunRecord>& runs) {
    std::vector<const RunRecord*> shown;
    for (const Cell& cell : group_by_cell(runs)) { shown.push_back(cell.runs.front()); }
    std::size_t failing = 0;
    for (const RunRecord& run : runs) {
        if (passed(run) || failing == failing_runs_shown_max) { continue; }
        ++failing;
        if (std::find(shown.begin(), shown.end(), &run) == shown.end()) { shown.push_back(&run); }
    }
    return shown;
}

std::string limits_section(const std::vector<RunRecord>& runs,
                           std::span<const std::string_view> limits) {
    const auto is_virtual = [](const RunRecord& run) { return run.world == "sim"; };
    if (limits.empty() || std::none_of(runs.begin(), runs.end(), is_virtual)) { return {}; }
    std::string list;
    for (const std::string_view limit : limits) { list += element("li", escape_markup(limit)); }
    return "<h2>Where the simulated database differs from the real one</h2>" + element("ul", list);
}

}  // namespace

std::string html_report(const std::vector<RunRecord>& runs,
                        std::span<const std::string_view> model_limits) {
    const std::string title = runs.empty() ? "Rushproof" : runs.front().title;
    std::string html =
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
        "content='width=device-width'><title>" +
        escape_markup(title) + "</title><style>" + std::string(style) + "</style></head><body>" +
        std::string(hatch);
    html += "<p class='dim'>Rushproof report</p>" + element("h1", escape_markup(title));
    html += element("p", escape_markup(headline(runs)),
                    worst_verdict(runs) == "pass" ? "verdict" : "verdict bad");
    if (!runs.empty()) {
        html += element("p", escape_markup(runs.front().description)) +
                element("p",
                        escape_markup(runs.front().scenario) + " &middot; " +
                            escape_markup(runs.front().build),
                        "dim");
    }
    html += cells_section(runs);
    const auto found = findings(runs);
    if (!found.empty()) { html += "<h2>What went wrong</h2>"; }
    for (std::size_t i = 0; i < found.size() && i < findings_shown_max; ++i) {
        html += finding_html(found[i]);
    }
    if (found.size() > findings_shown_max) {
        html += element(
            "p", std::to_string(found.size() - findings_shown_max) + " more in the run records",
            "dim");
    }
    html += faults_section(runs);
    for (const RunRecord* run : shown_runs(runs)) { html += run_section(*run); }
    html += limits_section(runs, model_limits);
    return html + "</body></html>\n";
}

}  // namespace rushproof::reports
