#include "core/real/rabbitmq/link.hpp"

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include <array>
#include <charconv>
#include <cstring>

namespace rushproof::rabbitmq {

namespace {

constexpr amqp_channel_t put_channel = 1;
constexpr amqp_channel_t work_channel = 2;
constexpr amqp_channel_t browse_channel = 3;
constexpr int heartbeat_seconds = 5;
constexpr timeval answer_within{2, 0};
constexpr timeval connect_within{2, 0};
constexpr int frame_size = 128 << 10;
constexpr std::size_t short_text_max = 255;

constexpr const char* headers_header = "rushproof-headers";
constexpr const char* reason_header = "rushproof-reason";
constexpr const char* attempts_header = "rushproof-attempts";

amqp_bytes_t bytes(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string_view view(const amqp_bytes_t& given) {
    return {static_cast<const char*>(given.bytes), given.len};
}

amqp_table_entry_t text_entry(const char* name, std::string_view value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = bytes(value);
    return entry;
}
amqp_table_entry_t number_entry(const char* name, std::int64_t value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_I64;
    entry.value.value.i64 = value;
    return entry;
}

std::int64_t number_in(const amqp_table_t& table, std::string_view name) {
    for (int index = 0; index < table.num_entries; ++index) {
        const auto& entry = table.entries[index];
        if (view(entry.key) != name) { continue; }
        if (entry.value.kind == AMQP_FIELD_KIND_I64) { return entry.value.value.i64; }
        if (entry.value.kind == AMQP_FIELD_KIND_I32) { return entry.value.value.i32; }
    }
    return 0;
}
std::string_view text_in(const amqp_table_t& table, std::string_view name) {
    for (int index = 0; index < table.num_entries; ++index) {
        const auto& entry = table.entries[index];
        if (view(entry.key) == name && entry.value.kind == AMQP_FIELD_KIND_UTF8) {
            return view(entry.value.value.bytes);
        }
    }
    return {};
}

// The server's own account of how often it was rejected.
std::int64_t times_rejected(const amqp_table_t& headers) {
    for (int index = 0; index < headers.num_entries; ++index) {
        const auto& entry = headers.entries[index];
        if (view(entry.key) != "x-death" || entry.value.kind != AMQP_FIELD_KIND_ARRAY) { continue; }
        const amqp_array_t& deaths = entry.value.value.array;
        for (int death = 0; death < deaths.num_entries; ++death) {
            if (deaths.entries[death].kind != AMQP_FIELD_KIND_TABLE) { continue; }
            const amqp_table_t& table = deaths.entries[death].value.table;
            if (text_in(table, "reason") == "rejected") { return number_in(table, "count"); }
        }
    }
    return 0;
}

Got read(const amqp_message_t& message, std::uint64_t tag) {
    Got got;
    got.tag = tag;
    got.job.body = view(message.body);
    const amqp_basic_properties_t& properties = message.properties;
    if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) {
        got.job.id = view(properties.message_id);
    }
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
        got.job.headers = unpack(text_in(properties.headers, headers_header));
        got.reason = text_in(properties.headers, reason_header);
        got.attempts = number_in(properties.headers, attempts_header);
        got.attempt = times_rejected(properties.headers) + 1;
    }
    return got;
}

// "%41" is "A".
std::string decode(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned value = 0;
        if (text[at] == '%' && at + 2 < text.size() &&
            std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16).ptr ==
                text.data() + at + 3) {
            result += static_cast<char>(value);
            at += 2;
        } else {
            result += text[at];
        }
    }
    return result;
}

}  // namespace

Result<Address> parse_address(const std::string& url) {
    const auto malformed = [](const char* why) {
        return failure(ErrorKind::permanent, "malformed",
                       std::string("the URL of RabbitMQ ") + why +
                           "; write amqp://[user:password@]host[:port][/vhost]");
    };
    constexpr std::string_view scheme = "amqp://";
    if (url.starts_with("amqps://")) { return malformed("asks for TLS, which is not spoken"); }
    if (!url.starts_with(scheme)) { return malformed("has another scheme"); }
    std::string_view rest = std::string_view(url).substr(scheme.size());
    Address address{"", AMQP_PROTOCOL_PORT, "guest", "guest", "/"};
    if (const auto slash = rest.find('/'); slash != rest.npos) {
        if (slash + 1 < rest.size()) { address.vhost = decode(rest.substr(slash + 1)); }
        rest = rest.substr(0, slash);
    }
    if (const auto at = rest.rfind('@'); at != rest.npos) {
        const auto colon = std::min(rest.find(':'), at);
        address.user = decode(rest.substr(0, colon));
        address.password = colon < at ? decode(rest.substr(colon + 1, at - colon - 1)) : "";
        rest.remove_prefix(at + 1);
    }
    if (const auto colon = rest.rfind(':'); colon != rest.npos) {
        const std::string_view port = rest.substr(colon + 1);
        const auto [end, error] =
            std::from_chars(port.data(), port.data() + port.size(), address.port);
        if (error != std::errc() || end != port.data() + port.size() || address.port <= 0 ||
            address.port > 65535) {
            return malformed("has a port that is no number");
        }
        rest = rest.substr(0, colon);
    }
    if (rest.empty()) { return malformed("names no host"); }
    address.host = rest;
    return address;
}

std::string pack(const std::vector<std::pair<std::string, std::string>>& headers) {
    std::string text;
    for (const auto& [name, value] : headers) {
        for (const std::string* part : {&name, &value}) {
            text += std::to_string(part->size()) + ":" + *part;
        }
    }
    return text;
}

std::vector<std::pair<std::string, std::string>> unpack(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        std::size_t size = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
        const auto used = static_cast<std::size_t>(end - text.data());
        if (error != std::errc() || used >= text.size() || text[used] != ':' ||
            text.size() - used - 1 < size) {
            break;
        }
        parts.emplace_back(text.substr(used + 1, size));
        text.remove_prefix(used + 1 + size);
    }
    std::vector<std::pair<std::string, std::string>> headers;
    for (std::size_t at = 0; at + 1 < parts.size(); at += 2) {
        headers.emplace_back(std::move(parts[at]), std::move(parts[at + 1]));
    }
    return headers;
}

Link::Link(std::string name, Address address, RabbitOptions options)
    : name_(std::move(name)), address_(std::move(address)), options_(std::move(options)) {}

std::string Link::queue_name(Queue queue) const {
    const std::string base = "rushproof.jobs." + name_;
    if (queue == Queue::work) { return base; }
    return base + (queue == Queue::retry ? ".retry" : ".dead");
}

int Link::descriptor() const { return amqp_get_sockfd(connection_); }

void Link::close() {
    if (connection_ == nullptr) { return; }
    amqp_destroy_connection(connection_);  // without a goodbye, which could wait
    connection_ = nullptr;
    verdicts_.clear();
}

tl::unexpected<Error> Link::broken(const std::string& doing) {
    close();
    return failure(ErrorKind::unknown_outcome, "connection-lost", "RabbitMQ: " + doing);
}

Result<void> Link::check(const amqp_rpc_reply_t& reply, const char* doing) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) { return {}; }
    std::string why = doing;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        why += std::string(": ") + amqp_error_string2(reply.library_error);
    } else if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* closed = static_cast<amqp_channel_close_t*>(reply.reply.decoded);
        why += ": " + std::string(view(closed->reply_text));
    } else if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto* closed = static_cast<amqp_connection_close_t*>(reply.reply.decoded);
        why += ": " + std::string(view(closed->reply_text));
    }
    return broken(why);
}

Result<void> Link::open() {
    close();
    published_ = 0;
    connection_ = amqp_new_connection();
    amqp_socket_t* const socket =
        connection_ == nullptr ? nullptr : amqp_tcp_socket_new(connection_);
    if (socket == nullptr) { return broken("no memory"); }
    amqp_set_handshake_timeout(connection_, &answer_within);
    amqp_set_rpc_timeout(connection_, &answer_within);
    if (const int status =
            amqp_socket_open_noblock(socket, address_.host.c_str(), address_.port, &connect_within);
        status != AMQP_STATUS_OK) {
        return broken(amqp_error_string2(status));
    }
    RP_CHECK(
        check(amqp_login(connection_, address_.vhost.c_str(), 0, frame_size, heartbeat_seconds,
                         AMQP_SASL_METHOD_PLAIN, address_.user.c_str(), address_.password.c_str()),
              "login"));
    for (const amqp_channel_t channel : {put_channel, work_channel}) {
        amqp_channel_open(connection_, channel);
        RP_CHECK(check(amqp_get_rpc_reply(connection_), "channel"));
    }
    amqp_confirm_select(connection_, put_channel);
    RP_CHECK(check(amqp_get_rpc_reply(connection_), "confirms"));
    return declare();
}

// Rejected work goes to the retry queue, whose messages go back when their time is up.
Result<void> Link::declare() {
    const std::string work = queue_name(Queue::work);
    const std::string retry = queue_name(Queue::retry);
    const std::string dead = queue_name(Queue::dead);
    std::array to_retry = {text_entry("x-dead-letter-exchange", ""),
                           text_entry("x-dead-letter-routing-key", retry)};
    std::array back = {text_entry("x-dead-letter-exchange", ""),
                       text_entry("x-dead-letter-routing-key", work),
                       number_entry("x-message-ttl", options_.retry_after.count())};
    const std::array<std::pair<const std::string*, amqp_table_t>, 3> queues = {{
        {&work, {static_cast<int>(to_retry.size()), to_retry.data()}},
        {&retry, {static_cast<int>(back.size()), back.data()}},
        {&dead, amqp_empty_table},
    }};
    for (const auto& [queue, arguments] : queues) {
        amqp_queue_declare(connection_, work_channel, bytes(*queue), 0, 1, 0, 0, arguments);
        RP_CHECK(check(amqp_get_rpc_reply(connection_), "queue"));
    }
    return {};
}

Result<std::uint64_t> Link::publish(Queue queue, const Job& job, const std::string& reason,
                                    std::int64_t attempts) {
    if (!is_open()) { return broken("not connected"); }
    const std::string headers = pack(job.headers);
    std::array entries = {text_entry(headers_header, headers), text_entry(reason_header, reason),
                          number_entry(attempts_header, attempts)};
    amqp_basic_properties_t properties = {};
    properties._flags =
        AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG;
    properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    properties.message_id = bytes(std::string_view(job.id).substr(0, short_text_max));
    properties.headers = {static_cast<int>(entries.size()), entries.data()};
    const std::string to = queue_name(queue);
    const int status = amqp_basic_publish(connection_, put_channel, amqp_empty_bytes, bytes(to), 0,
                                          0, &properties, bytes(job.body));
    if (status != AMQP_STATUS_OK) { return broken(amqp_error_string2(status)); }
    return ++published_;
}

Result<std::optional<Got>> Link::get(Queue queue) { return get(queue, work_channel); }

Result<std::optional<Got>> Link::get(Queue queue, amqp_channel_t channel) {
    amqp_maybe_release_buffers_on_channel(connection_, channel);
    const std::string from = queue_name(queue);
    const amqp_rpc_reply_t reply = amqp_basic_get(connection_, channel, bytes(from), 0);
    RP_CHECK(check(reply, "get"));
    if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD) { return std::optional<Got>(); }
    const auto* ok = static_cast<amqp_basic_get_ok_t*>(reply.reply.decoded);
    const std::uint64_t tag = ok->delivery_tag;
    amqp_message_t message;
    RP_CHECK(check(amqp_read_message(connection_, channel, &message, 0), "message"));
    Got got = read(message, tag);
    amqp_destroy_message(&message);
    return std::optional<Got>(std::move(got));
}

Result<void> Link::sent(int status) {
    if (status == AMQP_STATUS_OK) { return {}; }
    return broken(amqp_error_string2(status));
}

Result<void> Link::acknowledge(std::uint64_t tag) {
    if (!is_open()) { return broken("not connected"); }
    return sent(amqp_basic_ack(connection_, work_channel, tag, 0));
}

Result<void> Link::reject(std::uint64_t tag) {
    if (!is_open()) { return broken("not connected"); }
    return sent(amqp_basic_reject(connection_, work_channel, tag, 0));
}

Result<void> Link::put_back(std::uint64_t tag) {
    if (!is_open()) { return broken("not connected"); }
    return sent(amqp_basic_reject(connection_, work_channel, tag, 1));
}

// Taken on a channel of its own and never acknowledged: its end puts them back where they were.
Result<std::vector<Got>> Link::browse(std::size_t limit) {
    std::vector<Got> found;
    amqp_channel_open(connection_, browse_channel);
    RP_CHECK(check(amqp_get_rpc_reply(connection_), "channel"));
    while (found.size() < limit) {
        RP_TRY(auto got, get(Queue::dead, browse_channel));
        if (!got) { break; }
        found.push_back(*std::move(got));
    }
    RP_CHECK(check(amqp_channel_close(connection_, browse_channel, AMQP_REPLY_SUCCESS), "channel"));
    return found;
}

Result<std::int64_t> Link::count(Queue queue) {
    const std::string name = queue_name(queue);
    const auto* declared =
        amqp_queue_declare(connection_, work_channel, bytes(name), 1, 1, 0, 0, amqp_empty_table);
    const amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection_);
    RP_CHECK(check(reply, "count"));
    return static_cast<std::int64_t>(declared->message_count);
}

Result<std::vector<Verdict>> Link::poll() {
    for (;;) {
        amqp_frame_t frame;
        const timeval at_once{0, 0};
        const int status = amqp_simple_wait_frame_noblock(connection_, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT) { break; }
        if (status != AMQP_STATUS_OK) { return broken(amqp_error_string2(status)); }
        if (frame.frame_type != AMQP_FRAME_METHOD) { continue; }
        if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
            const auto* ack = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
            verdicts_.push_back({ack->delivery_tag, true, ack->multiple != 0});
        } else if (frame.payload.method.id == AMQP_BASIC_NACK_METHOD) {
            const auto* nack = static_cast<amqp_basic_nack_t*>(frame.payload.method.decoded);
            verdicts_.push_back({nack->delivery_tag, false, nack->multiple != 0});
        } else if (frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD ||
                   frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
            return broken("the server closed it");
        }
    }
    amqp_maybe_release_buffers_on_channel(connection_, put_channel);
    return std::exchange(verdicts_, {});
}

}  // namespace rushproof::rabbitmq
