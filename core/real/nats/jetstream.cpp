#include "core/real/nats/jetstream.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace rushproof::nats {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::int64_t not_found_code = 404;
constexpr std::int64_t wrong_sequence = 10071;
constexpr std::int64_t unavailable_code = 503;

std::int64_t integer(const object& in, std::string_view member) {
    const value* found = in.if_contains(member);
    if (found == nullptr) { return 0; }
    if (found->is_int64()) { return found->as_int64(); }
    return found->is_uint64() ? static_cast<std::int64_t>(found->as_uint64()) : 0;
}

std::string text(const object& in, std::string_view member) {
    const value* found = in.if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

const object& part(const object& in, std::string_view member) {
    static const object nothing;
    const value* found = in.if_contains(member);
    return found != nullptr && found->is_object() ? found->as_object() : nothing;
}

tl::unexpected<Error> unsuitable(const std::string& name, const std::string& why) {
    return failure(ErrorKind::permanent, "unsuitable-stream",
                   "the stream " + name + " of NATS cannot be used: " + why);
}

DurableState read_durable(const object& info) {
    DurableState state;
    state.subject = text(part(info, "config"), "filter_subject");
    state.pending = integer(info, "num_pending");
    state.unacknowledged = integer(info, "num_ack_pending");
    state.floor = static_cast<std::uint64_t>(integer(part(info, "ack_floor"), "stream_seq"));
    return state;
}

std::string decode_base64(std::string_view coded) {
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int count = 0;
    for (const char c : coded) {
        const auto at = alphabet.find(c);
        if (at == alphabet.npos) { break; }
        bits = (bits << 6 | static_cast<unsigned>(at)) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xff);
        }
    }
    return bytes;
}

Task<Result<void>> change_stream(Client& client, MonotonicTime deadline, std::string name,
                                 object config, std::vector<std::string> subjects,
                                 StreamLimits limits) {
    const object before = config;
    array all;
    if (const value* known = config.if_contains("subjects"); known && known->is_array()) {
        all = known->as_array();
    }
    for (const std::string& subject : subjects) {
        const value wanted(subject.c_str());
        if (std::ranges::find(all, wanted) == all.end()) { all.push_back(wanted); }
    }
    config["subjects"] = all;
    config["discard"] = "new";
    config["max_age"] = 0;
    config["max_msgs"] = limits.messages;
    config["max_bytes"] = limits.bytes;
    config["max_msgs_per_subject"] = -1;
    config["duplicate_window"] = limits.repeats.count();
    if (config == before) { co_return Result<void>(); }
    std::string subject = "$JS.API.STREAM.UPDATE." + name;
    const auto changed = co_await call(client, deadline, std::move(subject), config);
    if (changed) { co_return Result<void>(); }
    if (changed.error().code() != "refused") { co_return failure(changed.error()); }
    if (text(before, "discard") != "new" || integer(before, "max_age") != 0 ||
        integer(before, "max_msgs_per_subject") > 0) {
        co_return unsuitable(name,
                             "it drops what was not processed, and " + changed.error().message());
    }
    if (before.at("subjects") != config.at("subjects")) {
        co_return unsuitable(name, changed.error().message());
    }
    co_return Result<void>();
}

// The answer to a message or a call, as its error says.
Result<object> read_answer(std::string_view body) {
    boost::system::error_code broken;
    const value answer = boost::json::parse(body, broken);
    if (broken || !answer.is_object()) {
        return failure(ErrorKind::unknown_outcome, "connection-lost",
                       "NATS answered what is not understood");
    }
    const object& error = part(answer.as_object(), "error");
    if (error.empty()) { return answer.as_object(); }
    const std::int64_t code = integer(error, "code");
    std::string reason = "NATS: " + text(error, "description");
    if (code == not_found_code) {
        return failure(ErrorKind::permanent, "not-found", std::move(reason));
    }
    if (integer(error, "err_code") == wrong_sequence) {
        return failure(ErrorKind::permanent, "wrong-sequence", std::move(reason));
    }
    // Every limit says so in words; their numbers differ from version to version.
    for (const std::string_view full : {"maximum messages exceeded", "maximum bytes exceeded",
                                        "insufficient", "resource limits exceeded"}) {
        if (reason.find(full) != reason.npos) {
            return failure(ErrorKind::retryable, "queue-full", std::move(reason));
        }
    }
    if (code >= unavailable_code) {
        return failure(ErrorKind::retryable, "unavailable", std::move(reason));
    }
    return failure(ErrorKind::permanent, "refused", std::move(reason));
}

}  // namespace

Result<void> read_acceptance(std::string_view body, const std::string& stream) {
    RP_TRY(const object answer, read_answer(body));
    if (text(answer, "stream") != stream) {
        return failure(ErrorKind::unknown_outcome, "connection-lost",
                       "somebody else than the stream " + stream + " of NATS answered");
    }
    return {};
}

Task<Result<object>> call(Client& client, MonotonicTime deadline, std::string subject,
                          object request) {
    Outgoing message;
    message.subject = std::move(subject);
    message.body = boost::json::serialize(request);
    auto answer = co_await client.request(deadline, std::move(message));
    if (!answer) {
        // Nobody listens there while JetStream starts.
        if (answer.error().code() == "no-responders") {
            co_return failure(ErrorKind::retryable, "unavailable", "JetStream is not ready");
        }
        co_return failure(answer.error());
    }
    co_return read_answer(answer->body);
}

Task<Result<void>> ensure_stream(Client& client, MonotonicTime deadline, std::string name,
                                 std::vector<std::string> subjects, StreamLimits limits) {
    std::string ask = "$JS.API.STREAM.INFO." + name;
    const auto info = co_await call(client, deadline, std::move(ask), object());
    if (info) {
        object config = part(*info, "config");
        co_return co_await change_stream(client, deadline, std::move(name), std::move(config),
                                         std::move(subjects), limits);
    }
    if (info.error().code() != "not-found") { co_return failure(info.error()); }
    object config;
    config["name"] = name;
    array wanted;
    for (const std::string& subject : subjects) { wanted.push_back(value(subject.c_str())); }
    config["subjects"] = wanted;
    config["retention"] = "limits";
    config["discard"] = "new";
    config["storage"] = "file";
    config["max_msgs"] = limits.messages;
    config["max_bytes"] = limits.bytes;
    config["max_age"] = 0;
    config["num_replicas"] = 1;
    config["duplicate_window"] = limits.repeats.count();
    std::string create = "$JS.API.STREAM.CREATE." + name;
    const auto created = co_await call(client, deadline, std::move(create), std::move(config));
    if (created || created.error().code() != "refused") {
        co_return created.map([](const object&) {});
    }
    co_return unsuitable(name, created.error().message());
}

Task<Result<void>> ensure_table(Client& client, MonotonicTime deadline, std::string name,
                                std::string subjects) {
    object config;
    config["name"] = name;
    config["subjects"] = array({value(subjects.c_str())});
    config["retention"] = "limits";
    config["storage"] = "file";
    config["discard"] = "old";
    config["max_msgs_per_subject"] = 1;
    config["num_replicas"] = 1;
    std::string create = "$JS.API.STREAM.CREATE." + name;
    const auto created = co_await call(client, deadline, std::move(create), std::move(config));
    co_return created.map([](const object&) {});
}

Task<Result<StreamState>> stream_state(Client& client, MonotonicTime deadline, std::string name) {
    std::string ask = "$JS.API.STREAM.INFO." + name;
    object request;
    request["subjects_filter"] = ">";
    RP_CO_TRY(const object info,
              co_await call(client, deadline, std::move(ask), std::move(request)));
    const object& state = part(info, "state");
    StreamState result;
    for (const auto& [subject, count] : part(state, "subjects")) {
        result.subjects.emplace_back(subject);
    }
    result.first = static_cast<std::uint64_t>(integer(state, "first_seq"));
    result.last = static_cast<std::uint64_t>(integer(state, "last_seq"));
    result.messages = integer(state, "messages");
    co_return result;
}

Task<Result<std::map<std::string, DurableState>>> durables(Client& client, MonotonicTime deadline,
                                                           std::string stream) {
    std::map<std::string, DurableState> found;
    for (std::int64_t total = 1; static_cast<std::int64_t>(found.size()) < total;) {
        object request;
        request["offset"] = found.size();
        std::string ask = "$JS.API.CONSUMER.LIST." + stream;
        RP_CO_TRY(const object answer,
                  co_await call(client, deadline, std::move(ask), std::move(request)));
        total = integer(answer, "total");
        const value* page = answer.if_contains("consumers");
        if (page == nullptr || !page->is_array() || page->as_array().empty()) { break; }
        for (const value& info : page->as_array()) {
            found[text(info.as_object(), "name")] = read_durable(info.as_object());
        }
    }
    co_return found;
}

Task<Result<DurableState>> ensure_durable(Client& client, MonotonicTime deadline,
                                          std::string stream, std::string name, std::string subject,
                                          Duration answer_within, std::int64_t held_max) {
    object config;
    config["durable_name"] = name;
    config["deliver_policy"] = "all";
    config["ack_policy"] = "explicit";
    config["ack_wait"] = answer_within.count();
    config["max_deliver"] = -1;
    config["filter_subject"] = subject;
    config["replay_policy"] = "instant";
    config["max_ack_pending"] = held_max;
    object request;
    request["stream_name"] = stream;
    request["config"] = std::move(config);
    std::string create = "$JS.API.CONSUMER.DURABLE.CREATE." + stream + "." + name;
    RP_CO_TRY(const object info,
              co_await call(client, deadline, std::move(create), std::move(request)));
    co_return read_durable(info);
}

Task<Result<void>> purge(Client& client, MonotonicTime deadline, std::string stream,
                         std::uint64_t first) {
    object request;
    request["seq"] = first;
    std::string ask = "$JS.API.STREAM.PURGE." + stream;
    const auto done = co_await call(client, deadline, std::move(ask), std::move(request));
    co_return done.map([](const object&) {});
}

Task<Result<Entry>> read_entry(Client& client, MonotonicTime deadline, std::string table,
                               std::string subject) {
    object request;
    request["last_by_subj"] = subject;
    std::string ask = "$JS.API.STREAM.MSG.GET." + table;
    const auto answer = co_await call(client, deadline, std::move(ask), std::move(request));
    Entry entry;
    if (!answer) {
        // Not the table: ensure_table() was there.
        if (answer.error().code() == "not-found" &&
            answer.error().message().find("stream") == std::string::npos) {
            co_return entry;
        }
        co_return failure(answer.error());
    }
    const object& message = part(*answer, "message");
    entry.sequence = static_cast<std::uint64_t>(integer(message, "seq"));
    entry.body = decode_base64(text(message, "data"));
    co_return entry;
}

Task<Result<bool>> write_entry(Client& client, MonotonicTime deadline, std::string table,
                               std::string subject, std::uint64_t seen, std::string body) {
    Outgoing message;
    message.subject = std::move(subject);
    message.headers.emplace_back("Nats-Expected-Last-Subject-Sequence", std::to_string(seen));
    message.body = std::move(body);
    const auto answer = co_await client.request(deadline, std::move(message));
    if (!answer) { co_return failure(answer.error()); }
    const auto written = read_acceptance(answer->body, table);
    if (!written && written.error().code() == "wrong-sequence") { co_return false; }
    co_return written.map([] { return true; });
}

}  // namespace rushproof::nats
