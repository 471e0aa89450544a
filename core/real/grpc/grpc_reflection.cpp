#include "core/real/grpc/grpc_reflection.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "core/protocol/grpc_reflection.pb.h"

namespace rushproof {

namespace {

namespace wire = ::grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// gRPC's status numbers.
constexpr int invalid_argument = 3;
constexpr int not_found = 5;

void add_file(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
              wire::FileDescriptorResponse& answer) {
    if (!seen.insert(&file).second) { return; }
    google::protobuf::FileDescriptorProto description;
    file.CopyTo(&description);
    answer.add_file_descriptor_proto(description.SerializeAsString());
    for (int i = 0; i < file.dependency_count(); ++i) {
        add_file(*file.dependency(i), seen, answer);
    }
}

void describe(const FileDescriptor* file, const std::string& asked,
              wire::ServerReflectionResponse& response) {
    if (file == nullptr) {
        response.mutable_error_response()->set_error_code(not_found);
        response.mutable_error_response()->set_error_message("unknown: " + asked);
        return;
    }
    std::set<const FileDescriptor*> seen;
    add_file(*file, seen, *response.mutable_file_descriptor_response());
}

}  // namespace

GrpcReflection::GrpcReflection(const std::vector<std::string>& methods) {
    std::set<std::string> services;
    for (const std::string& method : methods) {
        services.insert(method.substr(0, method.find('/')));
    }
    services_.assign(services.begin(), services.end());
}

std::string GrpcReflection::answer(const std::string& request) const {
    wire::ServerReflectionResponse response;
    wire::ServerReflectionRequest& asked = *response.mutable_original_request();
    const bool parsed = asked.ParseFromString(request);
    response.set_valid_host(asked.host());
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    if (parsed && asked.has_list_services()) {
        for (const std::string& name : services_) {
            response.mutable_list_services_response()->add_service()->set_name(name);
        }
    } else if (parsed && asked.has_file_by_filename()) {
        const std::string& name = asked.file_by_filename();
        describe(pool.FindFileByName(name), name, response);
    } else if (parsed && asked.has_file_containing_symbol()) {
        const std::string& name = asked.file_containing_symbol();
        describe(pool.FindFileContainingSymbol(name), name, response);
    } else {
        response.mutable_error_response()->set_error_code(invalid_argument);
        response.mutable_error_response()->set_error_message(
            "ask for list_services, file_by_filename or file_containing_symbol");
    }
    return response.SerializeAsString();
}

}  // namespace rushproof
