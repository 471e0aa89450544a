#include "core/real/nats/protocol.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace rushproof::nats {

namespace {

constexpr std::size_t line_max = 1 << 20;  // an INFO names every server of a cluster
constexpr std::size_t body_max = 64 << 20;
constexpr std::string_view version = "NATS/1.0";
constexpr std::string_view end_of_line = "\r\n";
constexpr std::string_view digits = "0123456789ABCDEF";

tl::unexpected<Error> malformed(std::string message) {
    return failure(ErrorKind::permanent, "malformed", std::move(message));
}

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

std::optional<std::size_t> number_of(std::string_view text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) { return std::nullopt; }
    return number;
}

// The words of a control line, at most as many as a HMSG has.
struct Words {
    explicit Words(std::string_view line) {
        while (!line.empty()) {
            const auto end = std::min(line.find_first_of(" \t"), line.size());
            if (end > 0) {
                if (count == words.size()) {
                    ++count;
                    return;
                }
                words[count++] = line.substr(0, end);
            }
            line.remove_prefix(std::min(end + 1, line.size()));
        }
    }
    std::array<std::string_view, 6> words;
    std::size_t count = 0;
};

bool read_header(std::string_view text, Incoming& message) {
    if (!text.starts_with(version)) { return false; }
    text.remove_prefix(version.size());
    auto end = text.find(end_of_line);
    if (end == text.npos) { return false; }
    if (const std::string_view status = text.substr(0, end); status.size() >= 4) {
        const auto number = number_of(status.substr(1, 3));
        if (!number) { return false; }
        message.status = static_cast<int>(*number);
    }
    for (;;) {
        text.remove_prefix(end + end_of_line.size());
        end = text.find(end_of_line);
        if (end == text.npos || end == 0) { return true; }
        const std::string_view line = text.substr(0, end);
        const auto colon = line.find(':');
        if (colon == line.npos) { return false; }
        auto value = line.substr(colon + 1);
        if (value.starts_with(' ')) { value.remove_prefix(1); }
        message.headers.emplace_back(line.substr(0, colon), value);
    }
}

}  // namespace

std::string_view Incoming::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) { return value; }
    }
    return {};
}

void append(std::string& out, const Outgoing& message, std::string_view reply) {
    std::size_t header_size = 0;
    if (!message.headers.empty()) {
        header_size = version.size() + 2 * end_of_line.size();
        for (const auto& [name, value] : message.headers) {
            header_size += name.size() + 2 + value.size() + end_of_line.size();
        }
    }
    out.append(header_size > 0 ? "HPUB " : "PUB ").append(message.subject).append(" ");
    if (!reply.empty()) { out.append(reply).append(" "); }
    if (header_size > 0) {
        append_number(out, header_size);
        out.append(" ");
    }
    append_number(out, header_size + message.body.size());
    out.append(end_of_line);
    if (header_size > 0) {
        out.append(version).append(end_of_line);
        for (const auto& [name, value] : message.headers) {
            out.append(name).append(": ").append(value).append(end_of_line);
        }
        out.append(end_of_line);
    }
    out.append(message.body).append(end_of_line);
}

bool is_header_value(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool is_header_name(std::string_view text) {
    return !text.empty() && is_header_value(text) && text.find_first_of(": \t") == text.npos;
}

std::string escape(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char byte : bytes) {
        if (byte > ' ' && byte < '\x7f' && byte != '%') {
            text += byte;
        } else {
            const auto value = static_cast<unsigned char>(byte);
            text += '%';
            text += digits[value >> 4];
            text += digits[value & 15];
        }
    }
    return text;
}

std::string unescape(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto high =
            text[at] == '%' && at + 2 < text.size() ? digits.find(text[at + 1]) : digits.npos;
        const auto low = high == digits.npos ? digits.npos : digits.find(text[at + 2]);
        if (low == digits.npos) {
            bytes += text[at];
        } else {
            bytes += static_cast<char>(high * 16 + low);
            at += 2;
        }
    }
    return bytes;
}

Result<void> Parser::feed(std::string_view bytes) {
    // What is whole is read where it lies; only a rest is kept.
    std::string joined;
    if (!rest_.empty()) {
        joined = std::move(rest_);
        rest_.clear();
        joined += bytes;
        bytes = joined;
    }
    while (!bytes.empty()) {
        RP_TRY(const std::size_t used, next(bytes));
        if (used == 0) { break; }
        bytes.remove_prefix(used);
    }
    rest_ = bytes;
    return {};
}

Result<std::size_t> Parser::next(std::string_view bytes) {
    const auto end = bytes.find(end_of_line);
    if (end == bytes.npos) {
        if (bytes.size() > line_max) { return malformed("a line without an end"); }
        return 0;
    }
    const std::string_view line = bytes.substr(0, end);
    if (line.starts_with("MSG ")) { return message(bytes, end, false); }
    if (line.starts_with("HMSG ")) { return message(bytes, end, true); }
    if (line == "PING") {
        events_.ping();
    } else if (line == "PONG") {
        events_.pong();
    } else if (line.starts_with("INFO ")) {
        events_.info(line.substr(5));
    } else if (line.starts_with("-ERR")) {
        events_.error(line.substr(4));
    } else if (line != "+OK") {
        return malformed("not a line of NATS");
    }
    return end + end_of_line.size();
}

Result<std::size_t> Parser::message(std::string_view bytes, std::size_t line_end,
                                    bool with_header) {
    const Words line(bytes.substr(0, line_end));
    const std::size_t fixed = with_header ? 5 : 4;  // without a reply
    if (line.count != fixed && line.count != fixed + 1) { return malformed("a line of a message"); }
    const auto total = number_of(line.words[line.count - 1]);
    const auto header =
        with_header ? number_of(line.words[line.count - 2]) : std::optional<std::size_t>(0);
    if (!total || !header || *total > body_max || *header > *total) {
        return malformed("the size of a message");
    }
    const std::size_t begin = line_end + end_of_line.size();
    const std::size_t end = begin + *total + end_of_line.size();
    if (bytes.size() < end) { return 0; }
    if (bytes.substr(begin + *total, end_of_line.size()) != end_of_line) {
        return malformed("the end of a message");
    }
    Incoming incoming;
    incoming.subject = line.words[1];
    incoming.subscription = number_of(line.words[2]).value_or(0);
    if (line.count > fixed) { incoming.reply = line.words[3]; }
    if (with_header && !read_header(bytes.substr(begin, *header), incoming)) {
        return malformed("the header of a message");
    }
    incoming.body = bytes.substr(begin + *header, *total - *header);
    events_.message(std::move(incoming));
    return end;
}

}  // namespace rushproof::nats
