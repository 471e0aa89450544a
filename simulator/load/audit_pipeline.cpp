#include "simulator/load/audit_pipeline.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "simulator/load/audit_parts.hpp"
#include "simulator/load/pipeline_client.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::int64_t page_limit = 500;
constexpr Duration look_again = std::chrono::milliseconds(500);
// Without an effect for so long nothing more comes of what is still missing.
constexpr Duration patience = std::chrono::seconds(15);

class PipelineAudit {
public:
    PipelineAudit(Clock& clock, HttpClient& http, AuditOptions options, History& history)
        : clock_(clock), client_(http), options_(std::move(options)), history_(history) {
        for (const Event& event : history.events) {
            const bool accepted =
                event.function == Function::enqueue && event.type == EventType::ok;
            if (accepted) { missing_.insert(history.texts.text(event.subject)); }
        }
    }

    Task<Result<void>> run() {
        MonotonicTime seen = clock_.monotonic();
        while (true) {
            const std::size_t before = processed_.size();
            RP_CO_CHECK(co_await read_processed());
            RP_CO_CHECK(co_await read_dead());
            if (processed_.size() > before) { seen = clock_.monotonic(); }
            if (missing_.empty() || clock_.monotonic() >= seen + patience) { break; }
            co_await sleep_for(clock_, look_again);
        }
        if (options_.pipeline_rest > Duration::zero()) {
            co_await sleep_for(clock_, options_.pipeline_rest);
            RP_CO_CHECK(co_await read_processed());
            RP_CO_CHECK(co_await read_dead());
        }
        std::vector<Event> events = effects();
        for (const Event& event : set_aside()) { events.push_back(event); }
        insert_by_time(history_, events);
        if (!options_.parts.empty()) { RP_CO_CHECK(co_await read_divergences()); }
        co_return Result<void>();
    }

private:
    // Those with a number above the last that it has.
    Task<Result<void>> read_processed() {
        while (true) {
            const std::int64_t after = processed_.empty() ? 0 : processed_.back().number;
            const std::function call = [this, after](Context context) {
                return client_.processed(std::move(context), after, page_limit);
            };
            RP_CO_TRY(std::vector<ProcessedRow> rows,
                      co_await persist<std::vector<ProcessedRow>>(clock_, options_.deadline, call));
            for (ProcessedRow& row : rows) {
                // A page that leads nowhere ends them, whatever it says.
                if (row.number <= after) { co_return Result<void>(); }
                missing_.erase(row.message);
                processed_.push_back(std::move(row));
            }
            if (rows.empty()) { co_return Result<void>(); }
        }
    }

    Task<Result<void>> read_dead() {
        dead_.clear();
        while (true) {
            const std::string after = dead_.empty() ? std::string() : dead_.back().message;
            const std::function call = [this, after](Context context) {
                return client_.dead_letters(std::move(context), after, page_limit);
            };
            RP_CO_TRY(std::vector<DeadRow> rows,
                      co_await persist<std::vector<DeadRow>>(clock_, options_.deadline, call));
            for (DeadRow& row : rows) {
                if (row.message <= after) { co_return Result<void>(); }
                missing_.erase(row.message);
                dead_.push_back(std::move(row));
            }
            if (rows.empty()) { co_return Result<void>(); }
        }
    }

    // Those that are open; of others the system knows nothing any more.
    Task<Result<void>> read_divergences() {
        std::string after;
        while (true) {
            const std::function call = [this, after](Context context) {
                return client_.divergences(std::move(context), after, page_limit);
            };
            RP_CO_TRY(
                const std::vector<DivergenceRow> rows,
                co_await persist<std::vector<DivergenceRow>>(clock_, options_.deadline, call));
            const bool leads_on = !rows.empty() && rows.back().message > after;
            if (!leads_on) { break; }
            for (const DivergenceRow& row : rows) { add_divergence(row); }
            after = rows.back().message;
        }
        history_.compared = true;
        co_return Result<void>();
    }

    void add_divergence(const DivergenceRow& row) {
        const auto lacks = [&row](const std::string& part) {
            return std::find(row.lacking.begin(), row.lacking.end(), part) != row.lacking.end();
        };
        Divergence divergence;
        divergence.message = history_.texts.intern(row.message);
        for (const std::string& part : options_.parts) {
            std::string& side = lacks(part) ? divergence.missing : divergence.on;
            side += (side.empty() ? "" : ",") + part;
        }
        // The one that may have it lacks it as far as anybody knows.
        if (divergence.on.empty()) { divergence.on = "none for certain"; }
        divergence.at = run_time(row.at);
        history_.divergences.push_back(std::move(divergence));
    }

    std::int64_t run_time(WallTime at) const { return Duration(at - options_.wall_start).count(); }

    Event event_of(std::string_view process, const std::string& message, const std::string& key) {
        Event event;
        event.process = history_.texts.intern(process);
        event.subject = history_.texts.intern(message);
        if (!key.empty()) { event.key = history_.texts.intern(key); }
        event.function = Function::process;
        return event;
    }

    std::vector<Event> effects() {
        std::vector<Event> events;
        for (const ProcessedRow& row : processed_) {
            Event event = event_of("effects", row.message, row.key);
            event.type = EventType::ok;
            event.time = run_time(row.at);
            if (!events.empty()) { event.time = std::max(event.time, events.back().time + 1); }
            events.push_back(event);
        }
        return events;
    }

    std::vector<Event> set_aside() {
        std::stable_sort(dead_.begin(), dead_.end(),
                         [](const DeadRow& a, const DeadRow& b) { return a.at < b.at; });
        std::vector<Event> events;
        for (const DeadRow& row : dead_) {
            Event event = event_of("dead-letters", row.message, row.key);
            event.time = run_time(row.at);
            events.push_back(event);
            event.type = EventType::fail;
            event.failure = Failure::other;
            events.push_back(event);
        }
        return events;
    }

    Clock& clock_;
    PipelineClient client_;
    AuditOptions options_;
    History& history_;
    std::set<std::string> missing_;  // accepted, and not seen to be processed
    std::vector<ProcessedRow> processed_;
    std::vector<DeadRow> dead_;
};

}  // namespace

Task<Result<void>> audit_pipeline(Clock& clock, HttpClient& http, AuditOptions options,
                                  History& history) {
    PipelineAudit audit(clock, http, std::move(options), history);
    co_return co_await audit.run();
}

}  // namespace rushproof::simulator
