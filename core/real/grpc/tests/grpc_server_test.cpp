// Goal: any gRPC client can call our methods: messages, context, errors, limits, reflection, health
// and drain are what its protocol says.  Method: gRPC's own client against a server on loopback.
#include "core/real/grpc/grpc_server.hpp"

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/protocol/diplom.pb.h"
#include "core/protocol/grpc_reflection.pb.h"
#include "core/protocol/inventory.pb.h"
#include "core/real/beast/tests/loopback.hpp"

namespace rushproof {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
namespace reflection = ::grpc::reflection::v1;

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

class GrpcServerTest : public Loopback {
protected:
    void start(GrpcServerOptions options = {}) {
        std::vector<RpcMethod> methods;
        methods.push_back({"inventory.v1.Inventory/Reserve", [this](Context its, std::string body) {
                               return answer(std::move(its), std::move(body));
                           }});
        methods.push_back(
            {"diplom.v1.IngestService/IngestStream", [this](Context its, std::string body) {
                 return answer(std::move(its), std::move(body));
             }});
        router.add(std::move(methods));
        std::vector<GrpcServerCore> cores{{context.get_executor(), &clock, &router}};
        server = GrpcServer::create(std::move(cores), options, telemetry).value();
        channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                                      grpc::InsecureChannelCredentials());
        stub = std::make_unique<grpc::GenericStub>(channel);
    }
    ~GrpcServerTest() override {
        if (server) { run(server->drain()); }
    }

    // Echoes, fails as the message says, or waits for `gate`.
    Task<Result<std::string>> answer(Context its, std::string body) {
        contexts.push_back(std::move(its));
        if (body == "wait") {
            boost::system::error_code opened;
            co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, opened));
        }
        if (body == "retryable") {
            co_return failure(ErrorKind::retryable, "lock-timeout", "later");
        }
        if (body == "permanent") {
            co_return failure(ErrorKind::permanent, "insufficient-stock", "only 2 left");
        }
        if (body == "unknown") {
            co_return failure(ErrorKind::unknown_outcome, "commit-unknown", "maybe");
        }
        if (body == "throw") { throw std::runtime_error("secret"); }
        co_return body;
    }

    struct Answer {
        grpc::ClientContext context;
        grpc::ByteBuffer request;
        grpc::ByteBuffer response;
        grpc::Status status;
        std::atomic<bool> done = false;

        std::string text() const { return text_of(response); }
        std::string trailer(const char* name) const {
            const auto& all = context.GetServerTrailingMetadata();
            const auto found = all.find(name);
            return found == all.end() ? "absent"
                                      : std::string(found->second.data(), found->second.size());
        }
    };
    std::unique_ptr<Answer> begin(const std::string& message,
                                  const std::string& method = "/inventory.v1.Inventory/Reserve") {
        auto answer = std::make_unique<Answer>();
        answer->request = buffer_of(message);
        send(*answer, method);
        return answer;
    }
    void send(Answer& answer, const std::string& method = "/inventory.v1.Inventory/Reserve") {
        stub->UnaryCall(&answer.context, method, grpc::StubOptions(), &answer.request,
                        &answer.response, [&answer](grpc::Status status) {
                            answer.status = std::move(status);
                            answer.done = true;
                        });
    }
    std::unique_ptr<Answer> call(const std::string& message) {
        auto answer = begin(message);
        wait(*answer);
        return answer;
    }
    void wait(const Answer& answer) {
        pump([&] { return answer.done.load(); });
    }

    RpcRouter router{telemetry};
    std::unique_ptr<GrpcServer> server;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<grpc::GenericStub> stub;
    std::vector<Context> contexts;
    asio::steady_timer gate{context, asio::steady_timer::time_point::max()};
};

TEST_F(GrpcServerTest, AnswersWithTheMessage) {
    start();
    const std::string large(100'000, 'x');
    EXPECT_EQ(call("hello")->text(), "hello");
    EXPECT_EQ(call(large)->text(), large);
    EXPECT_EQ(call("")->text(), "");
    EXPECT_TRUE(call("hello")->status.ok());
}

TEST_F(GrpcServerTest, TakesTheContextFromMetadata) {
    start();
    Answer answer;
    answer.context.AddMetadata("idempotency-key", "k%201");
    answer.context.AddMetadata("x-owner", "alice");
    answer.context.AddMetadata("traceparent",
                               "00-00000000000000010000000000000002-0000000000000003-01");
    answer.context.set_deadline(std::chrono::system_clock::now() + 2s);
    answer.request = buffer_of("hello");
    send(answer);
    wait(answer);
    ASSERT_EQ(contexts.size(), 1u);
    EXPECT_EQ(contexts[0].idempotency_key, "k 1");
    EXPECT_EQ(contexts[0].principal, "alice");
    EXPECT_EQ(contexts[0].trace.high, 1u);
    EXPECT_EQ(contexts[0].trace.low, 2u);
    EXPECT_EQ(contexts[0].trace.span, 3u);
    // gRPC writes a timeout of some seconds in steps of 10 ms, rounded up, and works in whole
    // milliseconds.
    EXPECT_LE(contexts[0].deadline, clock.monotonic() + 2s + 12ms);
    EXPECT_GT(contexts[0].deadline, clock.monotonic());
}

TEST_F(GrpcServerTest, ADeadlineIsNeverLongerThanTheServers) {
    GrpcServerOptions options;
    options.request_timeout = 3s;
    start(options);
    call("hello");
    ASSERT_EQ(contexts.size(), 1u);
    EXPECT_LE(contexts[0].deadline, clock.monotonic() + 3s);
}

TEST_F(GrpcServerTest, EveryKindOfErrorHasItsStatusAndIsSaidExactly) {
    start();
    const auto retryable = call("retryable");
    EXPECT_EQ(retryable->status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(retryable->trailer("rushproof-code"), "lock-timeout");
    EXPECT_EQ(retryable->trailer("rushproof-kind"), "retryable");
    const auto permanent = call("permanent");
    EXPECT_EQ(permanent->status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(permanent->status.error_message(), "only 2 left");
    const auto unknown = call("unknown");
    EXPECT_EQ(unknown->status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(unknown->trailer("rushproof-kind"), "unknown outcome");
    const auto thrown = call("throw");
    EXPECT_EQ(thrown->status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(thrown->status.error_message().find("secret"), std::string::npos);
}

TEST_F(GrpcServerTest, RefusesWhatItDoesNotKnow) {
    start();
    const auto nothing = begin("hello", "/inventory.v1.Inventory/Nothing");
    wait(*nothing);
    EXPECT_EQ(nothing->status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    Answer bad;
    bad.context.AddMetadata("x-owner", "%zz");
    bad.request = buffer_of("hello");
    send(bad);
    wait(bad);
    EXPECT_EQ(bad.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_TRUE(contexts.empty());
}

TEST_F(GrpcServerTest, RefusesALargeMessage) {
    GrpcServerOptions options;
    options.message_bytes_max = 1000;
    start(options);
    EXPECT_EQ(call(std::string(2000, 'x'))->status.error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(call(std::string(1000, 'x'))->status.ok());
}

TEST_F(GrpcServerTest, RefusesMoreCallsAtOnceThanItsLimit) {
    GrpcServerOptions options;
    options.calls_in_flight_max = 1;
    start(options);
    const auto first = begin("wait");
    pump([&] { return contexts.size() == 1; });
    EXPECT_EQ(call("hello")->trailer("rushproof-code"), "overloaded");
    gate.cancel();
    wait(*first);
    EXPECT_EQ(first->text(), "wait");
    // The first call's room is free again once gRPC has put it away.
    pump([&] { return call("hello")->status.ok(); });
}

TEST_F(GrpcServerTest, LimitsTheRateOfAClient) {
    GrpcServerOptions options;
    options.rate_limit_per_client = HttpRateLimit{1, 2};
    start(options);
    EXPECT_TRUE(call("1")->status.ok());
    EXPECT_TRUE(call("2")->status.ok());
    EXPECT_EQ(call("3")->trailer("rushproof-code"), "rate-limited");
    clock.advance(1s);
    EXPECT_TRUE(call("4")->status.ok());
}

TEST_F(GrpcServerTest, DrainingAnswersWhatIsUnderWayAndRefusesTheRest) {
    start();
    const auto first = begin("wait");
    pump([&] { return contexts.size() == 1; });
    bool drained = false;
    asio::co_spawn(context, server->drain(), [&](const std::exception_ptr&) { drained = true; });
    pump([&] { return call("hello")->status.error_code() == grpc::StatusCode::UNAVAILABLE; });
    EXPECT_FALSE(drained);
    EXPECT_FALSE(first->done);
    gate.cancel();
    pump([&] { return drained && first->done; });
    EXPECT_EQ(first->text(), "wait");
    server.reset();
}

TEST_F(GrpcServerTest, ACallerThatGoesAwayDoesNoHarm) {
    start();
    const auto gone = begin("wait");
    pump([&] { return contexts.size() == 1; });
    gone->context.TryCancel();
    wait(*gone);
    EXPECT_EQ(gone->status.error_code(), grpc::StatusCode::CANCELLED);
    gate.cancel();
    EXPECT_EQ(call("hello")->text(), "hello");
}

// Asks in a thread of its own, as tools do.
std::vector<reflection::ServerReflectionResponse> ask(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
    const std::vector<reflection::ServerReflectionRequest>& questions) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    void* tag = nullptr;
    bool ok = false;
    auto stream = stub.PrepareCall(&context, "/" + method, &queue);
    stream->StartCall(nullptr);
    queue.Next(&tag, &ok);
    std::vector<reflection::ServerReflectionResponse> answers;
    for (const auto& question : questions) {
        stream->Write(buffer_of(question.SerializeAsString()), nullptr);
        queue.Next(&tag, &ok);
        grpc::ByteBuffer answer;
        stream->Read(&answer, nullptr);
        queue.Next(&tag, &ok);
        answers.emplace_back().ParseFromString(text_of(answer));
    }
    stream->WritesDone(nullptr);
    queue.Next(&tag, &ok);
    grpc::Status status;
    stream->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    EXPECT_TRUE(status.ok());
    return answers;
}

TEST_F(GrpcServerTest, DescribesItself) {
    start();
    EXPECT_EQ(call(inventory::v1::ReserveRequest().SerializeAsString())->text(), "");
    std::vector<reflection::ServerReflectionRequest> questions(4);
    questions[0].set_list_services("*");
    questions[1].set_file_containing_symbol("inventory.v1.Inventory");
    questions[2].set_file_by_filename("no/such.proto");
    for (const char* method : {"grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                               "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
        const auto answers = ask(channel, method, questions);
        ASSERT_EQ(answers.size(), 4u);
        ASSERT_EQ(answers[0].list_services_response().service_size(), 2);
        EXPECT_EQ(answers[0].list_services_response().service(1).name(), "inventory.v1.Inventory");
        google::protobuf::FileDescriptorProto file;
        ASSERT_EQ(answers[1].file_descriptor_response().file_descriptor_proto_size(), 1);
        ASSERT_TRUE(
            file.ParseFromString(answers[1].file_descriptor_response().file_descriptor_proto(0)));
        EXPECT_EQ(file.package(), "inventory.v1");
        EXPECT_EQ(file.service(0).method(0).name(), "Reserve");
        EXPECT_EQ(answers[2].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
        EXPECT_EQ(answers[3].error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    }
}

TEST_F(GrpcServerTest, SaysThatItIsHealthy) {
    start();
    const auto answer = begin("", "/grpc.health.v1.Health/Check");
    wait(*answer);
    EXPECT_TRUE(answer->status.ok()) << answer->status.error_message();
    EXPECT_EQ(answer->text(), "\x08\x01");  // status: SERVING
}

TEST_F(GrpcServerTest, APortThatIsTakenIsAnError) {
    start();
    GrpcServerOptions options;
    options.port = server->port();
    std::vector<GrpcServerCore> cores{{context.get_executor(), &clock, &router}};
    const auto second = GrpcServer::create(std::move(cores), options, telemetry);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), "cannot-listen");
}

// --- streams of requests ---

// Sends its messages one after the other, then says that there are no more, unless it shall not.
class StreamClient final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
public:
    StreamClient(grpc::GenericStub& stub, std::vector<std::string> messages, bool ends = true)
        : messages_(std::move(messages)), ends_(ends) {
        stub.PrepareBidiStreamingCall(&context, "/diplom.v1.IngestService/IngestStream",
                                      grpc::StubOptions(), this);
        StartRead(&response);
        AddHold();
        go_on();
        StartCall();
    }
    std::string trailer(const char* name) const {
        const auto& all = context.GetServerTrailingMetadata();
        const auto found = all.find(name);
        return found == all.end() ? "absent"
                                  : std::string(found->second.data(), found->second.size());
    }

    grpc::ClientContext context;
    grpc::ByteBuffer response;
    grpc::Status status;
    std::atomic<bool> done = false;

private:
    void go_on() {
        if (sent_ < messages_.size()) {
            request_ = buffer_of(messages_[sent_++]);
            StartWrite(&request_);
            return;
        }
        if (ends_) { StartWritesDone(); }
        RemoveHold();
    }
    void OnWriteDone(bool ok) override {
        if (ok) {
            go_on();
        } else {
            RemoveHold();
        }
    }
    void OnDone(const grpc::Status& its_status) override {
        status = its_status;
        done = true;
    }

    std::vector<std::string> messages_;
    bool ends_;
    std::size_t sent_ = 0;
    grpc::ByteBuffer request_;
};

// Whoever mounts a method links its description.
const ::diplom::v1::IngestRequest described;

TEST_F(GrpcServerTest, AnswersAStreamWithItsLastAnswer) {
    start();
    StreamClient client(*stub, {"one", "two", "three"});
    pump([&] { return client.done.load(); });
    EXPECT_TRUE(client.status.ok()) << client.status.error_message();
    EXPECT_EQ(text_of(client.response), "three");
    EXPECT_EQ(client.trailer("rushproof-accepted"), "3");
    EXPECT_EQ(contexts.size(), 3u);
}

TEST_F(GrpcServerTest, EndsAStreamAtItsFirstError) {
    start();
    StreamClient client(*stub, {"one", "retryable", "three"});
    pump([&] { return client.done.load(); });
    EXPECT_EQ(client.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(client.trailer("rushproof-code"), "lock-timeout");
    EXPECT_EQ(client.trailer("rushproof-accepted"), "1");
    EXPECT_EQ(contexts.size(), 2u) << "what comes later is not looked at";
}

TEST_F(GrpcServerTest, RefusesAStreamWithoutMessages) {
    start();
    StreamClient client(*stub, {});
    pump([&] { return client.done.load(); });
    EXPECT_EQ(client.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, TakesNoMoreOfAStreamOnceItDrains) {
    start();
    StreamClient client(*stub, {"wait", "late"});
    pump([&] { return !contexts.empty(); });
    bool drained = false;
    asio::co_spawn(context, server->drain(), [&](const std::exception_ptr&) { drained = true; });
    pump([&] { return call("hello")->status.error_code() == grpc::StatusCode::UNAVAILABLE; });
    gate.cancel();
    pump([&] { return drained && client.done.load(); });
    server.reset();
    EXPECT_EQ(client.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(client.trailer("rushproof-code"), "stopping");
    EXPECT_EQ(client.trailer("rushproof-accepted"), "1");
}

}  // namespace
}  // namespace rushproof
