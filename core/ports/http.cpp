#include "core/ports/http.hpp"

namespace rushproof {

namespace {

std::string_view find(const HttpFields& fields, std::string_view name) {
    for (const auto& [key, value] : fields) {
        if (key == name) { return value; }
    }
    return {};
}

}  // namespace

std::string_view HttpRequest::field(std::string_view name) const { return find(fields, name); }
std::string_view HttpRequest::parameter(std::string_view name) const {
    return find(parameters, name);
}
std::string_view HttpRequest::query(std::string_view name) const { return find(queries, name); }

}  // namespace rushproof
