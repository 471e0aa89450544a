#include "simulator/cli/child_process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rushproof::simulator {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) { result.push_back(text.data()); }
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
    std::vector<std::string> result = additions;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::string name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const auto& addition : additions) { replaced |= addition.starts_with(name); }
        if (!replaced) { result.push_back(text); }
    }
    return result;
}

}  // namespace

Result<std::string> output_of(const std::string& program, const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment) {
    const auto refuse = [&](const std::string& why) {
        return failure(ErrorKind::permanent, "child-process", program + ": " + why);
    };
    int out[2];
    if (::pipe(out) != 0) { return refuse("no pipe: " + std::string(std::strerror(errno))); }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addclose(&actions, out[0]);
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> surroundings = environment_with(environment);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(surroundings).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    if (error != 0) {
        ::close(out[0]);
        return refuse("cannot be started: " + std::string(std::strerror(error)));
    }
    std::string text;
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = ::read(out[0], buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) { continue; }
        if (got <= 0) { break; }
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(out[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return refuse(WIFSIGNALED(status)
                          ? "killed by signal " + std::to_string(WTERMSIG(status))
                          : "ended with status " + std::to_string(WEXITSTATUS(status)));
    }
    return text;
}

}  // namespace rushproof::simulator
