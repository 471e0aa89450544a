// rushproof doctor: what works on this machine, and how to get what does not.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_one.hpp"

namespace rushproof::simulator {

namespace {

struct Finding {
    std::string what;
    bool good;
    std::string detail;  // what was seen; when not good, also what to do
};

Finding cores() {
    const unsigned count = std::thread::hardware_concurrency();
    return {"cores", count >= 2,
            std::to_string(count) +
                (count >= 2 ? "" : ": live latencies will not be believed; use two or more")};
}

Finding clock_source() {
    std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    std::string name;
    std::getline(file, name);
    const bool good = name == "tsc" || name == "kvm-clock" || name == "arch_sys_counter";
    return {"clock source", good,
            (name.empty() ? "unknown" : name) +
                (good ? "" : ": reading the time is slow; live numbers get coarser")};
}

Finding loopback() {
    const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool good = file >= 0 &&
                      ::bind(file, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                      ::listen(file, 1) == 0;
    if (file >= 0) { ::close(file); }
    return {"loopback ports", good,
            good ? "free ones can be had" : "127.0.0.1 cannot be listened on: live runs will fail"};
}

Finding service_program() {
    const auto program = program_beside_this_one();
    const bool good = ::access(program.c_str(), X_OK) == 0;
    return {"rushproofd", good,
            good ? program.string()
                 : "not beside this program: build it (cmake --build ... --target rushproofd) or "
                   "give --rushproofd"};
}

// How many writes a second the disk under the temporary folder makes durable.
Finding disk() {
    const auto path =
        std::filesystem::temp_directory_path() / ("rushproof-doctor-" + std::to_string(::getpid()));
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        return {"disk", false,
                path.string() + " cannot be written: set TMPDIR to a folder that can"};
    }
    const auto started = std::chrono::steady_clock::now();
    int writes = 0;
    bool good = true;
    while (good && std::chrono::steady_clock::now() - started < std::chrono::milliseconds(200)) {
        good = ::pwrite(file, "rushproof", 9, 0) == 9 && ::fdatasync(file) == 0;
        ++writes;
    }
    ::close(file);
    std::filesystem::remove(path);
    return {"disk", good,
            std::to_string(writes * 5) + " fdatasync a second in " + path.parent_path().string()};
}

// What infra/stack can start; its own text says how to get what is missing.
Finding server(std::string what, const std::string& name, const std::string& who_needs_it) {
    const std::string command =
        "'" + stack_program().string() + "' run " + name + " --fast --no-replica -- true 2>&1";
    std::string said;
    FILE* const pipe = ::popen(command.c_str(), "r");
    for (int c = pipe == nullptr ? EOF : std::getc(pipe); c != EOF; c = std::getc(pipe)) {
        said += c == '\n' ? ' ' : static_cast<char>(c);
    }
    const bool good = pipe != nullptr && ::pclose(pipe) == 0;
    if (!good) { return {std::move(what), false, said + "(only " + who_needs_it + ")"}; }
    return {std::move(what), true,
            said.find("stand-in") == std::string::npos ? "a private one can be started" : said};
}

int doctor() {
    int problems = 0;
    for (const Finding& finding :
         {cores(), clock_source(), loopback(), service_program(),
          server("PostgreSQL", "postgres", "scenarios with database: postgres"),
          server("NATS", "nats", "scenarios with queue: nats"),
          server("Kafka", "kafka", "scenarios with queue: kafka"),
          server("RabbitMQ", "rabbitmq", "what sends its jobs to RabbitMQ"), disk()}) {
        std::printf("%-4s %-16s %s\n", finding.good ? "ok" : "NO", finding.what.c_str(),
                    finding.detail.c_str());
        problems += finding.good ? 0 : 1;
    }
    std::printf(
        "\nVirtual time needs none of this and injects every fault (rushproof list faults).\n"
        "Live runs inject kill, stop, pause and restart; they need all of the above.\n");
    return problems == 0 ? 0 : static_cast<int>(ExitCode::unknown);
}

}  // namespace

Command add_doctor(CLI::App& app) {
    auto* parser = app.add_subcommand(
        "doctor", "Say what works on this machine, and how to get what does not");
    return {parser, doctor};
}

}  // namespace rushproof::simulator
