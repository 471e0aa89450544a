// One rushproofd process of ours.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace rushproof::simulator {

// Used by one thread at a time.  The process dies with the thread that started it.
class Child {
public:
    // Its output is appended to `log`.  It finds `ready` open as descriptor `ready_descriptor`.
    static Result<Child> start(const std::string& program,
                               const std::vector<std::string>& arguments,
                               const std::filesystem::path& log, int ready);
    static constexpr int ready_descriptor = 3;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();  // kills it

    pid_t pid() const { return pid_; }
    bool running();
    void signal(int number) const;
    // The wait status, or nothing when it still runs after `timeout`.
    std::optional<int> wait(std::chrono::milliseconds timeout);
    // Highest resident set so far, in bytes; 0 when it is gone.
    std::int64_t memory_peak() const;

private:
    explicit Child(pid_t pid) : pid_(pid) {}

    pid_t pid_ = -1;
    std::optional<int> status_;
};

// "exit 0", "signal 9".
std::string status_text(int status);

}  // namespace rushproof::simulator
