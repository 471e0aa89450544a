#include "core/real/nats/client.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <random>

#include "core/runtime/resumption.hpp"

namespace rushproof::nats {

namespace {

using asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto connect_within = std::chrono::seconds(2);
constexpr auto ping_every = std::chrono::seconds(1);
constexpr int pings_unanswered_max = 3;
constexpr auto pause_first = std::chrono::milliseconds(20);
constexpr auto pause_max = std::chrono::milliseconds(1000);
constexpr std::size_t waiting_bytes_max = 16 << 20;
constexpr std::uint64_t answers = 1;  // the subscription to all answers
constexpr std::size_t read_size = 64 << 10;

SteadyClock::time_point on_steady_clock(MonotonicTime at) {
    return SteadyClock::time_point(at.time_since_epoch());
}

Error unavailable(const std::string& why) {
    return Error(ErrorKind::retryable, "unavailable", "NATS cannot be reached" + why);
}

std::uint64_t random_number() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

// Between half and all of it.
Duration with_jitter(Duration pause) {
    return pause / 2 + Duration(random_number() % static_cast<std::uint64_t>(pause.count() / 2));
}

}  // namespace

MonotonicTime now() { return MonotonicTime(SteadyClock::now().time_since_epoch()); }

Result<std::vector<ServerAddress>> parse_servers(const std::string& urls) {
    const auto malformed = [](const char* why) {
        return failure(
            ErrorKind::permanent, "malformed",
            std::string("the URL of NATS ") + why + "; write nats://[user:password@]host[:port]");
    };
    std::vector<ServerAddress> servers;
    for (std::size_t begin = 0; begin <= urls.size();) {
        const auto end = std::min(urls.find(',', begin), urls.size());
        std::string_view url = std::string_view(urls).substr(begin, end - begin);
        begin = end + 1;
        while (url.starts_with(' ')) { url.remove_prefix(1); }
        while (url.ends_with(' ') || url.ends_with('/')) { url.remove_suffix(1); }
        if (url.starts_with("tls://")) { return malformed("asks for TLS, which is not spoken"); }
        if (const auto scheme = url.find("://"); scheme != url.npos) {
            if (!url.starts_with("nats://")) { return malformed("has another scheme"); }
            url.remove_prefix(scheme + 3);
        }
        ServerAddress server;
        if (const auto at = url.rfind('@'); at != url.npos) {
            const auto colon = std::min(url.substr(0, at).find(':'), at);
            server.user = url.substr(0, colon);
            if (colon < at) { server.password = url.substr(colon + 1, at - colon - 1); }
            url.remove_prefix(at + 1);
        }
        const auto bracket = url.starts_with('[') ? url.find(']') : 0;
        const auto colon = bracket == url.npos ? url.npos : url.find(':', bracket);
        server.host = url.substr(bracket > 0 && bracket != url.npos ? 1 : 0,
                                 bracket > 0 && bracket != url.npos ? bracket - 1 : colon);
        server.port = colon == url.npos ? "4222" : std::string(url.substr(colon + 1));
        if (server.host.empty()) { return malformed("names no host"); }
        if (server.port.empty() ||
            server.port.find_first_not_of("0123456789") != std::string::npos) {
            return malformed("has a port that is no number");
        }
        servers.push_back(std::move(server));
    }
    return servers;
}

Client::Client(asio::any_io_executor executor, std::vector<ServerAddress> servers,
               Telemetry& telemetry)
    : executor_(executor),
      servers_(std::move(servers)),
      telemetry_(telemetry),
      connected_gauge_(telemetry.gauge("nats_connected", "1 while NATS is connected")),
      connects_(telemetry.counter("nats_connects_total", "Connections that NATS accepted")),
      socket_(executor),
      pause_(executor),
      expiry_(executor, [this] { expire(); }),
      parser_(Parser::Events()),
      buffer_(read_size),
      inbox_("_INBOX." + std::to_string(random_number()) + ".") {}

void Client::start() {
    if (started_) { return; }
    started_ = true;
    asio::co_spawn(executor_, [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void Client::stop() {
    stopped_ = true;
    pause_.cancel();
    lose();
}

Task<void> Client::run() {
    Duration pause = pause_first;
    for (std::size_t turn = 0; !stopped_; ++turn) {
        const ServerAddress& server = servers_[turn % servers_.size()];
        if (auto greeted = co_await connect(server); greeted && !stopped_) {
            pause = pause_first;
            connects_.add();
            co_await read_until_the_end();
        } else if (!greeted && pause == pause_first) {
            telemetry_.log(LogLevel::warning, "NATS cannot be connected",
                           {{"host", server.host}, {"why", greeted.error().message()}});
        }
        lose();
        if (stopped_) { break; }
        pause_.expires_after(with_jitter(pause));
        co_await pause_.async_wait(await_tuple);
        pause = std::min<Duration>(pause * 2, pause_max);
    }
}

Task<Result<void>> Client::connect(const ServerAddress& server) {
    using asio::experimental::awaitable_operators::operator||;
    asio::steady_timer limit(executor_, connect_within);
    const auto done = co_await (greet(server) || limit.async_wait(await_tuple));
    if (done.index() == 1) { co_return failure(unavailable(": it does not answer")); }
    co_return std::get<0>(done);
}

Task<Result<void>> Client::greet(const ServerAddress& server) {
    tcp::resolver resolver(executor_);
    const auto [unknown, found] =
        co_await resolver.async_resolve(server.host, server.port, await_tuple);
    if (unknown) { co_return failure(unavailable(": " + unknown.message())); }
    boost::system::error_code error = asio::error::host_not_found;
    for (const auto& entry : found) {
        socket_ = tcp::socket(executor_);
        std::tie(error) = co_await socket_.async_connect(entry.endpoint(), await_tuple);
        if (!error) { break; }
    }
    if (error) { co_return failure(unavailable(": " + error.message())); }
    socket_.set_option(tcp::no_delay(true), error);

    ++connection_;
    greeted_ = false;
    refused_.clear();
    pings_unanswered_ = 0;
    informed_ = false;
    parser_ = Parser(events());
    while (!informed_) { RP_CO_CHECK(co_await read_some()); }
    if (needs_tls_) { co_return failure(unavailable(": it wants TLS, which is not spoken")); }

    boost::json::object hello = {
        {"verbose", false},      {"pedantic", false},   {"lang", "rushproof"},
        {"version", "1"},        {"protocol", 1},       {"headers", true},
        {"no_responders", true}, {"name", "rushproof"}, {"echo", true}};
    if (server.password.empty() && !server.user.empty()) {
        hello["auth_token"] = server.user;
    } else if (!server.user.empty()) {
        hello["user"] = server.user;
        hello["pass"] = server.password;
    }
    const std::string text = "CONNECT " + boost::json::serialize(hello) + "\r\nSUB " + inbox_ +
                             "* " + std::to_string(answers) + "\r\nPING\r\n";
    std::tie(error, std::ignore) =
        co_await asio::async_write(socket_, asio::buffer(text), await_tuple);
    if (error) { co_return failure(unavailable(": " + error.message())); }
    while (!greeted_) {
        RP_CO_CHECK(co_await read_some());
        if (!refused_.empty()) { co_return failure(unavailable(":" + refused_)); }
    }
    co_return Result<void>();
}

Parser::Events Client::events() {
    Parser::Events events;
    events.info = [this](std::string_view json) { read_info(json); };
    events.message = [this](Incoming message) { receive(std::move(message)); };
    events.ping = [this] { put_line("PONG\r\n"); };
    events.pong = [this] { greeted_ = true; };
    events.error = [this](std::string_view reason) { refused_ = reason; };
    return events;
}

void Client::read_info(std::string_view json) {
    boost::system::error_code broken;
    const auto info = boost::json::parse(json, broken);
    if (broken || !info.is_object()) { return; }
    informed_ = true;
    const auto& members = info.as_object();
    if (const auto* max = members.if_contains("max_payload"); max && max->is_int64()) {
        payload_max_ = static_cast<std::size_t>(max->as_int64());
    }
    const auto* tls = members.if_contains("tls_required");
    needs_tls_ = tls != nullptr && tls->is_bool() && tls->as_bool();
}

Task<Result<void>> Client::read_some() {
    const auto [error, got] = co_await socket_.async_read_some(asio::buffer(buffer_), await_tuple);
    if (error) { co_return failure(unavailable(": " + error.message())); }
    pings_unanswered_ = 0;
    co_return parser_.feed(std::string_view(buffer_.data(), got));
}

Task<void> Client::read_until_the_end() {
    connected_ = true;
    connected_gauge_.set(1);
    telemetry_.log(LogLevel::info, "NATS is connected", {});
    asio::co_spawn(
        executor_,
        [self = shared_from_this(), connection = connection_] { return self->watch(connection); },
        asio::detached);
    tell_listeners();
    write_soon();
    for (;;) {
        const auto read = co_await read_some();
        if (!read) {
            telemetry_.log(LogLevel::warning, "NATS is disconnected",
                           {{"why", read.error().message()}});
            co_return;
        }
        if (!connected_) { co_return; }
    }
}

// Notices a server that is connected and silent.
Task<void> Client::watch(std::uint64_t connection) {
    asio::steady_timer timer(executor_);
    while (connected_ && connection_ == connection) {
        if (++pings_unanswered_ > pings_unanswered_max) {
            boost::system::error_code ignored;
            socket_.close(ignored);
            co_return;
        }
        put_line("PING\r\n");
        timer.expires_after(ping_every);
        co_await timer.async_wait(await_tuple);
    }
}

Task<bool> Client::wait_until_connected(MonotonicTime deadline) {
    if (connected_ || stopped_) { co_return connected_; }
    asio::steady_timer timer(executor_, on_steady_clock(deadline));
    const auto told = listen([&timer] { timer.cancel(); });
    co_await timer.async_wait(await_tuple);
    co_return connected_;
}

void Client::put_line(std::string_view line) {
    waiting_ += line;
    accepted_ += line.size();
    write_soon();
}

void Client::put(std::string_view reply, const Outgoing& message) {
    const std::size_t before = waiting_.size();
    append(waiting_, message, reply);
    accepted_ += waiting_.size() - before;
    write_soon();
}

Result<void> Client::send(const Outgoing& message) {
    if (!connected_ || waiting_.size() > waiting_bytes_max) { return failure(unavailable("")); }
    put("", message);
    return {};
}

void Client::ask(MonotonicTime deadline, const Outgoing& message, Answered answered) {
    if (!connected_ || waiting_.size() > waiting_bytes_max) {
        return answered(failure(unavailable("")));
    }
    const std::uint64_t number = free_number();
    questions_.emplace(number, Question{accepted_, deadline, std::move(answered)});
    deadlines_.emplace(deadline, number);
    put(inbox_ + std::to_string(number), message);
    expiry_.set(deadline);
}

Task<Result<Incoming>> Client::request(MonotonicTime deadline, Outgoing message) {
    auto start = [self = shared_from_this(), deadline,
                  sent = std::move(message)](Resumption<Result<Incoming>> resumption) {
        auto shared = std::make_shared<Resumption<Result<Incoming>>>(std::move(resumption));
        self->ask(deadline, sent,
                  [shared](Result<Incoming> result) { (*shared)(std::move(result)); });
    };
    return suspend<Result<Incoming>>(std::move(start));
}

std::uint64_t Client::free_number() {
    if (free_numbers_.empty()) { return ++last_number_; }
    const std::uint64_t number = free_numbers_.back();
    free_numbers_.pop_back();
    return number;
}

void Client::reuse(const std::string& subject) {
    if (is_answer(subject)) { free_numbers_.push_back(number_in(subject)); }
}

std::uint64_t Client::open_inbox(Receiver receiver) {
    const std::uint64_t number = ++last_number_;
    inboxes_.emplace(number, std::move(receiver));
    const std::string text = std::to_string(number);
    // Not below the general inbox: when this one is closed, the server must see that nobody
    // listens.
    put_line("SUB " + own_inbox(number) + " " + text + "\r\n");
    return number;
}

std::string Client::own_inbox(std::uint64_t number) const {
    return inbox_ + "own." + std::to_string(number);
}

void Client::close_inbox(std::uint64_t number) {
    if (inboxes_.erase(number) > 0) { put_line("UNSUB " + std::to_string(number) + "\r\n"); }
}

Result<void> Client::send(const Outgoing& message, std::uint64_t inbox) {
    if (!connected_) { return failure(unavailable("")); }
    put(own_inbox(inbox), message);
    return {};
}

std::shared_ptr<Client::Listener> Client::listen(Listener listener) {
    std::erase_if(listeners_, [](const auto& known) { return known.expired(); });
    auto kept = std::make_shared<Listener>(std::move(listener));
    listeners_.push_back(kept);
    return kept;
}

void Client::tell_listeners() {
    const auto listeners = listeners_;
    for (const auto& listener : listeners) {
        if (const auto kept = listener.lock()) { (*kept)(); }
    }
}

bool Client::is_answer(const std::string& subject) const { return subject.starts_with(inbox_); }

std::uint64_t Client::number_in(const std::string& answer) const {
    return std::strtoull(answer.c_str() + inbox_.size(), nullptr, 10);
}

void Client::receive(Incoming message) {
    if (const auto inbox = inboxes_.find(message.subscription); inbox != inboxes_.end()) {
        const Receiver receiver = inbox->second;  // it may close its inbox
        return receiver(std::move(message));
    }
    if (message.subscription != answers || !is_answer(message.subject)) { return; }
    const std::uint64_t number = number_in(message.subject);
    if (message.status == 503) {
        return answer(number, failure(ErrorKind::retryable, "no-responders",
                                      "nobody at NATS listens to this"));
    }
    answer(number, std::move(message));
}

void Client::answer(std::uint64_t number, Result<Incoming> result) {
    const auto found = questions_.find(number);
    if (found == questions_.end()) { return; }
    const Answered answered = std::move(found->second.answered);
    deadlines_.erase({found->second.deadline, number});
    questions_.erase(found);
    answered(std::move(result));
}

void Client::expire() {
    const auto self = shared_from_this();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now()) {
        answer(deadlines_.begin()->second, failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                                                   "NATS did not answer in time"));
    }
    if (!deadlines_.empty()) { expiry_.set(deadlines_.begin()->first); }
}

// Later, so that all that this turn of the executor has to say goes out in one piece.
void Client::write_soon() {
    if (write_under_way_ || !connected_ || waiting_.empty()) { return; }
    write_under_way_ = true;
    asio::post(executor_,
               [self = shared_from_this(), connection = connection_] { self->write(connection); });
}

void Client::write(std::uint64_t connection) {
    if (connection_ != connection) { return; }
    if (!connected_ || waiting_.empty()) {
        write_under_way_ = false;
        return;
    }
    writing_.clear();
    writing_.swap(waiting_);
    written_ = accepted_;
    asio::async_write(
        socket_, asio::buffer(writing_),
        [self = shared_from_this(), connection](boost::system::error_code error, std::size_t) {
            if (!error) { self->write(connection); }  // else the reader sees it too, and ends it
        });
}

// Ends the connection, if there is one.
void Client::lose() {
    const bool was_connected = std::exchange(connected_, false);
    boost::system::error_code ignored;
    socket_.close(ignored);
    write_under_way_ = false;
    waiting_.clear();
    inboxes_.clear();
    connected_gauge_.set(0);
    // What was not handed to the system never left.
    auto questions = std::exchange(questions_, {});
    deadlines_.clear();
    const std::uint64_t written = written_;
    accepted_ = written_;
    for (auto& [number, question] : questions) {
        question.answered(question.begins >= written
                              ? failure(unavailable(""))
                              : failure(ErrorKind::unknown_outcome, "connection-lost",
                                        "NATS was disconnected before it answered"));
    }
    if (was_connected || stopped_) { tell_listeners(); }
}

}  // namespace rushproof::nats
