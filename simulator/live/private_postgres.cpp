#include "simulator/live/private_postgres.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <pqxx/pqxx>

namespace rushproof::simulator {

namespace {

constexpr int ready_within_ms = 120'000;  // the first start of all makes a template
constexpr auto stop_within = std::chrono::seconds(60);
constexpr auto script_within = std::chrono::seconds(60);
// `stack run` ends when this does, and is ended by our death; Ctrl-C is for us alone.
constexpr const char* report_and_stay =
    "trap '' INT; env | grep ^RUSHPROOF_POSTGRES_ && echo ready && exec sleep infinity";

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

// What `stack run` is told of the scenario.
std::string options_of(const SystemSpec& system) {
    std::string options = system.replicas == 0 ? " --no-replica" : "";
    if (!system.synchronous_commit) { options += " --set postgres.synchronous_commit=off"; }
    if (system.synchronous_standbys > 0) {
        options += " --set postgres.synchronous_standby_names=replica";
    }
    return options;
}

// The name of a server in infra/stack.
std::string folder_of(PrivatePostgres::Server server) {
    return server == PrivatePostgres::Server::first ? "primary" : "replica";
}

// postgresql://user:password@HOST:PORT/database
std::string host_of(const std::string& url) {
    const auto begin = url.rfind('@') + 1;
    return url.substr(begin, url.find('/', begin) - begin);
}

}  // namespace

Result<PrivatePostgres> PrivatePostgres::start(const std::string& stack, const SystemSpec& system,
                                               const std::filesystem::path& log) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return failure(ErrorKind::permanent, "cannot-start", "no pipe");
    }
    const std::string command = "exec \"$0\" run postgres" + options_of(system) +
                                " -- sh -c \"$1\" >&" + std::to_string(Child::ready_descriptor);
    auto keeper = Child::start("/bin/sh", {"-c", command, stack, report_and_stay}, log, ends[1]);
    ::close(ends[1]);
    auto variables = keeper ? read_variables(ends[0]) : std::map<std::string, std::string>();
    ::close(ends[0]);
    RP_CHECK(keeper.map([](const Child&) {}));
    const std::string folder = variables["RUSHPROOF_POSTGRES_FOLDER"];
    if (folder.empty()) {
        return failure(ErrorKind::permanent, "cannot-start",
                       "no PostgreSQL (rushproof doctor says why); see " + log.string());
    }
    PrivatePostgres postgres(*std::move(keeper),
                             std::filesystem::path(stack).parent_path() / "postgres", log);
    postgres.folder_ = folder;
    postgres.first_ = {variables["RUSHPROOF_POSTGRES_URL"],
                       variables["RUSHPROOF_POSTGRES_ADMIN_URL"]};
    postgres.replica_ = {variables["RUSHPROOF_POSTGRES_REPLICA_URL"],
                         variables["RUSHPROOF_POSTGRES_REPLICA_ADMIN_URL"]};
    return postgres;
}

std::string PrivatePostgres::url() const {
    if (replica_.url.empty()) { return first_.url; }
    const auto end = first_.url.find('/', first_.url.rfind('@'));
    return first_.url.substr(0, end) + ',' + host_of(replica_.url) + first_.url.substr(end) +
           "?target_session_attrs=read-write";
}

Result<std::string> PrivatePostgres::add_database(const std::string& name) const {
    try {
        pqxx::connection connection(first_.admin_url);
        pqxx::nontransaction work(connection);
        work.exec("CREATE DATABASE " + connection.quote_name(name) + " OWNER rushproof");
    } catch (const pqxx::failure& error) {
        return failure(ErrorKind::permanent, "cannot-start",
                       "PostgreSQL makes no database " + name + ": " + error.what());
    }
    return first_.url.substr(0, first_.url.rfind('/') + 1) + name;
}

PrivatePostgres::Server PrivatePostgres::standby() const {
    return primary_ == Server::first ? Server::replica : Server::first;
}

bool PrivatePostgres::stop(Server server, bool clean) {
    return run("stop", {folder_, clean ? "--clean" : "--crash", folder_of(server)});
}

bool PrivatePostgres::start_again(Server server) {
    if (server == primary_ || !demoted_) { return run("restart", {folder_, folder_of(server)}); }
    demoted_ = !run("rejoin", {folder_, folder_of(server)});
    return !demoted_;
}

bool PrivatePostgres::promote() {
    if (!has_standby() || !stop(primary_, false)) { return false; }
    if (!run("promote", {folder_, folder_of(standby())})) { return false; }
    primary_ = standby();
    demoted_ = true;
    return true;
}

std::string PrivatePostgres::ask(Server server, const std::string& sql) const {
    try {
        pqxx::connection connection(server == Server::first ? first_.admin_url
                                                            : replica_.admin_url);
        pqxx::nontransaction work(connection);
        const auto value = work.exec1(sql)[0];
        return value.is_null() ? std::string() : value.as<std::string>();
    } catch (const pqxx::failure&) { return {}; }
}

bool PrivatePostgres::run(const std::string& script, std::vector<std::string> arguments) {
    const int nobody = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    auto child = Child::start((scripts_ / script).string(), arguments, log_, nobody);
    ::close(nobody);
    const auto status = child ? child->wait(script_within) : std::nullopt;
    return status && *status == 0;
}

void PrivatePostgres::end() {
    keeper_.signal(SIGTERM);
    keeper_.wait(stop_within);
}

}  // namespace rushproof::simulator
