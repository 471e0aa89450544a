// What can go wrong, sorted by what the caller may do about it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rushproof {

// retryable: had no effect, and the same call may work later.
// permanent: had no effect, and the same call will fail again.
// unknown_outcome: may have taken effect, may still take effect, may never.  Only an idempotent
// repeat or a later read can tell.
enum class ErrorKind : std::uint8_t { retryable, permanent, unknown_outcome };

std::string_view to_string(ErrorKind kind);

// `code` is for programs: a stable word in kebab-case ("insufficient-stock").  It exists only where
// some caller reacts to it differently.  `message` is for people and holds no personal data.
class Error {
public:
    Error(ErrorKind kind, std::string code, std::string message)
        : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

    ErrorKind kind() const { return kind_; }
    const std::string& code() const { return code_; }
    const std::string& message() const { return message_; }

    friend bool operator==(const Error&, const Error&) = default;

private:
    ErrorKind kind_;
    std::string code_;
    std::string message_;
};

}  // namespace rushproof
