#include "simulator/live/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr auto wait_poll = std::chrono::milliseconds(2);

// Only system calls here: it runs between fork and exec of a program with threads.
[[noreturn]] void become(const std::string& program, const std::vector<char*>& words, int log,
                         int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (ready == Child::ready_descriptor) {
        ::fcntl(ready, F_SETFD, 0);
    } else {
        ::dup2(ready, Child::ready_descriptor);
    }
    ::execv(program.c_str(), words.data());
    ::_exit(127);
}

}  // namespace

Result<Child> Child::start(const std::string& program, const std::vector<std::string>& arguments,
                           const std::filesystem::path& log, int ready) {
    const auto refuse = [&](const std::string& what) {
        return failure(ErrorKind::permanent, "cannot-start", what + ": " + std::strerror(errno));
    };
    if (::access(program.c_str(), X_OK) != 0) {
        return refuse(program + " cannot be run (build it, or name it with --rushproofd)");
    }
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) { return refuse(log.string() + " cannot be written"); }
    std::vector<std::string> texts{program};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> words;
    for (std::string& text : texts) { words.push_back(text.data()); }
    words.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) { become(program, words, file, ready); }
    ::close(file);
    if (pid < 0) { return refuse("no new process"); }
    return Child(pid);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(std::move(other.status_)) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(status_, other.status_);
    return *this;
}

Child::~Child() {
    if (pid_ < 0 || status_) { return; }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool Child::running() { return !wait(std::chrono::milliseconds(0)); }

void Child::signal(int number) const {
    if (pid_ > 0 && !status_) { ::kill(pid_, number); }
}

std::optional<int> Child::wait(std::chrono::milliseconds timeout) {
    const auto give_up = std::chrono::steady_clock::now() + timeout;
    while (!status_) {
        int status = 0;
        const pid_t done = ::waitpid(pid_, &status, WNOHANG);
        if (done == pid_ || (done < 0 && errno == ECHILD)) {
            status_ = status;
        } else if (std::chrono::steady_clock::now() >= give_up) {
            break;
        } else {
            std::this_thread::sleep_for(wait_poll);
        }
    }
    return status_;
}

std::int64_t Child::memory_peak() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    std::string word;
    while (status >> word) {
        std::int64_t kilobytes = 0;
        if (word == "VmHWM:" && status >> kilobytes) { return kilobytes * 1024; }
    }
    return 0;
}

std::string status_text(int status) {
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace rushproof::simulator
