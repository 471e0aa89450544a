#include <algorithm>
#include <ostream>

#include "simulator/record/history_json.hpp"
#include "simulator/record/history_rules.hpp"
#include "simulator/record/json_text.hpp"

namespace rushproof::simulator {
namespace {

// "17" stands as a number, as clients usually number their processes; "017" and "ann" as texts.
bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 18 && (text[0] != '0' || text.size() == 1) &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

class Writer {
public:
    Writer(const History& history, std::ostream& output) : history_(history), output_(output) {}

    void write() {
        header();
        const std::vector<const FaultEvent*> faults = faults_by_time(history_);
        auto fault = faults.begin();
        auto change = history_.switches.begin();
        const auto others_until = [&](std::int64_t time) {
            while (true) {
                const std::int64_t next_fault =
                    fault == faults.end() ? time_max + 1 : (*fault)->time;
                const std::int64_t next_change =
                    change == history_.switches.end() ? time_max + 1 : change->ended;
                if (std::min(next_fault, next_change) > time) return;
                if (next_fault <= next_change) {
                    write(**fault++);
                } else {
                    write(*change++);
                }
            }
        };
        for (const Event& event : history_.events) {
            others_until(event.time);
            write(event);
        }
        others_until(time_max);
        for (const LedgerEntry& entry : history_.ledger) write(entry);
        for (const FinalStock& stock : history_.final_stock) write(stock);
        for (const Divergence& divergence : history_.divergences) write(divergence);
    }

private:
    void flush() {
        output_ << json_.text() << '\n';
        json_.clear();
    }

    void header() {
        json_.begin();
        json_.member("rushproof-history", 1);
        json_.begin("stock");
        for (const auto& [key, quantity] : history_.initial_stock)
            json_.member(text(key), quantity);
        json_.end();
        json_.member("scenario", history_.scenario);
        json_.member("seed", history_.seed);
        json_.member("world", history_.world);
        if (history_.reservation_ttl != 0) json_.member("ttl", history_.reservation_ttl);
        if (history_.clock_bound != 0) json_.member("clock_bound", history_.clock_bound);
        json_.flag("audited", history_.audited);
        if (history_.compared) json_.flag("compared", true);
        json_.end();
        flush();
    }

    void begin_line(std::int64_t time) {
        end_ = std::max(end_, time);
        json_.begin();
        json_.member("index", index_++);
        json_.member("time", time);
    }

    void write(const Event& event) {
        begin_line(event.time);
        const std::string& process = text(event.process);
        if (is_number(process)) {
            json_.member("process", std::stoll(process));
        } else {
            json_.member("process", process);
        }
        json_.member("type", to_string(event.type));
        json_.member("f", to_string(event.function));
        if (event.key != no_text) json_.member("key", text(event.key));
        json_.begin("value");
        value(event);
        json_.end();
        if (event.type == EventType::fail) {
            json_.member("error",
                         event.failure == Failure::insufficient ? "insufficient" : "other");
        }
        json_.end();
        flush();
    }

    void value(const Event& event) {
        const bool is_message =
            event.function == Function::enqueue || event.function == Function::process;
        if (event.function == Function::read) {
            if (event.type == EventType::ok) json_.member("available", event.amount);
        } else if (event.function == Function::find) {
            if (event.type == EventType::ok) {
                json_.member("state", to_string(static_cast<Found>(event.amount)));
            }
        } else if (event.amount != 0) {
            json_.member("quantity", event.amount);
        }
        if (event.subject != no_text) {
            json_.member(is_message ? "message" : "reservation", text(event.subject));
        }
        if (event.basket != 0) {
            json_.begin_array("lines");
            for (const BasketLine& line : history_.baskets[event.basket - 1]) {
                json_.begin_element();
                json_.member("key", text(line.key));
                json_.member("quantity", line.quantity);
                json_.end();
            }
            json_.end_array();
        }
    }

    void write(const FaultEvent& fault) {
        begin_line(fault.time);
        json_.member("process", "nemesis");
        json_.member("type", "info");
        json_.member("f", fault.id);
        json_.begin("value");
        json_.member_if("kind", fault.kind);
        json_.member_if("target", fault.target);
        json_.member("phase", fault.begins ? "begin" : "end");
        json_.member("planned", fault.planned);
        json_.member("actual", fault.time);
        json_.member_if("evidence", fault.evidence);
        json_.member_if("error", fault.error);
        json_.end();
        json_.end();
        flush();
    }

    void write(const QueueSwitch& change) {
        begin_line(change.ended);
        json_.member("process", "operator");
        json_.member("type", to_string(change.outcome));
        json_.member("f", "switch-queue");
        json_.begin("value");
        json_.member("id", change.id);
        json_.member_if("from", change.from);
        json_.member("to", change.to);
        if (change.epoch != 0) json_.member("epoch", change.epoch);
        json_.member("began", change.began);
        json_.member("carried_over", change.carried_over);
        json_.end();
        json_.member_if("error", change.error);
        json_.end();
        flush();
    }

    void write(const Divergence& divergence) {
        begin_line(end_);
        json_.member("process", "audit");
        json_.member("type", "ok");
        json_.member("f", "divergence");
        json_.begin("value");
        json_.member("message", text(divergence.message));
        json_.member("on", divergence.on);
        json_.member("missing", divergence.missing);
        json_.member("state", to_string(divergence.state));
        json_.member("at", divergence.at);
        json_.end();
        json_.end();
        flush();
    }

    void begin_audit_line(std::string_view function, TextId key) {
        begin_line(end_);
        json_.member("process", "audit");
        json_.member("type", "ok");
        json_.member("f", function);
        json_.member("key", text(key));
        json_.begin("value");
    }

    void write(const LedgerEntry& entry) {
        begin_audit_line("ledger", entry.key);
        json_.member("number", entry.number);
        json_.member("kind", entry.kind);
        if (entry.reservation != no_text) json_.member("reservation", text(entry.reservation));
        json_.member("quantity", entry.quantity);
        json_.member("at", entry.at);
        json_.member("committed_before", entry.committed_before);
        json_.end();
        json_.end();
        flush();
    }

    void write(const FinalStock& stock) {
        begin_audit_line("stock", stock.key);
        json_.member("on_hand", stock.on_hand);
        json_.member("held", stock.held);
        json_.member("sold", stock.sold);
        json_.end();
        json_.end();
        flush();
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    std::ostream& output_;
    JsonText json_;
    std::uint64_t index_ = 0;
    std::int64_t end_ = 0;  // of the events: the audit came after them
};

}  // namespace

void write_history_json(const History& history, std::ostream& output) {
    Writer(history, output).write();
}

}  // namespace rushproof::simulator
