// Server reflection: which methods there are, and the files that describe their messages.  gRPC's
// own plugin does not see methods that are mounted by name.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace rushproof {

inline constexpr std::string_view reflection_methods[] = {
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
};

class GrpcReflection {
public:
    // `methods` as mounted: "inventory.v1.Inventory/Reserve".
    explicit GrpcReflection(const std::vector<std::string>& methods);

    // A ServerReflectionResponse for a ServerReflectionRequest; an error response for what is
    // unknown, not asked or malformed.  Any threads at once.
    std::string answer(const std::string& request) const;

private:
    std::vector<std::string> services_;
};

}  // namespace rushproof
