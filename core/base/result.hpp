// Result<T>: a value or an Error.  Exceptions mean "this program cannot start" or "a library
// threw".
#pragma once
#include <tl/expected.hpp>
#include <utility>

#include "core/base/error.hpp"

namespace rushproof {

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(Error error) {
    return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> failure(ErrorKind kind, std::string code, std::string message) {
    return tl::unexpected<Error>(Error(kind, std::move(code), std::move(message)));
}

}  // namespace rushproof

#define RP_JOIN_IMPL(a, b) a##b
#define RP_JOIN(a, b) RP_JOIN_IMPL(a, b)
#define RP_TRY_IMPL(ret, temporary, declaration, expression)                     \
    auto temporary = (expression);                                               \
    if (!temporary) { ret tl::unexpected<rushproof::Error>(temporary.error()); } \
    declaration = *std::move(temporary)
#define RP_CHECK_IMPL(ret, temporary, expression)                \
    if (auto temporary = (expression); !temporary) {             \
        ret tl::unexpected<rushproof::Error>(temporary.error()); \
    }

// RP_TRY(const Row row, find(key));            in functions that return Result
// RP_CO_TRY(const Row row, co_await find(key)); in coroutines that return Task<Result<...>>
// RP_CHECK / RP_CO_CHECK: the same for Result<void>.  Statements, not expressions: g++ 12 cannot
// compile co_await inside a statement expression.
#define RP_TRY(declaration, expression) \
    RP_TRY_IMPL(return, RP_JOIN(rp_result_, __COUNTER__), declaration, expression)
#define RP_CO_TRY(declaration, expression) \
    RP_TRY_IMPL(co_return, RP_JOIN(rp_result_, __COUNTER__), declaration, expression)
#define RP_CHECK(expression) RP_CHECK_IMPL(return, RP_JOIN(rp_result_, __COUNTER__), expression)
#define RP_CO_CHECK(expression) \
    RP_CHECK_IMPL(co_return, RP_JOIN(rp_result_, __COUNTER__), expression)
