#include "simulator/record/json_line.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace rushproof::simulator {
namespace {

enum class Kind : std::uint8_t { integer, text, flag, nested };
enum class Scope : std::uint8_t { outside, line, stock, value, lines, basket_line };

struct Definition {
    std::string_view name;
    Kind kind;
};

constexpr auto value_members = static_cast<std::size_t>(Member::quantity);
constexpr std::array<Definition, static_cast<std::size_t>(Member::count)> definitions{{
    {"rushproof-history", Kind::integer},
    {"stock", Kind::nested},
    {"scenario", Kind::text},
    {"seed", Kind::integer},
    {"world", Kind::text},
    {"ttl", Kind::integer},
    {"clock_bound", Kind::integer},
    {"audited", Kind::flag},
    {"compared", Kind::flag},
    {"time", Kind::integer},
    {"process", Kind::text},
    {"type", Kind::text},
    {"f", Kind::text},
    {"key", Kind::text},
    {"value", Kind::nested},
    {"error", Kind::text},
    {"quantity", Kind::integer},
    {"reservation", Kind::text},
    {"available", Kind::integer},
    {"message", Kind::text},
    {"lines", Kind::nested},
    {"number", Kind::integer},
    {"kind", Kind::text},
    {"at", Kind::integer},
    {"committed_before", Kind::integer},
    {"on_hand", Kind::integer},
    {"held", Kind::integer},
    {"sold", Kind::integer},
    {"target", Kind::text},
    {"phase", Kind::text},
    {"planned", Kind::integer},
    {"evidence", Kind::text},
    {"error", Kind::text},
    {"state", Kind::text},
    {"id", Kind::text},
    {"from", Kind::text},
    {"to", Kind::text},
    {"epoch", Kind::integer},
    {"began", Kind::integer},
    {"carried_over", Kind::integer},
    {"on", Kind::text},
    {"missing", Kind::text},
}};

// Member::count when a history has no such member there.
Member find_member(Scope scope, std::string_view name) {
    const std::size_t first = scope == Scope::line ? 0 : value_members;
    const std::size_t last = scope == Scope::line ? value_members : definitions.size();
    for (std::size_t i = first; i < last; ++i) {
        if (definitions[i].name == name) return static_cast<Member>(i);
    }
    return Member::count;
}

// What Boost.JSON's basic_parser calls.  Values of no interest are skipped with all they contain.
class Handler {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = 1 << 16;
    static constexpr std::size_t max_string_size = 1 << 20;

    using ErrorCode = boost::json::error_code;
    using View = boost::json::string_view;

    void reset() {
        line_.present.reset();
        line_.mistyped.reset();
        line_.stock.clear();
        line_.basket.clear();
        line_.problem.reset();
        scope_ = Scope::outside;
        member_ = Member::count;
        skipped_ = 0;
        parts_.clear();
    }
    JsonLine& line() { return line_; }

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_comment_part(View, ErrorCode&) { return true; }
    bool on_comment(View, ErrorCode&) { return true; }
    bool on_number_part(View, ErrorCode&) { return true; }

    bool on_object_begin(ErrorCode&) { return enter(true); }
    bool on_object_end(std::size_t, ErrorCode&) { return leave(); }
    bool on_array_begin(ErrorCode&) { return enter(false); }
    bool on_array_end(std::size_t, ErrorCode&) { return leave(); }

    bool on_key_part(View part, std::size_t, ErrorCode&) { return add_part(part); }
    bool on_key(View part, std::size_t, ErrorCode&) {
        key(whole(part));
        parts_.clear();
        return true;
    }
    bool on_string_part(View part, std::size_t, ErrorCode&) { return add_part(part); }
    bool on_string(View part, std::size_t, ErrorCode&) {
        text(whole(part));
        parts_.clear();
        return true;
    }
    bool on_int64(std::int64_t value, View, ErrorCode&) {
        integer(value);
        return true;
    }
    bool on_uint64(std::uint64_t value, View, ErrorCode&) {
        // Only a seed needs all 64 bits.
        if (member_ == Member::seed) {
            integer(static_cast<std::int64_t>(value));
        } else {
            mistyped();
        }
        return true;
    }
    bool on_double(double, View, ErrorCode&) {
        mistyped();
        return true;
    }
    bool on_bool(bool value, ErrorCode&) {
        if (skipped_ == 0 && kind() == Kind::flag) {
            set().integers[static_cast<std::size_t>(member_)] = value;
        } else {
            mistyped();
        }
        return true;
    }
    bool on_null(ErrorCode&) { return true; }

private:
    Kind kind() const {
        const bool known = member_ != Member::count;
        return known ? definitions[static_cast<std::size_t>(member_)].kind : Kind::nested;
    }

    JsonLine& set() {
        line_.present.set(static_cast<std::size_t>(member_));
        return line_;
    }

    void mistyped() {
        if (skipped_ != 0) return;
        if (scope_ == Scope::outside) {
            line_.problem = "this is no JSON object: write one object a line";
        } else if (member_ != Member::count) {
            line_.mistyped.set(static_cast<std::size_t>(member_));
        }
    }

    bool enter(bool object) {
        if (skipped_ > 0) {
            ++skipped_;
        } else if (object && scope_ == Scope::outside) {
            scope_ = Scope::line;
        } else if (object && scope_ == Scope::line && member_ == Member::stock) {
            scope_ = Scope::stock;
            set();
        } else if (object && scope_ == Scope::line && member_ == Member::value) {
            scope_ = Scope::value;
        } else if (!object && scope_ == Scope::value && member_ == Member::lines) {
            scope_ = Scope::lines;
            set();
        } else if (object && scope_ == Scope::lines) {
            scope_ = Scope::basket_line;
            line_.basket.emplace_back();
        } else {
            mistyped();
            skipped_ = 1;
        }
        return true;
    }

    bool leave() {
        if (skipped_ > 0) {
            --skipped_;
            return true;
        }
        switch (scope_) {
            case Scope::stock: member_ = Member::stock; [[fallthrough]];
            case Scope::value: scope_ = Scope::line; break;
            case Scope::lines: scope_ = Scope::value; break;
            case Scope::basket_line:
                scope_ = Scope::lines;
                member_ = Member::lines;
                break;
            case Scope::line:
            case Scope::outside: scope_ = Scope::outside; break;
        }
        return true;
    }

    bool add_part(View part) {
        parts_.append(part.data(), part.size());
        return true;
    }

    // Valid until parts_ is cleared.
    std::string_view whole(View part) {
        const std::string_view last(part.data(), part.size());
        if (parts_.empty()) return last;
        parts_.append(last);
        return parts_;
    }

    void key(std::string_view name) {
        if (skipped_ > 0) return;
        switch (scope_) {
            case Scope::stock:
                member_ = Member::stock;
                line_.stock.push_back({std::string(name), -1});
                break;
            case Scope::basket_line:
                member_ = name == "key"        ? Member::key
                          : name == "quantity" ? Member::quantity
                                               : Member::count;
                break;
            default: member_ = find_member(scope_, name);
        }
    }

    void text(std::string_view value) {
        if (skipped_ > 0) return;
        if (scope_ == Scope::basket_line) {
            if (member_ == Member::key) line_.basket.back().key = value;
        } else if (kind() == Kind::text && scope_ != Scope::outside) {
            set().texts[static_cast<std::size_t>(member_)].assign(value);
        } else {
            mistyped();
        }
    }

    void integer(std::int64_t value) {
        if (skipped_ > 0) return;
        if (scope_ == Scope::stock) {
            line_.stock.back().quantity = value;
        } else if (scope_ == Scope::basket_line && member_ == Member::quantity) {
            line_.basket.back().quantity = value;
        } else if (kind() == Kind::integer && scope_ != Scope::outside) {
            set().integers[static_cast<std::size_t>(member_)] = value;
        } else if (kind() == Kind::text) {
            text(std::to_string(value));
        } else {
            mistyped();
        }
    }

    JsonLine line_;
    Scope scope_ = Scope::outside;
    Member member_ = Member::count;
    std::size_t skipped_ = 0;
    std::string parts_;  // of a key or text that came in several pieces
};

}  // namespace

std::string_view to_string(Member member) {
    return definitions[static_cast<std::size_t>(member)].name;
}

class JsonLineParser::Parser {
public:
    const JsonLine& parse(std::string_view text) {
        parser_.reset();
        parser_.handler().reset();
        JsonLine& line = parser_.handler().line();
        boost::json::error_code error;
        const std::size_t used = parser_.write_some(false, text.data(), text.size(), error);
        if (!error && used < text.size()) error = boost::json::error::extra_data;
        if (error) {
            line.problem = "no valid JSON at column " + std::to_string(used + 1) + " (" +
                           error.message() + "): write one object a line";
        }
        return line;
    }

private:
    boost::json::basic_parser<Handler> parser_{boost::json::parse_options()};
};

JsonLineParser::JsonLineParser() : parser_(std::make_unique<Parser>()) {}
JsonLineParser::~JsonLineParser() = default;

const JsonLine& JsonLineParser::parse(std::string_view line) { return parser_->parse(line); }

}  // namespace rushproof::simulator
