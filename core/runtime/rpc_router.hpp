// Finds the handler of a call by method, and the form in which its answer travels.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/rpc.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

class RpcRouter {
public:
    // Logs what handlers throw; `telemetry` must outlive the router.
    explicit RpcRouter(Telemetry& telemetry) : telemetry_(telemetry) {}

    // Adding a name twice is our own bug.
    void add(std::vector<RpcMethod> methods);

    // Of all methods, in alphabetical order.
    std::vector<std::string> names() const;

    // What the handler answered.  Permanent "unimplemented" for a method that nobody mounted;
    // unknown outcome "internal" when the handler throws.  `method` is read before this returns.
    Task<Result<std::string>> answer(Context context, std::string_view method,
                                     std::string request) const;

private:
    using Methods = std::map<std::string, RpcHandler, std::less<>>;

    Task<Result<std::string>> run(const Methods::value_type& method, Context context,
                                  std::string request) const;

    Telemetry& telemetry_;
    Methods methods_;
};

// An answer on the wire: one byte, 0 for ok, else 1 + the error's kind; after ok the message, after
// an error its code, a line feed and its text.
std::string encode_answer(const Result<std::string>& answer);
// Bytes that are no answer give unknown outcome "malformed-answer": the call may have worked.
Result<std::string> decode_answer(std::string bytes);

}  // namespace rushproof
