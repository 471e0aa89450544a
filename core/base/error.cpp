#include "core/base/error.hpp"

namespace rushproof {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::retryable: return "retryable";
        case ErrorKind::permanent: return "permanent";
        case ErrorKind::unknown_outcome: return "unknown outcome";
    }
    return "invalid";
}

}  // namespace rushproof
