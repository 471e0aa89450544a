// Writes one JSON object at a time, member by member, into a reused string.
#pragma once
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace rushproof::simulator {

inline void append_quoted(std::string& output, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    output += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            output += '\\';
            output += c;
        } else if (byte < 0x20) {
            output += "\\u00";
            output += digits[byte >> 4];
            output += digits[byte & 15];
        } else {
            output += c;
        }
    }
    output += '"';
}

inline void append_number(std::string& output, std::integral auto number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    output.append(digits, end);
}

class JsonText {
public:
    void begin() { open(); }
    void begin(std::string_view name) {
        this->name(name);
        open();
    }
    void end() {
        text_ += '}';
        first_ = false;
    }
    void begin_array(std::string_view name) {
        this->name(name);
        text_ += '[';
        first_ = true;
    }
    void end_array() {
        text_ += ']';
        first_ = false;
    }
    // One object of an array.
    void begin_element() {
        separate();
        open();
    }
    void member(std::string_view name, std::string_view text) {
        this->name(name);
        append_quoted(text_, text);
    }
    void member(std::string_view name, std::integral auto number) {
        this->name(name);
        append_number(text_, number);
    }
    void flag(std::string_view name, bool value) {
        this->name(name);
        text_ += value ? "true" : "false";
    }
    void member_if(std::string_view name, std::string_view text) {
        if (!text.empty()) member(name, text);
    }

    const std::string& text() const { return text_; }
    void clear() {
        text_.clear();
        first_ = true;
    }

private:
    void open() {
        text_ += '{';
        first_ = true;
    }
    void separate() {
        if (!first_) text_ += ',';
        first_ = false;
    }
    void name(std::string_view name) {
        separate();
        append_quoted(text_, name);
        text_ += ':';
    }

    std::string text_;
    bool first_ = true;
};

}  // namespace rushproof::simulator
