#include "core/real/beast/http2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/base/assert.hpp"
#include "core/real/beast/http_text.hpp"

namespace rushproof {

namespace {

constexpr std::size_t output_max = 256 * 1024;
constexpr std::size_t field_overhead = 32;  // RFC 9113, 6.5.2
constexpr std::int32_t window = 1 << 20;    // bytes under way, of a request and in all
// Bytes of requests that are not whole: as many as so many of the largest have.
constexpr std::size_t largest_at_a_time = 8;

struct Destroy {
    void operator()(nghttp2_session_callbacks* callbacks) const {
        nghttp2_session_callbacks_del(callbacks);
    }
};
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, Destroy>;

Callbacks make_callbacks() {
    nghttp2_session_callbacks* callbacks = nullptr;
    const int made = nghttp2_session_callbacks_new(&callbacks);
    RP_ASSERT(made == 0);
    return Callbacks(callbacks);
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

// `flags`: NGHTTP2_NV_FLAG_NO_INDEX for values that will hardly come again.
nghttp2_nv field_of(std::string_view name, std::string_view value,
                    std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    // nghttp2 copies them; it never writes to them.
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// A body that is being sent.
struct Outgoing {
    std::string body;
    std::size_t sent = 0;
};

// By number, since the one who asked may have gone.
template <class State>
ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* to, std::size_t room,
                  std::uint32_t* flags, nghttp2_data_source*, void* state) {
    auto* const found = State::of(state).find(stream);
    if (found == nullptr) { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; }
    Outgoing& outgoing = found->outgoing;
    const std::size_t count = std::min(room, outgoing.body.size() - outgoing.sent);
    std::copy_n(outgoing.body.data() + outgoing.sent, count, to);
    outgoing.sent += count;
    if (outgoing.sent == outgoing.body.size()) { *flags |= NGHTTP2_DATA_FLAG_EOF; }
    return static_cast<ssize_t>(count);
}

template <class State>
nghttp2_data_provider body_provider() {
    nghttp2_data_provider provider{};
    provider.read_callback = read_body<State>;
    return provider;
}

struct DestroyOption {
    void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
using Option = std::unique_ptr<nghttp2_option, DestroyOption>;

Option make_option() {
    nghttp2_option* option = nullptr;
    const int made = nghttp2_option_new(&option);
    RP_ASSERT(made == 0);
    return Option(option);
}

// nghttp2's own limit of cancellations ends the connection, and then says of requests that it has
// let through meanwhile that nobody has seen them.  Here each of them counts until its handler
// ends.
Option server_option() {
    constexpr std::uint64_t no_limit = std::uint64_t{1} << 40;
    Option option = make_option();
    nghttp2_option_set_stream_reset_rate_limit(option.get(), no_limit, no_limit);
    return option;
}

// Requests wait until the server has said how many it wants at a time, and so that it is one.
Option client_option() {
    Option option = make_option();
    nghttp2_option_set_peer_max_concurrent_streams(option.get(), 0);
    return option;
}

void greet(nghttp2_session* session, std::span<const nghttp2_settings_entry> settings) {
    const int said =
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    const int widened =
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, window);
    RP_ASSERT(said == 0 && widened == 0);
}

bool ends_stream(const nghttp2_frame& frame) {
    return (frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS) &&
           (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

}  // namespace

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

bool Http2Session::receive(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return nghttp2_session_mem_recv(session_, data, bytes.size()) ==
           static_cast<ssize_t>(bytes.size());
}

bool Http2Session::output(std::string& out) {
    while (out.size() < output_max) {
        const std::uint8_t* data = nullptr;
        const ssize_t count = nghttp2_session_mem_send(session_, &data);
        if (count <= 0) { return false; }
        out += view(data, static_cast<std::size_t>(count));
    }
    return true;
}

bool Http2Session::has_output() const { return nghttp2_session_want_write(session_) != 0; }
bool Http2Session::over() const {
    return nghttp2_session_want_read(session_) == 0 && !has_output();
}

// ---- the server's end ----

struct Http2ServerSession::State {
    struct Request {
        ReceivedRequest received;
        std::size_t header_bytes = 0;
        int refused_with = 0;
        bool head_only = false;
        bool whole = false;
        bool answered = false;
        bool slow = false;  // when it was last looked at
        Outgoing outgoing;
    };

    static State& of(void* state) { return *static_cast<State*>(state); }
    Request* find(Stream stream) {
        const auto found = requests.find(stream);
        return found == requests.end() ? nullptr : &found->second;
    }
    void take_field(Request& request, std::string_view name, std::string_view value) const;
    void take_body(Stream stream, std::string_view bytes);
    void complete(Stream stream);
    void refuse(Stream stream, std::uint32_t why);
    void forget(Stream stream);

    HttpLimits limits;
    Received received;
    Http2ServerSession* session = nullptr;
    std::map<Stream, Request> requests;
    std::size_t body_bytes = 0;  // of those that are not whole
    bool refusing = false;
};

void Http2ServerSession::State::take_field(Request& request, std::string_view name,
                                           std::string_view value) const {
    request.header_bytes += name.size() + value.size() + field_overhead;
    if (request.header_bytes > limits.header_bytes_max) {
        request.refused_with = 431;
        return;
    }
    if (name == ":method") {
        request.head_only = value == "HEAD";
        request.received.request.method = request.head_only ? "GET" : value;
    } else if (name == ":path") {
        request.received.request.target = value;
    } else if (!request.received.take_field(name, value)) {
        request.refused_with = 400;
    }
}

void Http2ServerSession::State::take_body(Stream stream, std::string_view bytes) {
    Request* const request = find(stream);
    if (request == nullptr || request->refused_with != 0) { return; }
    std::string& body = request->received.request.body;
    if (body.size() + bytes.size() > limits.body_bytes_max) {
        request->refused_with = 413;
        body_bytes -= body.size();
        body.clear();
    } else if (body_bytes + bytes.size() > largest_at_a_time * limits.body_bytes_max) {
        refuse(stream, NGHTTP2_REFUSED_STREAM);
    } else {
        body += bytes;
        body_bytes += bytes.size();
    }
}

void Http2ServerSession::State::complete(Stream stream) {
    Request* const request = find(stream);
    if (request == nullptr) { return; }
    request->whole = true;
    body_bytes -= request->received.request.body.size();
    if (request->refused_with != 0) {
        session->answer(stream, refusal_for(request->refused_with));
        return;
    }
    received(stream, std::move(request->received));
}

void Http2ServerSession::State::refuse(Stream stream, std::uint32_t why) {
    nghttp2_submit_rst_stream(session->session_, NGHTTP2_FLAG_NONE, stream, why);
    forget(stream);
}

void Http2ServerSession::State::forget(Stream stream) {
    const auto node = requests.extract(stream);
    if (node && !node.mapped().whole) { body_bytes -= node.mapped().received.request.body.size(); }
}

Http2ServerSession::Http2ServerSession(HttpLimits limits, std::uint32_t streams_max,
                                       Received received)
    : state_(std::make_unique<State>()) {
    state_->limits = limits;
    state_->received = std::move(received);
    state_->session = this;
    const Callbacks callbacks = make_callbacks();
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
            if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) { return 0; }  // a trailer
            State::of(state).requests.try_emplace(frame->hd.stream_id);
            if (State::of(state).refusing) {
                State::of(state).refuse(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
            }
            return 0;
        });
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                            std::size_t name_size, const std::uint8_t* value,
                            std::size_t value_size, std::uint8_t, void* state) {
            auto* const request = State::of(state).find(frame->hd.stream_id);
            if (request != nullptr && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                State::of(state).take_field(*request, view(name, name_size),
                                            view(value, value_size));
            }
            return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks.get(), [](nghttp2_session*, std::uint8_t, Stream stream, const std::uint8_t* data,
                            std::size_t size, void* state) {
            State::of(state).take_body(stream, view(data, size));
            return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
            if (ends_stream(*frame)) { State::of(state).complete(frame->hd.stream_id); }
            return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks.get(), [](nghttp2_session*, Stream stream, std::uint32_t, void* state) {
            State::of(state).forget(stream);
            return 0;
        });
    const int made = nghttp2_session_server_new2(&session_, callbacks.get(), state_.get(),
                                                 server_option().get());
    RP_ASSERT(made == 0);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         static_cast<std::uint32_t>(limits.header_bytes_max)}};
    greet(session_, settings);
}

Http2ServerSession::~Http2ServerSession() = default;

void Http2ServerSession::answer(Stream stream, HttpResponse response) {
    State::Request* const request = state_->find(stream);
    if (request == nullptr) { return; }
    request->answered = true;
    request->slow = false;
    const bool has_body = !request->head_only && response.status != 204 && response.status != 304 &&
                          !response.body.empty();
    request->outgoing.body = std::move(response.body);
    const std::string status = std::to_string(response.status);
    std::vector<nghttp2_nv> fields{field_of(":status", status)};
    if (!response.content_type.empty()) {
        fields.push_back(field_of("content-type", response.content_type));
    }
    for (const auto& [name, value] : response.fields) { fields.push_back(field_of(name, value)); }
    const nghttp2_data_provider provider = body_provider<State>();
    // Fails when memory is short only.
    nghttp2_submit_response(session_, stream, fields.data(), fields.size(),
                            has_body ? &provider : nullptr);
}

std::size_t Http2ServerSession::streams() const { return state_->requests.size(); }
void Http2ServerSession::refuse_slow() {
    std::vector<std::pair<Stream, std::uint32_t>> slow;
    for (auto& [stream, request] : state_->requests) {
        if (request.whole && !request.answered) { continue; }
        if (std::exchange(request.slow, true)) {
            slow.emplace_back(stream, request.whole ? NGHTTP2_CANCEL : NGHTTP2_REFUSED_STREAM);
        }
    }
    for (const auto& [stream, why] : slow) { state_->refuse(stream, why); }
}

void Http2ServerSession::refuse_new() { state_->refusing = true; }

void Http2ServerSession::begin_drain() { nghttp2_submit_shutdown_notice(session_); }
void Http2ServerSession::end() { nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR); }

// ---- the client's end ----

struct Http2ClientSession::State {
    struct Question {
        Answered answered;
        Outgoing outgoing;
        HttpResponse response;
        std::size_t header_bytes = 0;
        bool sent = false;
        bool whole = false;  // the answer is
    };

    static State& of(void* state) { return *static_cast<State*>(state); }
    Question* find(Stream stream) {
        const auto found = questions.find(stream);
        return found == questions.end() ? nullptr : &found->second;
    }
    static void take_field(Question& question, std::string_view name, std::string_view value);
    void close(Stream stream, std::uint32_t why);
    void go_away(nghttp2_session* session);

    HttpLimits limits;
    std::map<Stream, Question> questions;
    bool greeted = false;
    bool drained = false;
};

namespace {

Error lost() {
    return Error(ErrorKind::unknown_outcome, "connection-lost",
                 "the connection was lost before the answer was whole");
}
Error not_begun() {
    return Error(ErrorKind::retryable, "unavailable", "the server did not take the request");
}

}  // namespace

void Http2ClientSession::State::take_field(Question& question, std::string_view name,
                                           std::string_view value) {
    if (name == ":status") {
        question.response = HttpResponse();  // what came before was an interim answer
        question.response.content_type.clear();
        std::from_chars(value.data(), value.data() + value.size(), question.response.status);
    } else if (name == "content-type") {
        question.response.content_type = value;
    } else {
        question.response.fields.emplace_back(name, value);
    }
}

void Http2ClientSession::State::close(Stream stream, std::uint32_t why) {
    auto node = questions.extract(stream);
    if (!node) { return; }
    Question& question = node.mapped();
    if (question.whole) {
        question.answered(std::move(question.response));
    } else if (why == NGHTTP2_REFUSED_STREAM || !question.sent) {
        question.answered(failure(not_begun()));
    } else {
        question.answered(failure(lost()));
    }
}

// Those who still wait for their turn need not wait any longer.
void Http2ClientSession::State::go_away(nghttp2_session* session) {
    drained = true;
    std::vector<Stream> unsent;
    for (const auto& [stream, question] : questions) {
        if (!question.sent) { unsent.push_back(stream); }
    }
    for (const Stream stream : unsent) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
        close(stream, NGHTTP2_REFUSED_STREAM);
    }
}

Http2ClientSession::Http2ClientSession(HttpLimits limits) : state_(std::make_unique<State>()) {
    state_->limits = limits;
    const Callbacks callbacks = make_callbacks();
    nghttp2_session_callbacks_set_before_frame_send_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
            auto* const question = State::of(state).find(frame->hd.stream_id);
            if (question != nullptr) { question->sent = true; }
            return 0;
        });
    nghttp2_session_callbacks_set_on_frame_not_send_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, int, void* state) {
            if (frame->hd.type == NGHTTP2_HEADERS) {
                State::of(state).close(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
            }
            return 0;
        });
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks.get(), [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                            std::size_t name_size, const std::uint8_t* value,
                            std::size_t value_size, std::uint8_t, void* state) {
            auto* const question = State::of(state).find(frame->hd.stream_id);
            if (question == nullptr) { return 0; }
            question->header_bytes += name_size + value_size + field_overhead;
            if (question->header_bytes > State::of(state).limits.header_bytes_max) {
                return int{NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE};
            }
            State::take_field(*question, view(name, name_size), view(value, value_size));
            return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks.get(), [](nghttp2_session* session, std::uint8_t, Stream stream,
                            const std::uint8_t* data, std::size_t size, void* state) {
            auto* const question = State::of(state).find(stream);
            if (question == nullptr) { return 0; }
            std::string& body = question->response.body;
            if (body.size() + size > State::of(state).limits.body_bytes_max) {
                nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
                State::of(state).close(stream, NGHTTP2_CANCEL);
            } else {
                body += view(data, size);
            }
            return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks.get(), [](nghttp2_session* session, const nghttp2_frame* frame, void* state) {
            if (frame->hd.type == NGHTTP2_SETTINGS) { State::of(state).greeted = true; }
            if (frame->hd.type == NGHTTP2_GOAWAY) { State::of(state).go_away(session); }
            auto* const question = State::of(state).find(frame->hd.stream_id);
            if (question != nullptr && ends_stream(*frame)) { question->whole = true; }
            return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks.get(), [](nghttp2_session*, Stream stream, std::uint32_t why, void* state) {
            State::of(state).close(stream, why);
            return 0;
        });
    const int made = nghttp2_session_client_new2(&session_, callbacks.get(), state_.get(),
                                                 client_option().get());
    RP_ASSERT(made == 0);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                               {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
    greet(session_, settings);
}

Http2ClientSession::~Http2ClientSession() = default;

std::optional<Http2Session::Stream> Http2ClientSession::ask(const std::string& host,
                                                            HttpRequest request,
                                                            const HttpFields& fields,
                                                            Answered answered) {
    const std::string target = target_of(request);
    std::vector<nghttp2_nv> all{field_of(":method", request.method), field_of(":scheme", "http"),
                                field_of(":authority", host), field_of(":path", target)};
    for (const HttpFields* some : {&std::as_const(request.fields), &fields}) {
        for (const auto& [name, value] : *some) {
            const bool constant = name == "content-type";
            all.push_back(
                field_of(name, value, constant ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX));
        }
    }
    const auto stream = static_cast<Stream>(nghttp2_session_get_next_stream_id(session_));
    State::Question& question = state_->questions[stream];
    question.answered = std::move(answered);
    question.outgoing.body = std::move(request.body);
    const nghttp2_data_provider provider = body_provider<State>();
    if (nghttp2_submit_request(session_, nullptr, all.data(), all.size(), &provider, nullptr) !=
        stream) {
        state_->questions.erase(stream);
        return std::nullopt;
    }
    return stream;
}

bool Http2ClientSession::cancel(Stream stream) {
    const auto node = state_->questions.extract(stream);
    if (!node) { return true; }
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    return node.mapped().sent;
}

bool Http2ClientSession::drained() const {
    return state_->drained || nghttp2_session_get_next_stream_id(session_) > INT32_MAX;
}
bool Http2ClientSession::greeted() const { return state_->greeted; }
std::size_t Http2ClientSession::streams() const { return state_->questions.size(); }

void Http2ClientSession::lose(const std::optional<Error>& why) {
    while (!state_->questions.empty()) {
        const Stream stream = state_->questions.begin()->first;
        if (why && !state_->questions.begin()->second.sent) {
            const auto node = state_->questions.extract(stream);
            node.mapped().answered(failure(*why));
        } else {
            state_->close(stream, NGHTTP2_NO_ERROR);
        }
    }
}

}  // namespace rushproof
