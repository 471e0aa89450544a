// JSON of requests and answers: a strict reader whose errors name the member, and a writer that
// appends to one string.
#pragma once
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace rushproof {

// The object in a request's body.  Unknown members are ignored, unless only() is asked.  Errors are
// permanent "malformed": not JSON, not an object, a member missing or of another type.  A small
// body costs no allocation.
class JsonBody {
public:
    explicit JsonBody(std::string_view body);
    JsonBody(const JsonBody&) = delete;
    JsonBody& operator=(const JsonBody&) = delete;

    // Nothing stands in the body, or in its member `object`, but these members.
    Result<void> only(std::initializer_list<std::string_view> members) const;
    Result<void> only(std::string_view object,
                      std::initializer_list<std::string_view> members) const;
    bool has(std::string_view member) const;
    bool is_null(std::string_view member) const;

    // A member of an object in the body is "price.currency".  The text lives as long as the
    // JsonBody.
    Result<std::string_view> text(std::string_view member) const;
    Result<std::int64_t> integer(std::string_view member) const;
    // Of an array of objects.
    Result<std::size_t> size(std::string_view array) const;
    // The same of the array's element `index`; errors name "lines[2].sku".
    Result<std::string_view> text(std::string_view array, std::size_t index,
                                  std::string_view member) const;
    Result<std::int64_t> integer(std::string_view array, std::size_t index,
                                 std::string_view member) const;

private:
    Result<const boost::json::value*> find(std::string_view member) const;

    std::array<unsigned char, 2048> buffer_;
    boost::json::monotonic_resource memory_;
    Result<boost::json::value> value_;
};

// Members appear in the order of the calls; the caller keeps begin and end in pairs.  Names are
// plain words, written as they are; values may be any text.
class JsonWriter {
public:
    JsonWriter() { text_.reserve(256); }
    void begin_object();
    void begin_object(std::string_view name);
    void end_object();
    void begin_array(std::string_view name);
    void end_array();
    void member(std::string_view name, std::string_view value);
    void member(std::string_view name, std::int64_t value);
    void flag(std::string_view name, bool value);
    // `json` is JSON already.
    void value(std::string_view name, std::string_view json);
    // Its name, too, may be any text.
    void entry(std::string_view name, std::string_view value);

    std::string text() && { return std::move(text_); }

private:
    void separate();
    void name(std::string_view name);
    void quote(std::string_view value);

    std::string text_;
    bool first_ = true;
};

}  // namespace rushproof
