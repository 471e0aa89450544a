// Errors as HTTP sees them: RFC 9457 application/problem+json, always with a `code` for programs.
#pragma once
#include <string_view>

#include "core/base/error.hpp"
#include "core/ports/http.hpp"

namespace rushproof {

// {"title": the status's own phrase, "status": status, "code": code, "detail": detail}.
HttpResponse problem(int status, std::string_view code, std::string_view detail);

// The one place that decides how an error is answered: 503 with Retry-After for retryable ones, 504
// for unknown outcomes (repeat with the same Idempotency-Key to find out), 4xx by code for those
// that callers cause, and 500 without detail for everything else.  A member "kind" tells which.
HttpResponse problem(const Error& error);

}  // namespace rushproof
