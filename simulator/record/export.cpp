#include "simulator/record/export.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "simulator/record/json_text.hpp"

namespace rushproof::simulator {
namespace {

// Both languages write the same maps: EDN with keywords and spaces, JSON with texts and colons.
enum class Language : std::uint8_t { edn, json };

class MapWriter {
public:
    MapWriter(Language language, std::ostream& output) : language_(language), output_(output) {}

    void begin() { open('{'); }
    void begin(std::string_view name) {
        member(name);
        open('{');
    }
    void begin_list(std::string_view name) {
        member(name);
        open('[');
    }
    void begin_element() {
        separate(language_ == Language::edn ? " " : ", ");
        open('{');
    }
    void end() { close('}'); }
    void end_list() { close(']'); }
    void number(std::string_view name, std::int64_t value) {
        member(name);
        append_number(line_, value);
    }
    void text(std::string_view name, std::string_view value) {
        member(name);
        append_quoted(line_, value);
    }
    void keyword(std::string_view name, std::string_view word) {
        member(name);
        append_keyword(word);
    }
    void finish_line() {
        output_ << line_ << '\n';
        line_.clear();
    }

private:
    void append_keyword(std::string_view word) {
        if (language_ == Language::json) return append_quoted(line_, word);
        line_ += ':';
        line_ += word;
    }
    void member(std::string_view name) {
        separate(", ");
        append_keyword(name);
        line_ += language_ == Language::edn ? " " : ": ";
    }
    void separate(std::string_view separator) {
        if (!first_) line_ += separator;
        first_ = false;
    }
    void open(char bracket) {
        line_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        line_ += bracket;
        first_ = false;
    }

    Language language_;
    std::ostream& output_;
    std::string line_;
    bool first_ = true;
};

std::optional<std::int64_t> as_number(std::string_view text) {
    if (text.size() > 15) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

class Exporter {
public:
    Exporter(Language language, const History& history, std::ostream& output)
        : history_(history), writer_(language, output), processes_(history.texts.size(), -1) {}

    void write() {
        number_processes();
        const std::vector<const FaultEvent*> faults = faults_by_time(history_);
        auto fault = faults.begin();
        std::vector<bool> under_way(history_.texts.size());
        for (const Event& event : history_.events) {
            while (fault != faults.end() && (*fault)->time <= event.time) write(**fault++);
            const bool invokes = event.type == EventType::invoke;
            if (!invokes && !under_way[event.process]) {
                Event invocation = event;
                invocation.type = EventType::invoke;
                write(invocation);
            }
            under_way[event.process] = invokes;
            write(event);
        }
        while (fault != faults.end()) write(**fault++);
    }

private:
    void number_processes() {
        std::int64_t next = 0;
        for (const Event& event : history_.events) {
            const auto number = as_number(text(event.process));
            if (!number) continue;
            processes_[event.process] = *number;
            next = std::max(next, *number + 1);
        }
        for (const Event& event : history_.events) {
            if (processes_[event.process] < 0) processes_[event.process] = next++;
        }
    }

    void begin(std::int64_t time) {
        writer_.begin();
        writer_.number("index", index_++);
        writer_.number("time", time);
    }

    void write(const Event& event) {
        begin(event.time);
        writer_.number("process", processes_[event.process]);
        writer_.keyword("type", to_string(event.type));
        writer_.keyword("f", to_string(event.function));
        if (event.key != no_text) writer_.text("key", text(event.key));
        value(event);
        if (event.failure != Failure::none) {
            writer_.keyword("error",
                            event.failure == Failure::insufficient ? "insufficient" : "other");
        }
        writer_.end();
        writer_.finish_line();
    }

    void value(const Event& event) {
        const bool is_read = event.function == Function::read;
        const bool is_message =
            event.function == Function::enqueue || event.function == Function::process;
        writer_.begin("value");
        if (is_read && event.type == EventType::ok) writer_.number("available", event.amount);
        const bool is_find = event.function == Function::find;
        if (is_find && event.type == EventType::ok) {
            writer_.keyword("state", to_string(static_cast<Found>(event.amount)));
        }
        if (!is_read && !is_find && event.amount != 0) writer_.number("quantity", event.amount);
        if (event.subject != no_text) {
            writer_.text(is_message ? "message" : "reservation", text(event.subject));
        }
        if (event.basket != 0) {
            writer_.begin_list("lines");
            for (const BasketLine& line : history_.baskets[event.basket - 1]) {
                writer_.begin_element();
                writer_.text("key", text(line.key));
                writer_.number("quantity", line.quantity);
                writer_.end();
            }
            writer_.end_list();
        }
        writer_.end();
    }

    void write(const FaultEvent& fault) {
        begin(fault.time);
        writer_.keyword("process", "nemesis");
        writer_.keyword("type", "info");
        writer_.keyword("f", fault.begins ? "start" : "stop");
        writer_.begin("value");
        writer_.text("id", fault.id);
        writer_.text("kind", fault.kind);
        writer_.text("target", fault.target);
        writer_.end();
        writer_.end();
        writer_.finish_line();
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    MapWriter writer_;
    std::vector<std::int64_t> processes_;
    std::int64_t index_ = 0;
};

}  // namespace

void write_edn(const History& history, std::ostream& output) {
    Exporter(Language::edn, history, output).write();
}

void write_jepsen_json(const History& history, std::ostream& output) {
    Exporter(Language::json, history, output).write();
}

}  // namespace rushproof::simulator
