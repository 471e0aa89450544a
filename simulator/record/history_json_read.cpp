#include <algorithm>
#include <istream>

#include "simulator/record/history_json.hpp"
#include "simulator/record/history_rules.hpp"
#include "simulator/record/json_line.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::int64_t no_state = -1;

constexpr std::size_t line_bytes_max = 16 << 20;
constexpr std::size_t piece_bytes = 1 << 18;

using Problem = std::optional<std::string>;

std::string quoted(Member member) { return "`" + std::string(to_string(member)) + "`"; }

Problem need(const JsonLine& line, std::initializer_list<Member> members) {
    for (const Member member : members) {
        if (!line.has(member)) {
            return quoted(member) + (line.is_mistyped(member)
                                         ? " has the wrong type: docs/history.md shows it"
                                         : " is missing: docs/history.md shows the line");
        }
    }
    return std::nullopt;
}

Problem refuse_mistyped(const JsonLine& line, std::initializer_list<Member> members) {
    for (const Member member : members) {
        if (line.is_mistyped(member)) return need(line, {member});
    }
    return std::nullopt;
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

class HistoryJsonReader::Implementation {
public:
    Result<void> feed(std::string_view piece) {
        while (!error_) {
            const std::size_t end = piece.find('\n');
            if (end == std::string_view::npos) break;
            if (partial_.empty()) {
                take(piece.substr(0, end));
            } else {
                partial_.append(piece.substr(0, end));
                take(partial_);
                partial_.clear();
            }
            piece.remove_prefix(end + 1);
        }
        if (!error_) partial_.append(piece);
        if (!error_ && partial_.size() > line_bytes_max) {
            ++line_number_;
            fail("the line is longer than 16 MiB: end every object with a newline");
        }
        if (error_) return failure(*error_);
        return {};
    }

    Result<History> finish() {
        if (!error_ && !partial_.empty()) take(std::exchange(partial_, {}));
        if (!error_ && !has_header_) {
            ++line_number_;
            fail("the file has no header: begin with {\"rushproof-history\":1,\"stock\":{...}}");
        }
        if (error_) return failure(*error_);
        return std::move(history_);
    }

private:
    void fail(const std::string& problem) {
        error_ = Error(ErrorKind::permanent, "bad-history",
                       "line " + std::to_string(line_number_) + ": " + problem);
    }

    void take(std::string_view text) {
        ++line_number_;
        if (is_blank(text)) return;
        const JsonLine& line = parser_.parse(text);
        if (auto problem = line.problem ? line.problem : read(line)) fail(*problem);
    }

    Problem read(const JsonLine& line) {
        if (line.has(Member::version) || line.is_mistyped(Member::version)) return header(line);
        if (!has_header_) {
            return "a header must come first: {\"rushproof-history\":1,\"stock\":{...}}";
        }
        if (auto problem =
                need(line, {Member::time, Member::process, Member::type, Member::function})) {
            return problem;
        }
        if (line.text(Member::process) == "nemesis") return fault(line);
        if (line.text(Member::process) == "audit") return audit(line);
        const bool switches = line.text(Member::function) == "switch-queue";
        if (switches && line.text(Member::process) == "operator") return queue_switch(line);
        return event(line);
    }

    Problem header(const JsonLine& line) {
        if (has_header_) return "a second header: one file holds one history";
        has_header_ = true;
        if (line.integer(Member::version) != 1) {
            return "this reader knows version 1 of the format only: use a newer rushproof";
        }
        if (auto problem = refuse_mistyped(
                line, {Member::stock, Member::scenario, Member::seed, Member::world, Member::ttl,
                       Member::clock_bound, Member::audited, Member::compared})) {
            return problem;
        }
        history_.scenario = line.text(Member::scenario);
        history_.seed = static_cast<std::uint64_t>(line.integer(Member::seed));
        history_.world = line.text(Member::world);
        history_.reservation_ttl = line.integer(Member::ttl);
        history_.clock_bound = line.integer(Member::clock_bound);
        history_.audited = line.integer(Member::audited) != 0;
        says_audited_ = line.has(Member::audited);
        history_.compared = line.integer(Member::compared) != 0;
        says_compared_ = line.has(Member::compared);
        for (const auto& [key, quantity] : line.stock) {
            history_.initial_stock.emplace_back(history_.texts.intern(key), quantity);
        }
        return problem_of_header(history_);
    }

    TextId intern(const JsonLine& line, Member member) {
        return line.has(member) ? history_.texts.intern(line.text(member)) : no_text;
    }

    Problem event(const JsonLine& line) {
        if (auto problem = refuse_mistyped(
                line, {Member::key, Member::quantity, Member::reservation, Member::available,
                       Member::message, Member::lines, Member::state})) {
            return problem;
        }
        const auto type = parse_event_type(line.text(Member::type));
        if (!type) {
            return "`type` is \"" + std::string(line.text(Member::type)) +
                   "\": give invoke, ok, fail or info";
        }
        const auto function = parse_function(line.text(Member::function));
        if (!function) {
            return "`f` is \"" + std::string(line.text(Member::function)) +
                   "\": give reserve, confirm, release, expire, read, restock, basket, enqueue, "
                   "process, extend or find";
        }
        Event event{.time = line.integer(Member::time), .type = *type, .function = *function};
        event.process = intern(line, Member::process);
        event.key = intern(line, Member::key);
        const bool has_message = *function == Function::enqueue || *function == Function::process;
        if (*function != Function::read && *function != Function::restock) {
            event.subject = intern(line, has_message ? Member::message : Member::reservation);
        }
        if (*function == Function::find) {
            // No state at all is refused with the completion.
            const auto found = parse_found(line.text(Member::state));
            event.amount = found ? static_cast<std::int64_t>(*found) : no_state;
            if (*type != EventType::ok) event.amount = 0;
        } else if (*function != Function::read) {
            event.amount = line.integer(Member::quantity);
        } else if (*type == EventType::ok) {
            if (auto problem = need(line, {Member::available})) return problem;
            event.amount = line.integer(Member::available);
        }
        if (*type == EventType::fail) {
            const bool insufficient = line.text(Member::error) == "insufficient";
            event.failure = insufficient ? Failure::insufficient : Failure::other;
        }
        return append(event, line);
    }

    Problem append(Event event, const JsonLine& line) {
        if (event.function == Function::basket && line.has(Member::lines)) {
            std::vector<BasketLine> lines;
            for (const auto& [key, quantity] : line.basket) {
                lines.push_back({history_.texts.intern(key), quantity});
            }
            history_.baskets.push_back(std::move(lines));
            event.basket = static_cast<std::uint32_t>(history_.baskets.size());
        }
        auto problem = appender_.append(event);
        // A completion that repeats the lines shares those of its invocation.
        const bool repeats =
            event.basket != 0 && !problem && history_.events.back().basket != event.basket;
        if (repeats) history_.baskets.pop_back();
        return problem;
    }

    Problem fault(const JsonLine& line) {
        const std::int64_t time = line.integer(Member::time);
        if (auto problem = appender_.advance(time)) return problem;
        if (auto problem = refuse_mistyped(line, {Member::planned, Member::phase})) return problem;
        const std::string_view phase = line.text(Member::phase);
        if (line.has(Member::phase) && phase != "begin" && phase != "end") {
            return "`phase` is \"" + std::string(phase) + "\": give begin or end";
        }
        history_.faults.push_back({.time = time,
                                   .id = std::string(line.text(Member::function)),
                                   .kind = std::string(line.text(Member::kind)),
                                   .target = std::string(line.text(Member::target)),
                                   .begins = phase != "end",
                                   .planned = line.integer(Member::planned),
                                   .evidence = std::string(line.text(Member::evidence)),
                                   .error = std::string(line.text(Member::reason))});
        return std::nullopt;
    }

    Problem queue_switch(const JsonLine& line) {
        const std::int64_t time = line.integer(Member::time);
        if (auto problem = appender_.advance(time)) return problem;
        if (auto problem = need(line, {Member::id, Member::to, Member::began})) return problem;
        if (auto problem = refuse_mistyped(line, {Member::epoch, Member::carried_over})) {
            return problem;
        }
        const auto outcome = parse_event_type(line.text(Member::type));
        if (!outcome || *outcome == EventType::invoke) {
            return "a switch is one line, at its end: give ok, fail or info as its `type`";
        }
        history_.switches.push_back({.id = std::string(line.text(Member::id)),
                                     .from = std::string(line.text(Member::from)),
                                     .to = std::string(line.text(Member::to)),
                                     .outcome = *outcome,
                                     .epoch = line.integer(Member::epoch),
                                     .began = line.integer(Member::began),
                                     .ended = time,
                                     .carried_over = line.integer(Member::carried_over),
                                     .error = std::string(line.text(Member::error))});
        return problem_of(history_.switches.back());
    }

    Problem divergence(const JsonLine& line) {
        if (auto problem = need(
                line, {Member::message, Member::on, Member::missing, Member::state, Member::at})) {
            return problem;
        }
        const auto state = parse_divergence_state(line.text(Member::state));
        if (!state) {
            return "`state` is \"" + std::string(line.text(Member::state)) +
                   "\": give open, repaired or unrecorded";
        }
        history_.divergences.push_back({.message = intern(line, Member::message),
                                        .on = std::string(line.text(Member::on)),
                                        .missing = std::string(line.text(Member::missing)),
                                        .state = *state,
                                        .at = line.integer(Member::at)});
        if (!says_compared_) history_.compared = true;
        return problem_of(history_.divergences.back());
    }

    Problem audit(const JsonLine& line) {
        const std::string_view what = line.text(Member::function);
        if (what == "divergence") return divergence(line);
        if (!says_audited_) history_.audited = true;
        if (what == "ledger") return ledger_entry(line);
        if (what == "stock") return final_stock(line);
        return "`f` of an audit line is \"" + std::string(what) +
               "\": give ledger, stock or divergence";
    }

    Problem ledger_entry(const JsonLine& line) {
        if (auto problem = need(line, {Member::key, Member::number, Member::kind, Member::quantity,
                                       Member::at, Member::committed_before})) {
            return problem;
        }
        history_.ledger.push_back({.key = intern(line, Member::key),
                                   .reservation = intern(line, Member::reservation),
                                   .kind = std::string(line.text(Member::kind)),
                                   .quantity = line.integer(Member::quantity),
                                   .number = line.integer(Member::number),
                                   .at = line.integer(Member::at),
                                   .committed_before = line.integer(Member::committed_before)});
        return problem_of(history_.ledger.back());
    }

    Problem final_stock(const JsonLine& line) {
        if (auto problem = need(line, {Member::key, Member::on_hand, Member::held, Member::sold})) {
            return problem;
        }
        history_.final_stock.push_back({.key = intern(line, Member::key),
                                        .on_hand = line.integer(Member::on_hand),
                                        .held = line.integer(Member::held),
                                        .sold = line.integer(Member::sold)});
        return problem_of(history_.final_stock.back());
    }

    History history_;
    EventAppender appender_{history_};
    JsonLineParser parser_;
    std::string partial_;
    std::uint64_t line_number_ = 0;
    bool has_header_ = false;
    bool says_audited_ = false;
    bool says_compared_ = false;
    std::optional<Error> error_;
};

HistoryJsonReader::HistoryJsonReader() : implementation_(std::make_unique<Implementation>()) {}
HistoryJsonReader::HistoryJsonReader(HistoryJsonReader&&) noexcept = default;
HistoryJsonReader::~HistoryJsonReader() = default;

Result<void> HistoryJsonReader::feed(std::string_view piece) {
    return implementation_->feed(piece);
}

Result<History> HistoryJsonReader::finish() { return implementation_->finish(); }

Result<History> read_history_json(std::istream& input) {
    HistoryJsonReader reader;
    std::string piece(piece_bytes, '\0');
    while (input) {
        input.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        const auto size = static_cast<std::size_t>(input.gcount());
        RP_CHECK(reader.feed(std::string_view(piece).substr(0, size)));
    }
    return reader.finish();
}

Result<History> parse_history_json(std::string_view text) {
    HistoryJsonReader reader;
    RP_CHECK(reader.feed(text));
    return reader.finish();
}

}  // namespace rushproof::simulator
