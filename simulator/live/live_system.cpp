#include "simulator/live/live_system.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/assert.hpp"
#include "simulator/scenario/topology.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::string_view postgres_name = "postgres";
constexpr int ready_within_ms = 20'000;
constexpr auto drain_within = std::chrono::seconds(15);
constexpr auto sessions_within = std::chrono::seconds(3);

std::string in_milliseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
           "ms";
}

std::string file_name(std::string instance) {
    std::replace(instance.begin(), instance.end(), '/', '-');
    return instance;
}

}  // namespace

LiveSystem::LiveSystem(const Scenario& scenario, std::string program, std::string stack,
                       std::filesystem::path directory)
    : scenario_(scenario),
      program_(std::move(program)),
      stack_(std::move(stack)),
      directory_(std::move(directory)) {
    const SystemSpec& system = scenario_.system;
    const std::int64_t inventories =
        system.database == postgres_name ? system.inventories : system.shards;
    for (std::int64_t i = 0; i < inventories; ++i) {
        Instance& inventory = instances_["inventory/" + std::to_string(i)];
        inventory.listen_option = "rpc-listen";
        inventory.arguments = {"serve",
                               "--role=inventory",
                               "--listen=127.0.0.1:0",
                               "--log-level=warning",
                               "--strategy=" + system.reservation,
                               "--reservation-ttl=" + in_milliseconds(system.reservation_ttl),
                               "--sweep-interval=" + in_milliseconds(system.sweep_interval)};
    }
    for (std::int64_t i = 0; i < system.gateways; ++i) {
        Instance& gateway = instances_["gateway/" + std::to_string(i)];
        gateway.listen_option = "listen";
        gateway.arguments = {"serve", "--role=gateway", "--log-level=warning",
                             "--request-timeout=" + in_milliseconds(system.request_timeout)};
    }
    if (has_pipeline()) { describe_pipeline(); }
}

void LiveSystem::describe_pipeline() {
    const SystemSpec& system = scenario_.system;
    std::vector<std::string> queue{"--queue=" + system.queue,
                                   "--queue-size=" + std::to_string(system.queue_size)};
    std::string parts;
    for (const std::string& part : system.queue_options.providers) {
        parts += (parts.empty() ? "" : ",") + part;
    }
    if (!parts.empty()) {
        queue.push_back("--composite-providers=" + parts);
        queue.push_back("--composite-strategy=" + system.queue_options.strategy);
    }
    const auto describe = [&](const std::string& role, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            Instance& instance = instances_[role + "/" + std::to_string(i)];
            instance.listen_option = "rpc-listen";
            instance.arguments = {"serve", "--role=" + role, "--listen=127.0.0.1:0",
                                  "--log-level=warning"};
            instance.arguments.insert(instance.arguments.end(), queue.begin(), queue.end());
        }
    };
    queue.push_back("--workers=" + std::to_string(system.workers));
    describe("processor", system.database == postgres_name ? system.processors : 1);
    queue.pop_back();
    describe("ingest", system.ingests);
}

LiveSystem::~LiveSystem() {
    if (postgres_) { postgres_->end(); }
}

std::string LiveSystem::process_of(const std::string& name) const {
    const bool is_file = scenario_.system.database != postgres_name;
    constexpr std::string_view inventory = "inventory/";
    if (is_file && name.starts_with("processor/")) { return "processor/0"; }
    if (!is_file || !name.starts_with(inventory)) { return name; }
    const std::size_t number = std::stoul(name.substr(inventory.size()));
    return std::string(inventory) + std::to_string(number % shards());
}

LiveSystem::Instance& LiveSystem::instance(const std::string& name) {
    const auto found = instances_.find(process_of(name));
    RP_ASSERT(found != instances_.end());  // the plan names instances of the scenario
    return found->second;
}

std::filesystem::path LiveSystem::database_file(std::size_t shard) const {
    const std::string number = shard == 0 ? "" : "-" + std::to_string(shard + 1);
    return directory_ / ("inventory" + number + ".db");
}

Result<std::vector<std::string>> LiveSystem::start_databases() {
    std::vector<std::string> databases;
    if (scenario_.system.database == postgres_name) {
        RP_TRY(postgres_,
               PrivatePostgres::start(stack_, scenario_.system, directory_ / "postgres.log"));
        databases.push_back(postgres_->url());
        while (databases.size() < shards()) {
            const std::string name = "shard_" + std::to_string(databases.size() + 1);
            RP_TRY(std::string url, postgres_->add_database(name));
            databases.push_back(std::move(url));
        }
        return databases;
    }
    for (std::size_t shard = 0; shard < shards(); ++shard) {
        std::error_code error;
        const std::string file = database_file(shard).string();
        for (const char* suffix : {"", "-wal", "-shm"}) {
            std::filesystem::remove(file + suffix, error);
        }
        databases.push_back("sqlite:" + file);
    }
    return databases;
}

Result<DatabaseContents> LiveSystem::read_database() const {
    std::vector<DatabaseContents> contents(shards());
    for (std::size_t shard = 0; shard < shards(); ++shard) {
        RP_TRY(contents[shard],
               postgres_ ? read_postgres(databases_.at(shard)) : read_sqlite(database_file(shard)));
    }
    if (has_pipeline()) {
        const auto pipeline = postgres_ ? count_messages_postgres(databases_.front())
                                        : count_messages_sqlite(pipeline_file());
        RP_CHECK(pipeline.map([](const PipelineContents&) {}));
        contents.front().pipeline = *pipeline;
    }
    return merge_shards(std::move(contents));
}

Result<void> LiveSystem::launch(const std::string& name, Instance& instance, int ready) {
    std::vector<std::string> arguments = instance.arguments;
    arguments.push_back("--" + instance.listen_option + "=" + instance.address);
    arguments.push_back("--ready-fd=" + std::to_string(Child::ready_descriptor));
    RP_TRY(Child child,
           Child::start(program_, arguments, directory_ / (file_name(name) + ".log"), ready));
    instance.child.emplace(std::move(child));
    instance.paused = false;
    return {};
}

// A line comes through the pipe when the process is ready.
Result<void> LiveSystem::start_first_time(const std::string& name, Instance& instance) {
    const std::string log = (directory_ / (file_name(name) + ".log")).string();
    RP_TRY(HeldPort port, HeldPort::any());
    instance.address = port.address();
    instance.port.emplace(std::move(port));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return failure(ErrorKind::permanent, "cannot-start", "no pipe");
    }
    const auto launched = launch(name, instance, ends[1]);
    ::close(ends[1]);
    std::string line;
    std::array<char, 512> buffer;
    pollfd waiting{ends[0], POLLIN, 0};
    while (launched && ::poll(&waiting, 1, ready_within_ms) > 0) {
        const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
        if (got <= 0) { break; }
        line.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    if (!launched) { return failure(launched.error()); }
    if (line.empty()) {
        return failure(ErrorKind::permanent, "cannot-start",
                       name + " did not get ready; see " + log);
    }
    return {};
}

Result<std::string> LiveSystem::start_role(const std::string& role,
                                           std::vector<std::string> arguments) {
    std::string urls;
    for (auto& [name, instance] : instances_) {
        if (!name.starts_with(role + "/")) { continue; }
        auto& its = instance.arguments;
        its.insert(its.end(), arguments.begin(), arguments.end());
        const auto to_brokers =
            role == "gateway" ? std::vector<std::string>() : brokers_.arguments_for(name);
        its.insert(its.end(), to_brokers.begin(), to_brokers.end());
        RP_CHECK(start_first_time(name, instance));
        urls += (urls.empty() ? "http://" : ",http://") + instance.address;
    }
    return urls;
}

Result<void> LiveSystem::start_inventories() {
    inventory_urls_.resize(shards());
    for (auto& [name, instance] : instances_) {
        if (!name.starts_with("inventory/")) { continue; }
        const std::size_t shard = std::stoul(name.substr(name.find('/') + 1)) % shards();
        instance.arguments.push_back("--database=" + databases_[shard]);
        instance.arguments.push_back("--shard=" + std::to_string(shard + 1) + "/" +
                                     std::to_string(shards()));
        if (postgres_ && !postgres_->replica_url().empty()) {
            instance.arguments.push_back("--database-replica=" + postgres_->replica_url());
            instance.arguments.push_back("--reads=" + scenario_.system.reads);
        }
        RP_CHECK(start_first_time(name, instance));
        std::string& urls = inventory_urls_[shard];
        urls += (urls.empty() ? "http://" : ",http://") + instance.address;
    }
    return {};
}

Result<void> LiveSystem::start_pipeline() {
    std::vector<std::string> clients;
    for (const auto& [name, instance] : instances_) {
        if (name.starts_with("ingest/") || name.starts_with("processor/")) {
            clients.push_back(name);
        }
    }
    RP_CHECK(brokers_.start(stack_, brokers(scenario_), clients, directory_));
    std::error_code error;
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::filesystem::remove(pipeline_file().string() + suffix, error);
    }
    const std::string database =
        postgres_ ? postgres_->url() : "sqlite:" + pipeline_file().string();
    std::vector<std::string> arguments{"--database=" + database};
    arguments.push_back("--inventory-url=" + inventory_urls_.front());
    RP_TRY(const std::string processors, start_role("processor", std::move(arguments)));
    RP_TRY(const std::string ingests, start_role("ingest", {"--processor-url=" + processors}));
    gateway_arguments_.push_back("--ingest-url=" + ingests);
    gateway_arguments_.push_back("--processor-url=" + processors);
    return {};
}

Result<void> LiveSystem::start_all() {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    RP_TRY(databases_, start_databases());
    RP_CHECK(start_inventories());
    if (has_pipeline()) { RP_CHECK(start_pipeline()); }
    std::string inventory_urls;
    for (const std::string& of_shard : inventory_urls_) {
        inventory_urls += (inventory_urls.empty() ? "" : ";") + of_shard;
    }
    gateway_arguments_.push_back("--inventory-url=" + inventory_urls);
    RP_CHECK(start_role("gateway", gateway_arguments_).map([](const std::string&) {}));
    for (const auto& [name, instance] : instances_) {
        if (name.starts_with("gateway/")) { gateway_urls_.push_back("http://" + instance.address); }
    }
    return {};
}

void LiveSystem::stop_role(const std::string& role, std::string& troubles) {
    for (auto& [name, instance] : instances_) {
        if (!name.starts_with(role + "/") || !instance.child) { continue; }
        instance.child->signal(SIGCONT);
        instance.child->signal(SIGTERM);
    }
    for (auto& [name, instance] : instances_) {
        if (!name.starts_with(role + "/") || !instance.child) { continue; }
        const auto status = instance.child->wait(drain_within);
        if (!status || *status != 0) {
            troubles += (troubles.empty() ? "" : "; ") + name +
                        (status ? " ended with " + status_text(*status) : " did not drain in time");
        }
        instance.child.reset();
    }
}

// Each before those that it calls.
Result<void> LiveSystem::stop_all() {
    std::string troubles;
    for (const char* role : {"gateway", "ingest", "processor", "inventory"}) {
        stop_role(role, troubles);
    }
    if (troubles.empty()) { return {}; }
    return failure(ErrorKind::permanent, "did-not-stop", troubles);
}

std::vector<std::string> LiveSystem::notes() const {
    std::vector<std::string> notes = brokers_.notes();
    for (const auto& [name, instance] : instances_) {
        const std::int64_t bytes = instance.child ? instance.child->memory_peak() : 0;
        if (bytes > 0) {
            notes.push_back(name + " used " + std::to_string(bytes / 1'000'000) + " MB at most");
        }
    }
    return notes;
}

std::string LiveSystem::kill(const std::string& name) {
    if (brokers_.has(name)) { return brokers_.kill(name); }
    if (const auto which = server(name)) {
        return postgres_->stop(*which, false) ? "PostgreSQL was ended without a checkpoint" : "";
    }
    Instance& target = instance(name);
    if (!target.child || !target.child->running()) { return {}; }
    const pid_t pid = target.child->pid();
    target.child->signal(SIGKILL);
    const auto status = target.child->wait(std::chrono::seconds(5));
    target.child.reset();
    return status ? "process " + std::to_string(pid) + " ended with " + status_text(*status)
                  : std::string();
}

std::string LiveSystem::terminate(const std::string& name) {
    if (brokers_.has(name)) { return brokers_.terminate(name); }
    if (const auto which = server(name)) {
        return postgres_->stop(*which, true) ? "PostgreSQL was shut down" : "";
    }
    Instance& target = instance(name);
    if (!target.child || !target.child->running()) { return {}; }
    target.child->signal(SIGTERM);
    return "process " + std::to_string(target.child->pid()) + " was asked to end";
}

std::string LiveSystem::start(const std::string& name) {
    if (brokers_.has(name)) { return brokers_.start_again(name); }
    if (const auto which = server(name)) {
        return postgres_->start_again(*which) ? "PostgreSQL started" : "";
    }
    Instance& target = instance(name);
    std::string evidence;
    if (target.child) {
        if (target.child->running() && target.child->wait(drain_within)) {
            evidence = "it had drained; ";
        } else if (target.child->running()) {
            return {};
        }
        target.child.reset();
    }
    const int nobody = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const auto launched = launch(process_of(name), target, nobody);
    ::close(nobody);
    return launched ? evidence + "process " + std::to_string(target.child->pid()) + " started"
                    : std::string();
}

std::optional<PrivatePostgres::Server> LiveSystem::server(const std::string& name) const {
    if (!postgres_) { return std::nullopt; }
    if (name.starts_with("database")) { return PrivatePostgres::Server::first; }
    if (name == "replica/0") { return PrivatePostgres::Server::replica; }
    return std::nullopt;
}

std::string LiveSystem::terminate_backends(const std::string& name) {
    const auto named = server(name);
    const auto which = name.starts_with("database") || !named ? postgres_->primary() : *named;
    // Those who lost the last ones may still be on their way back.
    const auto give_up = std::chrono::steady_clock::now() + sessions_within;
    std::string count;
    do {
        count = postgres_->ask(
            which,
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND usename = 'rushproof'");
    } while ((count.empty() || count == "0") && std::chrono::steady_clock::now() < give_up);
    return count.empty() || count == "0" ? "" : count + " backends terminated";
}

std::string LiveSystem::promote(const Promotion& promotion) {
    const auto named = server(promotion.target);
    const bool possible =
        promotion.target.starts_with("database") || (named && *named == postgres_->standby());
    const auto old = postgres_->primary();
    if (!possible || !postgres_->promote()) { return {}; }
    demoted_[promotion.id] = old;
    // The first digits of the name of a file of the log.
    const std::string timeline = postgres_->ask(
        postgres_->primary(),
        "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int");
    const bool first = postgres_->primary() == PrivatePostgres::Server::first;
    return std::string(first ? "database" : "replica/0") + " took over on timeline " + timeline;
}

std::string LiveSystem::rejoin(const std::string& id) {
    const auto found = demoted_.find(id);
    if (found == demoted_.end()) { return {}; }
    const auto old = found->second;
    demoted_.erase(found);
    if (old == postgres_->primary() || !postgres_->start_again(old)) { return {}; }
    return std::string(old == PrivatePostgres::Server::first ? "database" : "replica/0") +
           " follows it";
}

std::string LiveSystem::pause_replay(const std::string& name) {
    const auto which = server(name);
    if (!which || *which == postgres_->primary()) { return {}; }
    postgres_->ask(*which, "SELECT pg_wal_replay_pause()");
    const std::string state = postgres_->ask(*which, "SELECT pg_get_wal_replay_pause_state()");
    return state.starts_with("pause") ? "replay paused" : "";
}

std::string LiveSystem::resume_replay(const std::string& name) {
    const auto which = server(name);
    if (!which || *which == postgres_->primary()) { return {}; }
    const std::string behind =
        postgres_->ask(*which, "SELECT pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn()");
    postgres_->ask(*which, "SELECT pg_wal_replay_resume()");
    return behind.empty() ? "" : "replay goes on, " + behind + " bytes behind";
}

std::string LiveSystem::pause(const std::string& name) {
    if (brokers_.has(name)) { return brokers_.pause(name); }
    Instance& target = instance(name);
    if (!target.child || !target.child->running() || target.paused) { return {}; }
    target.child->signal(SIGSTOP);
    target.paused = true;
    return "process " + std::to_string(target.child->pid()) + " frozen";
}

std::string LiveSystem::resume(const std::string& name) {
    if (brokers_.has(name)) { return brokers_.resume(name); }
    Instance& target = instance(name);
    if (!target.child || !target.paused) { return {}; }
    target.child->signal(SIGCONT);
    target.paused = false;
    return "process " + std::to_string(target.child->pid()) + " running again";
}

}  // namespace rushproof::simulator
