#include "simulator/cli/workers.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace rushproof::simulator {

namespace {

// Written by the signal handler, read by the loop: the one place where a global is the only way.
volatile sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

bool write_all(int file, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(file, at, size);
        if (written < 0 && errno == EINTR) { continue; }
        if (written <= 0) { return false; }
        at += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

bool read_all(int file, void* data, std::size_t size) {
    char* at = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t got = ::read(file, at, size);
        if (got < 0 && errno == EINTR) { continue; }
        if (got <= 0) { return false; }
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

constexpr std::uint64_t no_more_tasks = ~std::uint64_t{0};

// One child: task numbers go in, results (length, bytes) come out.
class Worker {
public:
    explicit Worker(const WorkerOptions& options) {
        int in[2];
        int out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) {
            throw std::runtime_error("no pipe for a worker");
        }
        std::fflush(nullptr);
        pid_ = ::fork();
        if (pid_ < 0) { throw std::runtime_error("no process for a worker"); }
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(in[1]);
            ::close(out[0]);
            serve(options, in[0], out[1]);
            ::_exit(0);
        }
        ::close(in[0]);
        ::close(out[1]);
        to_ = in[1];
        from_ = out[0];
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker() {
        if (pid_ < 0) { return; }
        // Closing the pipe would not do: later children have inherited its other end.
        write_all(to_, &no_more_tasks, sizeof no_more_tasks);
        if (interrupted != 0) { ::kill(pid_, SIGKILL); }
        ::close(to_);
        ::close(from_);
        ::waitpid(pid_, nullptr, 0);
    }

    void give(std::size_t task) {
        task_ = task;
        const auto number = static_cast<std::uint64_t>(task);
        write_all(to_, &number, sizeof number);
    }
    std::optional<std::size_t> task() const { return task_; }
    int from() const { return from_; }

    // Nothing when the child died.
    std::optional<std::string> take() {
        std::uint64_t size = 0;
        if (!read_all(from_, &size, sizeof size)) { return std::nullopt; }
        std::string result(size, '\0');
        if (!read_all(from_, result.data(), size)) { return std::nullopt; }
        task_.reset();
        return result;
    }
    std::string how_it_died() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        ::close(to_);
        ::close(from_);
        return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                                   : "ended with status " + std::to_string(WEXITSTATUS(status));
    }

private:
    static void serve(const WorkerOptions& options, int in, int out) {
        ::signal(SIGINT, SIG_IGN);
        std::uint64_t task = 0;
        while (read_all(in, &task, sizeof task) && task != no_more_tasks) {
            const std::string result = options.run(task);
            const std::uint64_t size = result.size();
            if (!write_all(out, &size, sizeof size) || !write_all(out, result.data(), size)) {
                return;
            }
        }
    }

    pid_t pid_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::optional<std::size_t> task_;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

// Waits until one of them has something to say.
std::vector<std::size_t> ready_workers(const Workers& workers) {
    std::vector<pollfd> files;
    for (const auto& worker : workers) { files.push_back({worker->from(), POLLIN, 0}); }
    std::vector<std::size_t> ready;
    if (::poll(files.data(), files.size(), 500) <= 0) { return ready; }
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].revents != 0) { ready.push_back(i); }
    }
    return ready;
}

}  // namespace

bool run_in_workers(const WorkerOptions& options) {
    interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    struct sigaction old_int = {};
    struct sigaction old_term = {};
    ::sigaction(SIGINT, &action, &old_int);
    ::sigaction(SIGTERM, &action, &old_term);

    std::size_t next = 0;
    bool wanted = true;
    Workers workers;
    const auto start_more = [&] {
        while (wanted && interrupted == 0 && next < options.tasks &&
               workers.size() < options.jobs) {
            workers.push_back(std::make_unique<Worker>(options));
            workers.back()->give(next++);
        }
    };
    start_more();
    while (!workers.empty() && interrupted == 0) {
        const auto ready = ready_workers(workers);
        for (auto index = ready.rbegin(); index != ready.rend(); ++index) {
            Worker& worker = *workers[*index];
            const std::size_t task = *worker.task();
            auto result = worker.take();
            const bool alive = result.has_value();
            const bool go_on = alive ? options.done(task, std::move(*result))
                                     : options.died(task, worker.how_it_died());
            wanted = wanted && go_on;
            if (alive && wanted && next < options.tasks) {
                worker.give(next++);
            } else {
                workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(*index));
            }
        }
        start_more();
    }
    workers.clear();
    ::sigaction(SIGINT, &old_int, nullptr);
    ::sigaction(SIGTERM, &old_term, nullptr);
    return interrupted == 0;
}

}  // namespace rushproof::simulator
