#include "simulator/load/audit.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <tuple>

#include "simulator/load/audit_parts.hpp"
#include "simulator/load/audit_pipeline.hpp"
#include "simulator/load/client.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::int64_t page_limit = 500;

// When an operation was first acknowledged, by what its ledger row shows of it.
class Acknowledgements {
public:
    explicit Acknowledgements(const History& history) {
        for (const Event& event : history.events) {
            if (event.type != EventType::ok || event.subject == no_text) { continue; }
            const bool reserves = event.function == Function::basket;
            times_.emplace_back(event.subject, reserves ? Function::reserve : event.function,
                                event.time);
        }
        std::sort(times_.begin(), times_.end());
    }

    std::optional<std::int64_t> first(TextId subject, std::string_view kind) const {
        const auto function =
            std::find_if(std::begin(functions), std::end(functions),
                         [&](Function known) { return to_string(known) == kind; });
        if (function == std::end(functions) || subject == no_text) { return std::nullopt; }
        const Entry wanted(subject, *function, std::numeric_limits<std::int64_t>::min());
        const auto found = std::lower_bound(times_.begin(), times_.end(), wanted);
        const bool same = found != times_.end() && std::get<TextId>(*found) == subject &&
                          std::get<Function>(*found) == *function;
        return same ? std::optional(std::get<std::int64_t>(*found)) : std::nullopt;
    }

private:
    using Entry = std::tuple<TextId, Function, std::int64_t>;
    static constexpr Function functions[] = {Function::reserve, Function::confirm,
                                             Function::release};
    std::vector<Entry> times_;
};

class Audit {
public:
    Audit(Clock& clock, HttpClient& http, AuditOptions options, History& history)
        : clock_(clock),
          client_(http),
          options_(std::move(options)),
          history_(history),
          acknowledgements_(history) {}

    Task<Result<void>> run() {
        for (const std::string& sku : options_.skus) {
            FinalStock stock;
            stock.key = history_.texts.intern(sku);
            const std::function stock_call = [&](Context context) {
                return client_.stock(std::move(context), sku);
            };
            RP_CO_TRY(const StockAnswer answer,
                      co_await persist<StockAnswer>(clock_, options_.deadline, stock_call));
            stock.on_hand = answer.on_hand;
            stock.held = answer.held;
            stock.sold = answer.sold;
            final_stock_.push_back(stock);
            RP_CO_TRY(std::vector<LedgerRow> rows, co_await read_ledger(sku));
            add_ledger(sku, stock.key, std::move(rows));
        }
        insert_by_time(history_, make_expirations());
        history_.ledger = std::move(ledger_);
        history_.final_stock = std::move(final_stock_);
        history_.audited = true;
        co_return Result<void>();
    }

private:
    std::int64_t now() const { return (clock_.monotonic() - options_.start).count(); }

    Task<Result<std::vector<LedgerRow>>> read_ledger(const std::string& sku) {
        std::vector<LedgerRow> rows;
        std::optional<std::int64_t> after = 0;
        while (after) {
            const std::function page_call = [&](Context context) {
                return client_.ledger(std::move(context), sku, *after, page_limit);
            };
            RP_CO_TRY(LedgerPage page,
                      co_await persist<LedgerPage>(clock_, options_.deadline, page_call));
            std::move(page.rows.begin(), page.rows.end(), std::back_inserter(rows));
            // A page that leads nowhere ends the ledger, whatever it says.
            after = page.next && *page.next > *after ? page.next : std::nullopt;
        }
        co_return rows;
    }

    // Rows of one SKU are committed in the order of their numbers, so an acknowledged row bounds
    // all rows before it.
    void add_ledger(std::string_view sku, TextId key, std::vector<LedgerRow> rows) {
        std::sort(rows.begin(), rows.end(),
                  [](const LedgerRow& a, const LedgerRow& b) { return a.number > b.number; });
        std::int64_t bound = now();
        for (const LedgerRow& row : rows) {
            LedgerEntry entry;
            entry.key = key;
            if (!row.key.empty()) { entry.reservation = history_.texts.intern(row.key); }
            entry.kind = row.kind;
            entry.quantity = row.quantity;
            entry.number = row.number;
            const WallTime at{std::chrono::microseconds(row.at_us)};
            entry.at = Duration(at - options_.wall_start).count();
            if (const auto acknowledged = acknowledgements_.first(entry.reservation, row.kind)) {
                bound = std::min(bound, *acknowledged);
            }
            std::optional<std::int64_t> exact;
            if (options_.commit_time) { exact = options_.commit_time(sku, row.number); }
            entry.committed_before = exact.value_or(bound);
            ledger_.push_back(std::move(entry));
        }
        std::reverse(ledger_.end() - static_cast<std::ptrdiff_t>(rows.size()), ledger_.end());
    }

    // Expirations overlap, and a process does one thing at a time: each takes the name of one that
    // is over.
    std::vector<Event> make_expirations() {
        std::vector<std::pair<std::int64_t, std::size_t>> order;
        for (std::size_t i = 0; i < ledger_.size(); ++i) {
            if (ledger_[i].kind != to_string(Function::expire)) { continue; }
            const std::int64_t earliest = ledger_[i].at - history_.clock_bound;
            order.emplace_back(std::min(earliest, ledger_[i].committed_before), i);
        }
        std::sort(order.begin(), order.end());
        using Busy = std::pair<std::int64_t, TextId>;  // until when, who
        std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
        std::vector<Event> events;
        for (const auto& [begin, index] : order) {
            const LedgerEntry& entry = ledger_[index];
            Event event;
            if (!busy.empty() && busy.top().first < begin) {
                event.process = busy.top().second;
                busy.pop();
            } else {
                event.process = history_.texts.intern("expiry-" + std::to_string(busy.size()));
            }
            busy.emplace(entry.committed_before, event.process);
            event.time = begin;
            event.amount = entry.quantity;
            event.key = entry.key;
            event.subject = entry.reservation;
            event.function = Function::expire;
            events.push_back(event);
            event.time = entry.committed_before;
            event.type = EventType::ok;
            events.push_back(event);
        }
        return events;
    }

    Clock& clock_;
    ReservationClient client_;
    AuditOptions options_;
    History& history_;
    Acknowledgements acknowledgements_;
    std::vector<LedgerEntry> ledger_;
    std::vector<FinalStock> final_stock_;
};

}  // namespace

Task<Result<void>> set_initial_stock(Clock& clock, HttpClient& http,
                                     std::vector<std::pair<std::string, std::int64_t>> stock,
                                     MonotonicTime deadline) {
    ReservationClient client(http);
    for (const auto& entry : stock) {
        const std::function call = [&](Context context) {
            return client.set_stock(std::move(context), entry.first, entry.second);
        };
        RP_CO_CHECK(co_await persist<StockAnswer>(clock, deadline, call));
    }
    co_return Result<void>();
}

Task<Result<void>> audit(Clock& clock, HttpClient& http, AuditOptions options, History& history) {
    if (options.quiet_from > clock.monotonic()) { co_await sleep_until(clock, options.quiet_from); }
    Audit audit(clock, http, options, history);
    RP_CO_CHECK(co_await audit.run());
    if (options.pipeline) {
        RP_CO_CHECK(co_await audit_pipeline(clock, http, std::move(options), history));
    }
    co_return Result<void>();
}

}  // namespace rushproof::simulator
