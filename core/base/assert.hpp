// RP_ASSERT is on in every build and is for our own bugs only; input and neighbours are never
// asserted.  It prints the place and the condition, and aborts.
#pragma once

namespace rushproof {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace rushproof

#define RP_ASSERT(condition) \
    ((condition) ? void(0) : ::rushproof::assertion_failed(#condition, __FILE__, __LINE__))
