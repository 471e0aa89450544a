// The lines that a NATS client and its server exchange, without a socket:
//   INFO {json}  CONNECT {json}  PING  PONG  +OK  -ERR 'reason'  SUB subject id
//   PUB subject [reply] bytes            MSG subject id [reply] bytes
//   HPUB subject [reply] header bytes    HMSG subject id [reply] header bytes
// each ended by CRLF, as is the payload of the last two.  A header is "NATS/1.0[ status[ reason]]",
// then lines "name: value", then an empty line.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace rushproof::nats {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Incoming {
    std::string subject;
    std::uint64_t subscription = 0;
    std::string reply;
    int status = 0;  // of a header without a message, such as 503: nobody listens
    Headers headers;
    std::string body;

    // Of the name as it was written; empty when there is none.
    std::string_view header(std::string_view name) const;
};

struct Outgoing {
    std::string subject;
    Headers headers;  // no line breaks; append() checks nothing
    std::string body;
};

// Appends a message as it goes over the wire.
void append(std::string& out, const Outgoing& message, std::string_view reply);

// Whether it may stand in a header as it is.
bool is_header_value(std::string_view text);
bool is_header_name(std::string_view text);

// Any bytes as printable ASCII without '%' and spaces, and back; what was not escaped stays as it
// is.
std::string escape(std::string_view bytes);
std::string unescape(std::string_view text);

class Parser {
public:
    struct Events {
        std::function<void(std::string_view json)> info;
        std::function<void(Incoming)> message;
        std::function<void()> ping;
        std::function<void()> pong;
        std::function<void(std::string_view reason)> error;
    };

    explicit Parser(Events events) : events_(std::move(events)) {}

    // Hands on every event that is whole with these bytes.  Error: permanent "malformed"; nothing
    // that comes after it is understood.
    Result<void> feed(std::string_view bytes);

private:
    // How much was used up; 0: it is not whole yet.
    Result<std::size_t> next(std::string_view bytes);
    Result<std::size_t> message(std::string_view bytes, std::size_t line_end, bool with_header);

    Events events_;
    std::string rest_;
};

}  // namespace rushproof::nats
