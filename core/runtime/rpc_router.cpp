#include "core/runtime/rpc_router.hpp"

#include <exception>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof {

void RpcRouter::add(std::vector<RpcMethod> methods) {
    for (RpcMethod& method : methods) {
        const bool added = methods_.emplace(method.name, std::move(method.handler)).second;
        RP_ASSERT(added);
    }
}

std::vector<std::string> RpcRouter::names() const {
    std::vector<std::string> names;
    for (const auto& [name, handler] : methods_) { names.push_back(name); }
    return names;
}

namespace {

Task<Result<std::string>> refuse(std::string method) {
    co_return failure(ErrorKind::permanent, "unimplemented", "no such method: " + method);
}

}  // namespace

Task<Result<std::string>> RpcRouter::answer(Context context, std::string_view method,
                                            std::string request) const {
    const auto found = methods_.find(method);
    if (found == methods_.end()) { return refuse(std::string(method)); }
    return run(*found, std::move(context), std::move(request));
}

Task<Result<std::string>> RpcRouter::run(const Methods::value_type& method, Context context,
                                         std::string request) const {
    try {
        co_return co_await method.second(std::move(context), std::move(request));
    } catch (const std::exception& error) {
        telemetry_.log(LogLevel::error, "a call's handler threw",
                       {{"method", method.first}, {"what", error.what()}});
    }
    co_return failure(ErrorKind::unknown_outcome, "internal", "");
}

std::string encode_answer(const Result<std::string>& answer) {
    std::string bytes;
    if (answer) {
        bytes.reserve(answer->size() + 1);
        bytes += '\0';
        bytes += *answer;
        return bytes;
    }
    const Error& error = answer.error();
    bytes += static_cast<char>(1 + static_cast<int>(error.kind()));
    bytes += error.code();
    bytes += '\n';
    bytes += error.message();
    return bytes;
}

Result<std::string> decode_answer(std::string bytes) {
    const int first = bytes.empty() ? -1 : bytes.front();
    if (first == 0) {
        bytes.erase(0, 1);
        return bytes;
    }
    const std::size_t line_feed = bytes.find('\n');
    if (first < 1 || first > 3 || line_feed == std::string::npos) {
        return failure(ErrorKind::unknown_outcome, "malformed-answer", "the answer is unreadable");
    }
    return failure(static_cast<ErrorKind>(first - 1), bytes.substr(1, line_feed - 1),
                   bytes.substr(line_feed + 1));
}

}  // namespace rushproof
