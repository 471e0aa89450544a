// Goal: whoever asks by gRPC reflection finds every role that answers calls, each method of which
// its description has.  Method: the methods that the roles themselves name.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>

#include "core/protocol/grpc_reflection.pb.h"
#include "core/real/grpc/grpc_reflection.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "services/catalog/catalog.hpp"
#include "services/ingest/ingest.hpp"
#include "services/inventory/inventory.hpp"
#include "services/processor/processor.hpp"

namespace rushproof {
namespace {

namespace wire = ::grpc::reflection::v1;

wire::ServerReflectionResponse ask(const GrpcReflection& reflection,
                                   const wire::ServerReflectionRequest& question) {
    wire::ServerReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(reflection.answer(question.SerializeAsString())));
    return response;
}

// "catalog.v1.Catalog/Create"
std::set<std::string> described_methods(const GrpcReflection& reflection,
                                        const std::string& service) {
    wire::ServerReflectionRequest question;
    question.set_file_containing_symbol(service);
    const auto response = ask(reflection, question);
    std::set<std::string> methods;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
        google::protobuf::FileDescriptorProto file;
        EXPECT_TRUE(file.ParseFromString(bytes));
        for (const auto& found : file.service()) {
            if (file.package() + '.' + found.name() != service) { continue; }
            for (const auto& method : found.method()) {
                methods.insert(service + '/' + method.name());
            }
        }
    }
    return methods;
}

TEST(Reflection, DescribesEveryRole) {
    FakeEnvironment fake;
    const auto catalog = catalog::make_catalog(fake.environment, catalog::Options());
    const auto inventory = inventory::make_inventory(fake.environment, inventory::Options());
    std::vector<std::string> names;
    std::set<std::string> served;
    const auto ingest = ingest::make_ingest(fake.environment, ingest::Options());
    const auto processor = processor::make_processor(fake.environment, processor::Options());
    for (Service* service : {catalog.get(), ingest.get(), inventory.get(), processor.get()}) {
        for (const RpcMethod& method : service->rpc_methods()) {
            names.push_back(method.name);
            served.insert(method.name);
        }
    }
    const GrpcReflection reflection(names);
    wire::ServerReflectionRequest question;
    question.set_list_services("*");
    const auto listed = ask(reflection, question).list_services_response();
    ASSERT_EQ(listed.service_size(), 5);
    std::set<std::string> described;
    for (const auto& service : listed.service()) {
        described.merge(described_methods(reflection, service.name()));
    }
    EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace rushproof
