#include "simulator/live/private_stack.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

namespace rushproof::simulator {

namespace {

constexpr int ready_within_ms = 120'000;  // the first start of all makes a template
constexpr auto stop_within = std::chrono::seconds(60);
constexpr auto script_within = std::chrono::seconds(60);
// `stack run` ends when this does, and is ended by our death; Ctrl-C is for us alone.
constexpr const char* report_and_stay =
    "trap '' INT; env | grep ^RUSHPROOF_ && echo ready && exec sleep infinity";

// NAME=value lines, up to the line "ready"; empty when it does not come.
std::map<std::string, std::string> read_variables(int pipe) {
    std::string text;
    std::array<char, 1024> buffer;
    pollfd waiting{pipe, POLLIN, 0};
    while (!text.ends_with("\nready\n")) {
        if (::poll(&waiting, 1, ready_within_ms) <= 0) { return {}; }
        const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
        if (got <= 0) { return {}; }
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::map<std::string, std::string> variables;
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
        const std::string line = text.substr(begin, end - begin);
        const auto equals = line.find('=');
        if (equals != line.npos) { variables[line.substr(0, equals)] = line.substr(equals + 1); }
        begin = end + 1;
    }
    return variables;
}

std::string upper(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word;
}

}  // namespace

Result<PrivateStack> PrivateStack::start(const std::string& stack, const std::string& server,
                                         const std::string& options,
                                         const std::filesystem::path& log) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return failure(ErrorKind::permanent, "cannot-start", "no pipe");
    }
    const std::string command = "exec \"$0\" run " + server + options + " -- sh -c \"$1\" >&" +
                                std::to_string(Child::ready_descriptor);
    auto keeper = Child::start("/bin/sh", {"-c", command, stack, report_and_stay}, log, ends[1]);
    ::close(ends[1]);
    auto variables = keeper ? read_variables(ends[0]) : std::map<std::string, std::string>();
    ::close(ends[0]);
    RP_CHECK(keeper.map([](const Child&) {}));
    const std::string folder = variables["RUSHPROOF_" + upper(server) + "_FOLDER"];
    if (folder.empty()) {
        return failure(ErrorKind::permanent, "cannot-start",
                       "no " + server + " (rushproof doctor says why); see " + log.string());
    }
    PrivateStack servers(*std::move(keeper), std::filesystem::path(stack).parent_path() / server,
                         log);
    servers.folder_ = folder;
    servers.variables_ = std::move(variables);
    return servers;
}

std::string PrivateStack::variable(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::string() : found->second;
}

bool PrivateStack::run(const std::string& script, std::vector<std::string> arguments) const {
    const int nobody = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    auto child = Child::start((scripts_ / script).string(), arguments, log_, nobody);
    ::close(nobody);
    const auto status = child ? child->wait(script_within) : std::nullopt;
    return status && *status == 0;
}

void PrivateStack::end() {
    keeper_.signal(SIGTERM);
    keeper_.wait(stop_within);
}

}  // namespace rushproof::simulator
