#include "core/real/beast/http_reader.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <iterator>
#include <utility>
#include <vector>

#include "core/real/beast/http_server.hpp"
#include "core/real/beast/http_text.hpp"
#include "core/runtime/context_text.hpp"

namespace rushproof {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t read_size = 4 * 1024;
constexpr std::size_t read_size_in_body = 16 * 1024;
// What a peer announces is not yet memory that it has filled.
constexpr std::uint64_t reserve_max = 64 * 1024;

// "0" CRLF CRLF.  Fewer bytes cannot end a chunked message, and Beast 1.81 asserts when it sees the
// last chunk for the second time with fewer than five.
constexpr std::size_t last_chunk_size = 5;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Beast's table makes the comparison of names that it knows cheap.
bool is_wanted(http::field field) {
    static const std::vector<http::field> wanted = [] {
        std::vector<http::field> result{http::field::unknown};
        for (const auto name : http_fields_passed_on) {
            result.push_back(http::string_to_field({name.data(), name.size()}));
        }
        return result;
    }();
    return std::find(wanted.begin(), wanted.end(), field) != wanted.end();
}

std::optional<Duration> milliseconds_of(std::string_view text) {
    std::uint32_t count = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end) { return std::nullopt; }
    return std::chrono::milliseconds(count);
}

// What Beast's parser calls, with what both directions share.
template <bool is_request>
class Parser : public http::basic_parser<is_request> {
public:
    explicit Parser(const HttpLimits& limits) {
        this->eager(true);
        this->header_limit(UINT32_MAX);  // Beast counts per call; Reader counts in all
        this->body_limit(limits.body_bytes_max);
    }

    std::string body;
    int refused_with = 0;

protected:
    void refuse(int status, error_code& error) {
        refused_with = status;
        error = http::error::bad_value;
    }

private:
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) final {
        if (length) { body.reserve(static_cast<std::size_t>(std::min(*length, reserve_max))); }
    }
    std::size_t on_body_impl(beast::string_view part, error_code&) final {
        body.append(part.data(), part.size());
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) final {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) final {
        body.append(part.data(), part.size());
        return part.size();
    }
    void on_finish_impl(error_code&) final {}
};

class RequestParser final : public Parser<true> {
public:
    using Parser::Parser;

    ReceivedRequest received;
    bool expects_continue = false;

private:
    void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                         int version, error_code& error) override {
        received.http_1_0 = version == 10;
        received.head_only = method == "HEAD";
        HttpRequest& request = received.request;
        request.method = received.head_only ? "GET" : view(method);
        auto path = view(target);
        if (path.starts_with("http://")) {  // absolute form, as proxies send it
            path.remove_prefix(std::min(path.find('/', 7), path.size()));
        }
        if (!path.starts_with('/')) { return refuse(400, error); }
        request.target = path;
    }
    void on_response_impl(int, beast::string_view, int, error_code&) override {}

    void on_field_impl(http::field field, beast::string_view name, beast::string_view field_value,
                       error_code& error) override {
        if (is_header_done()) { return; }  // a trailer
        const auto value = view(field_value);
        if (field == http::field::host) {
            ++hosts_;
        } else if (field == http::field::transfer_encoding) {
            // Beast takes a request in any other coding for one without a body.
            if (!same_ignoring_case(value, "chunked")) { return refuse(501, error); }
            if (received.http_1_0) { return refuse(400, error); }
        } else if (field == http::field::expect) {
            if (!same_ignoring_case(value, "100-continue")) { return refuse(417, error); }
            expects_continue = !received.http_1_0;
        } else if (is_wanted(field) && !received.take_field(view(name), value)) {
            refuse(400, error);
        }
    }

    void on_header_impl(error_code& error) override {
        if (!received.http_1_0 && hosts_ != 1) { return refuse(400, error); }
    }

    int hosts_ = 0;
};

class ResponseParser final : public Parser<false> {
public:
    using Parser::Parser;

    HttpResponse response;

private:
    void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                         error_code&) override {}
    void on_response_impl(int status, beast::string_view, int, error_code&) override {
        response.status = status;
        response.content_type.clear();
    }
    void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                       error_code&) override {
        switch (field) {
            case http::field::connection:
            case http::field::keep_alive:
            case http::field::content_length:
            case http::field::transfer_encoding:
            case http::field::trailer: return;
            case http::field::content_type: response.content_type = view(value); return;
            default: break;
        }
        std::string lower(view(name));
        std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        });
        response.fields.emplace_back(std::move(lower), view(value));
    }
    void on_header_impl(error_code&) override {}
};

int status_of(const error_code& error) {
    if (error == http::error::header_limit) { return 431; }
    if (error == http::error::body_limit) { return 413; }
    return 400;
}

// The buffer and the loop that both directions share.
template <class MessageParser>
struct Reader {
    explicit Reader(HttpLimits its_limits)
        : limits(its_limits), buffer(its_limits.header_bytes_max + read_size_in_body) {
        next();
    }

    void next() {
        parser.emplace(limits);
        header_bytes = 0;
    }

    asio::mutable_buffer prepare() {
        return buffer.prepare(parser->is_header_done() ? read_size_in_body : read_size);
    }

    ReadState fail(int status) {
        error_status = status;
        return ReadState::failed;
    }

    // The header ends within its limit, or may still do so.
    bool header_fits() const {
        if (header_bytes + buffer.size() <= limits.header_bytes_max) { return true; }
        const std::string_view bytes(
            static_cast<const char*>(buffer.data().data()),
            std::min(buffer.size(), limits.header_bytes_max - header_bytes));
        return bytes.starts_with("\r\n") || bytes.find("\r\n\r\n") != bytes.npos;
    }

    ReadState advance() {
        while (buffer.size() > 0 && !parser->is_done()) {
            const bool in_header = !parser->is_header_done();
            if (in_header && !header_fits()) { return fail(431); }
            if (!in_header && parser->chunked() && buffer.size() < last_chunk_size) { break; }
            error_code error;
            const std::size_t used = parser->put(buffer.data(), error);
            buffer.consume(used);
            if (in_header) { header_bytes += used; }
            if (error == http::error::need_more) {
                // A line of chunked coding that is longer than any honest one.
                if (!in_header && buffer.size() >= limits.header_bytes_max) { return fail(400); }
                break;
            }
            if (error) {
                return fail(parser->refused_with != 0 ? parser->refused_with : status_of(error));
            }
        }
        return parser->is_done() ? ReadState::ready : ReadState::need_more;
    }

    HttpLimits limits;
    beast::flat_buffer buffer;
    std::optional<MessageParser> parser;
    std::size_t header_bytes = 0;  // of this message, consumed so far
    int error_status = 0;
};

}  // namespace

bool ReceivedRequest::take_field(std::string_view name, std::string_view value) {
    if (same_ignoring_case(name, deadline_field)) {
        time_left = milliseconds_of(value);
        return time_left.has_value();
    }
    for (const auto wanted : http_fields_passed_on) {
        if (!same_ignoring_case(name, wanted)) { continue; }
        if (request.fields.empty()) { request.fields.reserve(std::size(http_fields_passed_on)); }
        request.fields.emplace_back(wanted, value);
        if (wanted == "traceparent") { trace = parse_traceparent(value); }
    }
    return true;
}

struct HttpRequestReader::State : Reader<RequestParser> {
    using Reader::Reader;
};

HttpRequestReader::HttpRequestReader(HttpLimits limits) : state_(std::make_unique<State>(limits)) {}
HttpRequestReader::~HttpRequestReader() = default;

asio::mutable_buffer HttpRequestReader::prepare() { return state_->prepare(); }
void HttpRequestReader::commit(std::size_t count) { state_->buffer.commit(count); }
ReadState HttpRequestReader::advance() { return state_->advance(); }

ReceivedRequest HttpRequestReader::take() {
    RequestParser& parser = *state_->parser;
    ReceivedRequest received = std::move(parser.received);
    received.request.body = std::move(parser.body);
    received.keep_alive = parser.keep_alive();
    state_->next();
    return received;
}

bool HttpRequestReader::buffered() const { return state_->buffer.size() > 0; }
std::string_view HttpRequestReader::unread() const {
    return {static_cast<const char*>(state_->buffer.data().data()), state_->buffer.size()};
}
bool HttpRequestReader::started() const {
    return state_->parser->got_some() || state_->buffer.size() > 0;
}
bool HttpRequestReader::header_done() const { return state_->parser->is_header_done(); }
bool HttpRequestReader::expects_continue() const { return state_->parser->expects_continue; }
int HttpRequestReader::error_status() const { return state_->error_status; }

struct HttpResponseReader::State : Reader<ResponseParser> {
    using Reader::Reader;
    Body body = Body::as_announced;
};

HttpResponseReader::HttpResponseReader(HttpLimits limits)
    : state_(std::make_unique<State>(limits)) {}
HttpResponseReader::~HttpResponseReader() = default;

void HttpResponseReader::expect(Body body) {
    state_->body = body;
    state_->next();
    state_->parser->skip(body == Body::none);
}

asio::mutable_buffer HttpResponseReader::prepare() { return state_->prepare(); }
void HttpResponseReader::commit(std::size_t count) { state_->buffer.commit(count); }

ReadState HttpResponseReader::advance() {
    auto state = state_->advance();
    while (state == ReadState::ready && state_->parser->response.status / 100 == 1) {
        expect(state_->body);
        state = state_->advance();
    }
    return state;
}

ReadState HttpResponseReader::end() {
    auto& parser = *state_->parser;
    if (!parser.got_some()) { return ReadState::failed; }
    error_code error;
    parser.put_eof(error);
    return error ? ReadState::failed : ReadState::ready;
}

ReceivedResponse HttpResponseReader::take() {
    ResponseParser& parser = *state_->parser;
    ReceivedResponse received;
    received.response = std::move(parser.response);
    received.response.body = std::move(parser.body);
    received.keep_alive = parser.keep_alive();
    return received;
}

bool HttpResponseReader::buffered() const { return state_->buffer.size() > 0; }

}  // namespace rushproof
