#include "simulator/live/private_postgres.hpp"

#include <pqxx/pqxx>

namespace rushproof::simulator {

namespace {

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
    RP_TRY(PrivateStack servers, PrivateStack::start(stack, "postgres", options_of(system), log));
    PrivatePostgres postgres(std::move(servers));
    postgres.first_ = {postgres.stack_.variable("RUSHPROOF_POSTGRES_URL"),
                       postgres.stack_.variable("RUSHPROOF_POSTGRES_ADMIN_URL")};
    postgres.replica_ = {postgres.stack_.variable("RUSHPROOF_POSTGRES_REPLICA_URL"),
                         postgres.stack_.variable("RUSHPROOF_POSTGRES_REPLICA_ADMIN_URL")};
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
    return stack_.run("stop", {stack_.folder(), clean ? "--clean" : "--crash", folder_of(server)});
}

bool PrivatePostgres::start_again(Server server) {
    if (server == primary_ || !demoted_) {
        return stack_.run("restart", {stack_.folder(), folder_of(server)});
    }
    demoted_ = !stack_.run("rejoin", {stack_.folder(), folder_of(server)});
    return !demoted_;
}

bool PrivatePostgres::promote() {
    if (!has_standby() || !stop(primary_, false)) { return false; }
    if (!stack_.run("promote", {stack_.folder(), folder_of(standby())})) { return false; }
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

void PrivatePostgres::end() { stack_.end(); }

}  // namespace rushproof::simulator
