#include "core/real/grpc/grpc_server.hpp"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <set>
#include <thread>
#include <utility>

#include "core/base/assert.hpp"
#include "core/real/beast/rate_limiter.hpp"
#include "core/real/grpc/grpc_reflection.hpp"
#include "core/runtime/context_text.hpp"

namespace rushproof {

namespace {

using grpc::StatusCode;

struct CodeStatus {
    std::string_view code;
    StatusCode status;
};

constexpr std::array permanent_codes{
    CodeStatus{"malformed", StatusCode::INVALID_ARGUMENT},
    CodeStatus{"missing-header", StatusCode::INVALID_ARGUMENT},
    CodeStatus{"invalid", StatusCode::INVALID_ARGUMENT},
    CodeStatus{"key-reused", StatusCode::INVALID_ARGUMENT},
    CodeStatus{"not-found", StatusCode::NOT_FOUND},
    CodeStatus{"insufficient-stock", StatusCode::FAILED_PRECONDITION},
    CodeStatus{"not-held", StatusCode::FAILED_PRECONDITION},
    CodeStatus{"conflict", StatusCode::ABORTED},
    CodeStatus{"unimplemented", StatusCode::UNIMPLEMENTED},
};

StatusCode status_code(const Error& error) {
    if (error.code() == "deadline-exceeded") { return StatusCode::DEADLINE_EXCEEDED; }
    switch (error.kind()) {
        case ErrorKind::retryable: return StatusCode::UNAVAILABLE;
        case ErrorKind::unknown_outcome: return StatusCode::UNKNOWN;
        case ErrorKind::permanent: break;
    }
    for (const CodeStatus& known : permanent_codes) {
        if (known.code == error.code()) { return known.status; }
    }
    return StatusCode::INTERNAL;
}

std::string text_of(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    std::string text;
    if (!buffer.Dump(&slices).ok()) { return text; }
    for (const grpc::Slice& slice : slices) {
        text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return text;
}

grpc::ByteBuffer buffer_of(const std::string& text) {
    const grpc::Slice slice(text);
    return {&slice, 1};
}

std::set<std::string, std::less<>> streams_among(const std::vector<std::string>& methods) {
    std::set<std::string, std::less<>> streams;
    const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
    for (const std::string& method : methods) {
        std::string name = method;
        std::replace(name.begin(), name.end(), '/', '.');
        const auto* description = pool.FindMethodByName(name);
        if (description != nullptr && description->client_streaming()) { streams.insert(method); }
    }
    return streams;
}

// "ipv4:127.0.0.1:4711" without the port.
std::string client_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

Error refused(ErrorKind kind, std::string code, std::string message) {
    return {kind, std::move(code), std::move(message)};
}

}  // namespace

class GrpcServer::Implementation final : public grpc::CallbackGenericService {
public:
    Implementation(std::vector<GrpcServerCore> cores, const GrpcServerOptions& options,
                   Telemetry& telemetry);

    Result<void> listen();
    std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }
    Task<void> drain();

private:
    class Call;
    class ReflectionStream;

    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override;

    // Why a new call, or the next request of one, cannot be taken, if so.
    std::optional<Error> refusal(const grpc::GenericCallbackServerContext& context);
    const GrpcServerCore& next_core() {
        return cores_[next_core_.fetch_add(1, std::memory_order_relaxed) % cores_.size()];
    }

    const std::vector<GrpcServerCore> cores_;
    const GrpcServerOptions options_;
    const GrpcReflection reflection_;
    const std::set<std::string, std::less<>> streams_;  // methods that take one
    std::optional<RateLimiter> rate_limiter_;
    Counter& answered_;
    Counter& failed_;
    std::atomic<std::size_t> next_core_ = 0;
    std::atomic<std::size_t> calls_ = 0;
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
    std::atomic<bool> draining_now_ = false;
    std::thread draining_;
};

// One call: gRPC's threads read and write, a core answers.
class GrpcServer::Implementation::Call final : public grpc::ServerGenericBidiReactor {
public:
    Call(Implementation& server, grpc::GenericCallbackServerContext& context)
        : server_(server),
          context_(context),
          core_(server.next_core()),
          method_(std::string_view(context.method()).substr(1)),
          takes_stream_(server.streams_.contains(method_)) {
        ++server_.calls_;
        StartRead(&request_);
    }

private:
    void OnReadDone(bool ok) override {
        if (!ok && last_) {
            finish(*std::move(last_));
            return;
        }
        if (!ok) {
            finish(failure(refused(ErrorKind::permanent, "malformed", "the call has no message")));
            return;
        }
        if (auto error = server_.refusal(context_)) {
            finish(failure(*std::move(error)));
            return;
        }
        auto context = read_context(*core_.clock);
        if (!context) {
            finish(failure(std::move(context).error()));
            return;
        }
        asio::co_spawn(core_.executor,
                       core_.router->answer(*std::move(context), method_, text_of(request_)),
                       [this](const std::exception_ptr&, Result<std::string> answer) {
                           go_on(std::move(answer));
                       });
    }
    void go_on(Result<std::string> answer) {
        if (answer) { ++accepted_; }
        if (!takes_stream_ || !answer) {
            finish(std::move(answer));
            return;
        }
        last_ = std::move(answer);
        StartRead(&request_);
    }
    void OnDone() override {
        --server_.calls_;
        delete this;
    }

    Result<Context> read_context(const Clock& clock) const {
        Context context(clock.monotonic() + time_left());
        auto key = percent_decoded(metadata("idempotency-key"));
        auto principal = percent_decoded(metadata("x-owner"));
        auto position = percent_decoded(metadata("rushproof-position"));
        if (!key || !principal || !position) {
            return failure(ErrorKind::permanent, "malformed",
                           "idempotency-key, x-owner or rushproof-position has a bad "
                           "percent-encoding");
        }
        context.idempotency_key = *std::move(key);
        context.principal = *std::move(principal);
        context.position = *std::move(position);
        context.trace = parse_traceparent(metadata("traceparent"));
        return context;
    }
    Duration time_left() const {
        const auto now = std::chrono::system_clock::now();
        const auto deadline = context_.deadline();
        const auto limit = now + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                     server_.options_.request_timeout);
        return std::max<Duration>(std::min(deadline, limit) - now, Duration::zero());
    }
    std::string_view metadata(const char* name) const {
        const auto& all = context_.client_metadata();
        const auto found = all.find(name);
        return found == all.end() ? std::string_view()
                                  : std::string_view(found->second.data(), found->second.size());
    }

    void finish(Result<std::string> answer) {
        if (takes_stream_) {
            context_.AddTrailingMetadata("rushproof-accepted", std::to_string(accepted_));
        }
        if (answer) {
            server_.answered_.add();
            response_ = buffer_of(*answer);
            StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
            return;
        }
        server_.failed_.add();
        const Error& error = answer.error();
        context_.AddTrailingMetadata("rushproof-kind", std::string(to_string(error.kind())));
        context_.AddTrailingMetadata("rushproof-code", error.code());
        Finish(grpc::Status(status_code(error), error.message()));
    }

    Implementation& server_;
    grpc::GenericCallbackServerContext& context_;
    const GrpcServerCore& core_;
    const std::string_view method_;  // "inventory.v1.Inventory/Reserve"; of the context
    const bool takes_stream_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
    std::optional<Result<std::string>> last_;
    std::size_t accepted_ = 0;
};

class GrpcServer::Implementation::ReflectionStream final : public grpc::ServerGenericBidiReactor {
public:
    explicit ReflectionStream(const GrpcReflection& reflection) : reflection_(reflection) {
        StartRead(&request_);
    }

private:
    void OnReadDone(bool ok) override {
        if (!ok) {
            Finish(grpc::Status::OK);
            return;
        }
        response_ = buffer_of(reflection_.answer(text_of(request_)));
        StartWrite(&response_);
    }
    void OnWriteDone(bool ok) override {
        if (!ok) {
            Finish(grpc::Status::CANCELLED);
            return;
        }
        StartRead(&request_);
    }
    void OnDone() override { delete this; }

    const GrpcReflection& reflection_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
};

GrpcServer::Implementation::Implementation(std::vector<GrpcServerCore> cores,
                                           const GrpcServerOptions& options, Telemetry& telemetry)
    : cores_(std::move(cores)),
      options_(options),
      reflection_(cores_.front().router->names()),
      streams_(streams_among(cores_.front().router->names())),
      answered_(telemetry.counter("grpc_answers_total", "Calls over gRPC", {{"status", "ok"}})),
      failed_(telemetry.counter("grpc_answers_total", "Calls over gRPC", {{"status", "error"}})) {
    if (options.rate_limit_per_client) { rate_limiter_.emplace(*options.rate_limit_per_client); }
}

Result<void> GrpcServer::Implementation::listen() {
    const bool is_ipv6 = options_.address.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? "[" + options_.address + "]" : options_.address;
    const std::string place = host + ":" + std::to_string(options_.port);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(this);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options_.message_bytes_max));
    // Two servers on one port would each get a part of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(place, grpc::InsecureServerCredentials(), &port_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) {
        return failure(ErrorKind::permanent, "cannot-listen", "cannot listen on " + place);
    }
    return {};
}

std::optional<Error> GrpcServer::Implementation::refusal(
    const grpc::GenericCallbackServerContext& context) {
    if (draining_now_) {
        return refused(ErrorKind::retryable, "stopping", "the server is stopping");
    }
    if (calls_ > options_.calls_in_flight_max) {
        return refused(ErrorKind::retryable, "overloaded", "too many calls at once");
    }
    if (rate_limiter_ &&
        rate_limiter_->refused(client_of(context.peer()), cores_.front().clock->monotonic())) {
        return refused(ErrorKind::retryable, "rate-limited", "this client calls too often");
    }
    return std::nullopt;
}

// gRPC owns what is returned until its OnDone().
grpc::ServerGenericBidiReactor* GrpcServer::Implementation::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
    const std::string_view method = std::string_view(context->method()).substr(1);
    if (std::ranges::find(reflection_methods, method) != std::end(reflection_methods)) {
        return new ReflectionStream(reflection_);
    }
    return new Call(*this, *context);
}

Task<void> GrpcServer::Implementation::drain() {
    draining_now_ = true;
    auto start = [this](auto handler) {
        draining_ = std::thread([this, handler = std::move(handler)]() mutable {
            // Answers come within the timeout; what is late by then is cut off.
            const auto enough = options_.request_timeout + std::chrono::seconds(1);
            server_->Shutdown(
                std::chrono::system_clock::now() +
                std::chrono::duration_cast<std::chrono::system_clock::duration>(enough));
            const auto executor = asio::get_associated_executor(handler);
            asio::post(executor, std::move(handler));
        });
    };
    auto ended = asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(start),
                                                                             asio::use_awaitable);
    co_await std::move(ended);
    draining_.join();
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::create(std::vector<GrpcServerCore> cores,
                                                       const GrpcServerOptions& options,
                                                       Telemetry& telemetry) {
    RP_ASSERT(!cores.empty());
    auto implementation = std::make_unique<Implementation>(std::move(cores), options, telemetry);
    RP_CHECK(implementation->listen());
    return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(implementation)));
}

GrpcServer::GrpcServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
GrpcServer::~GrpcServer() = default;

std::uint16_t GrpcServer::port() const { return implementation_->port(); }
Task<void> GrpcServer::drain() { return implementation_->drain(); }

}  // namespace rushproof
