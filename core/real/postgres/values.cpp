#include "core/real/postgres/values.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "core/real/postgres/wire.hpp"
#include "core/runtime/rfc3339.hpp"

namespace rushproof::postgres {

namespace {

Error cannot_hold(std::string what) {
    return Error(ErrorKind::permanent, "statement-failed", std::move(what));
}

// From the server's catalog (pg_type.dat); they never change.
enum class Type : std::uint16_t {
    boolean = 16,
    bytea = 17,
    int8 = 20,
    int2 = 21,
    int4 = 23,
    text = 25,
    oid = 26,
    float4 = 700,
    float8 = 701,
    int4_array = 1007,
    text_array = 1009,
    varchar_array = 1015,
    int8_array = 1016,
    timestamp = 1114,
    timestamptz = 1184,
    numeric = 1700,
    nothing = 2278,
};

// Appends one parameter.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    Result<void> operator()(std::monostate) const { return {}; }
    Result<void> operator()(std::int64_t value) const {
        append(value);
        return {};
    }
    Result<void> operator()(const std::string& text) const {
        RP_CHECK(check(text));
        out_ += text;
        return {};
    }
    Result<void> operator()(const Bytes& bytes) const {
        constexpr std::string_view digits = "0123456789abcdef";
        out_ += "\\x";
        for (const char c : bytes.data) {
            const auto byte = static_cast<unsigned char>(c);
            out_ += digits[byte >> 4U];
            out_ += digits[byte & 0xFU];
        }
        return {};
    }
    Result<void> operator()(WallTime time) const {
        using std::chrono::year;
        const auto days = std::chrono::floor<std::chrono::days>(time.time_since_epoch());
        const std::chrono::year_month_day date{std::chrono::sys_days(days)};
        if (date.year() < year(1) || date.year() > year(9999)) {
            return failure(cannot_hold("a time outside the years 1 to 9999"));
        }
        out_ += to_rfc3339(time);
        return {};
    }
    Result<void> operator()(const std::vector<std::int64_t>& values) const {
        begin_array(Type::int8, values.size());
        for (const std::int64_t value : values) {
            append_big_endian<std::int32_t>(out_, sizeof value);
            append_big_endian(out_, value);
        }
        return {};
    }
    Result<void> operator()(const std::vector<std::string>& texts) const {
        begin_array(Type::text, texts.size());
        for (const std::string& text : texts) {
            RP_CHECK(check(text));
            append_big_endian(out_, static_cast<std::int32_t>(text.size()));
            out_ += text;
        }
        return {};
    }

private:
    void append(std::int64_t value) const {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value);
        out_.append(digits, end.ptr);
    }
    // As array_send writes them: dimensions, no NULLs, the elements' type; of the dimension, its
    // length and first index.
    void begin_array(Type element, std::size_t count) const {
        append_big_endian<std::int32_t>(out_, count == 0 ? 0 : 1);
        append_big_endian<std::int32_t>(out_, 0);
        append_big_endian(out_, static_cast<std::int32_t>(element));
        if (count == 0) { return; }
        append_big_endian(out_, static_cast<std::int32_t>(count));
        append_big_endian<std::int32_t>(out_, 1);
    }
    static Result<void> check(const std::string& text) {
        if (text.find('\0') == text.npos) { return {}; }
        return failure(cannot_hold("a text with a NUL byte"));
    }

    std::string& out_;
};

bool is_array(const Value& value) {
    return std::holds_alternative<std::vector<std::int64_t>>(value) ||
           std::holds_alternative<std::vector<std::string>>(value);
}

std::optional<std::int64_t> read_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) { return std::nullopt; }
    return value;
}

std::optional<std::vector<std::int64_t>> read_integers(std::string_view text) {
    const auto elements = read_array(text);
    if (!elements) { return std::nullopt; }
    std::vector<std::int64_t> values;
    values.reserve(elements->size());
    for (const std::string& element : *elements) {
        const auto value = read_integer(element);
        if (!value) { return std::nullopt; }
        values.push_back(*value);
    }
    return values;
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') { return static_cast<unsigned>(c - '0'); }
    if (c >= 'a' && c <= 'f') { return static_cast<unsigned>(c - 'a') + 10; }
    return std::nullopt;
}

std::optional<Bytes> read_bytes(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) { return std::nullopt; }
    Bytes bytes;
    bytes.data.reserve(text.size() / 2 - 1);
    for (std::size_t i = 2; i < text.size(); i += 2) {
        const auto high = hex_digit(text[i]);
        const auto low = hex_digit(text[i + 1]);
        if (!high || !low) { return std::nullopt; }
        bytes.data += static_cast<char>(*high << 4U | *low);
    }
    return bytes;
}

template <class T>
std::optional<Value> as_value(std::optional<T> value) {
    if (!value) { return std::nullopt; }
    return Value(*std::move(value));
}

std::optional<Value> value_of(Oid type, std::string_view text) {
    switch (static_cast<Type>(type)) {
        case Type::int8:
        case Type::int2:
        case Type::int4:
        case Type::oid: return as_value(read_integer(text));
        case Type::boolean: return Value(std::int64_t{text == "t"});
        case Type::bytea: return as_value(read_bytes(text));
        case Type::int4_array:
        case Type::int8_array: return as_value(read_integers(text));
        case Type::text_array:
        case Type::varchar_array: return as_value(read_array(text));
        case Type::timestamp:
        case Type::timestamptz: return as_value(read_time(text));
        case Type::nothing: return Value();
        case Type::float4:
        case Type::float8:
        case Type::numeric: return std::nullopt;
        case Type::text: break;
    }
    return Value(std::string(text));
}

// Reads digits from the front of `text`, at least `least` of them.
std::optional<int> take_number(std::string_view& text, std::size_t least) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length < least || text.front() == '-') { return std::nullopt; }
    text.remove_prefix(length);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) { return false; }
    text.remove_prefix(1);
    return true;
}

}  // namespace

Result<void> Parameters::fill(const Row& arguments) {
    bytes_.clear();
    pointers_.clear();
    lengths_.clear();
    formats_.clear();
    std::vector<std::size_t> starts;
    starts.reserve(arguments.size());
    for (const Value& argument : arguments) {
        starts.push_back(bytes_.size());
        RP_CHECK(std::visit(Writer(bytes_), argument));
        lengths_.push_back(static_cast<int>(bytes_.size() - starts.back()));
        formats_.push_back(is_array(argument) ? 1 : 0);
        bytes_ += '\0';  // ends a text
    }
    pointers_.reserve(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool is_null = std::holds_alternative<std::monostate>(arguments[i]);
        pointers_.push_back(is_null ? nullptr : bytes_.data() + starts[i]);
    }
    return {};
}

Result<Rows> rows_of(const pg_result* result) {
    Rows rows;
    const int count = PQntuples(result);
    const int columns = PQnfields(result);
    rows.rows.reserve(static_cast<std::size_t>(count));
    for (int line = 0; line < count; ++line) {
        Row row;
        row.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            if (PQgetisnull(result, line, column) != 0) {
                row.emplace_back();
                continue;
            }
            const std::string_view text(
                PQgetvalue(result, line, column),
                static_cast<std::size_t>(PQgetlength(result, line, column)));
            auto value = value_of(PQftype(result, column), text);
            if (!value) {
                return failure(
                    cannot_hold(std::string("column ") + PQfname(result, column) +
                                " is of a type that the port has no value for: cast it"));
            }
            row.push_back(*std::move(value));
        }
        rows.rows.push_back(std::move(row));
    }
    // A SELECT counts its rows too, but changes none.
    auto* const counted = const_cast<pg_result*>(result);
    if (!std::string_view(PQcmdStatus(counted)).starts_with("SELECT")) {
        rows.affected = read_integer(PQcmdTuples(counted)).value_or(0);
    }
    return rows;
}

std::optional<std::vector<std::string>> read_array(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') { return std::nullopt; }
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> elements;
    while (!text.empty()) {
        std::string element;
        if (take(text, '"')) {
            while (!text.empty() && text.front() != '"') {
                if (text.front() == '\\') { text.remove_prefix(1); }
                if (text.empty()) { return std::nullopt; }
                element += text.front();
                text.remove_prefix(1);
            }
            if (!take(text, '"')) { return std::nullopt; }
        } else {
            element = text.substr(0, text.find(','));
            text.remove_prefix(element.size());
            if (element.empty() || element == "NULL" || element.starts_with('{')) {
                return std::nullopt;
            }
        }
        elements.push_back(std::move(element));
        if (!text.empty() && (!take(text, ',') || text.empty())) { return std::nullopt; }
    }
    return elements;
}

std::optional<WallTime> read_time(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) { return std::nullopt; }
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) { return std::nullopt; }
    const auto day = take_number(text, 2);
    if (!day || !take(text, ' ')) { return std::nullopt; }
    const auto hours = take_number(text, 2);
    if (!hours || !take(text, ':')) { return std::nullopt; }
    const auto minutes = take_number(text, 2);
    if (!minutes || !take(text, ':')) { return std::nullopt; }
    const auto seconds = take_number(text, 2);
    if (!seconds) { return std::nullopt; }
    std::int64_t microseconds = 0;
    if (take(text, '.')) {
        std::int64_t unit = 100'000;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            microseconds += unit * (text.front() - '0');
            unit /= 10;
            text.remove_prefix(1);
        }
    }
    if (!text.empty() && text != "+00") { return std::nullopt; }
    const std::chrono::sys_days date(std::chrono::year_month_day(
        std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
        std::chrono::day(static_cast<unsigned>(*day))));
    const auto since_midnight = std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
                                std::chrono::seconds(*seconds) +
                                std::chrono::microseconds(microseconds);
    return WallTime(date.time_since_epoch() + since_midnight);
}

}  // namespace rushproof::postgres
