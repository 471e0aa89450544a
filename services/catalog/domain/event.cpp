#include "services/catalog/domain/event.hpp"

#include "core/runtime/json.hpp"

namespace rushproof::catalog {

std::int64_t version_in(const std::string& body) {
    return JsonBody(body).integer("version").value_or(0);
}

}  // namespace rushproof::catalog
