#include "simulator/world/database_cluster.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

std::string counted(std::uint64_t count, const std::string& what) {
    return count == 0 ? std::string() : std::to_string(count) + " " + what;
}

}  // namespace

DatabaseCluster::DatabaseCluster(Network& network, const std::vector<Machine*>& machines,
                                 const ModelSchema& schema, const SystemSpec& system) {
    RP_ASSERT(!machines.empty());
    for (Machine* machine : machines) {
        servers_.push_back(std::make_unique<DatabaseServer>(network, *machine, schema, system));
    }
    primary_ = servers_.front().get();
    for (const auto& server : servers_) {
        if (server.get() != primary_) { server->follow(*primary_); }
        server->start();
    }
}

DatabaseCluster::~DatabaseCluster() {
    for (const auto& server : servers_) { server->destroy_process(); }
}

DatabaseServer* DatabaseCluster::find(std::string_view name) const {
    for (const auto& server : servers_) {
        if (server->name() == name) { return server.get(); }
    }
    return nullptr;
}

DatabaseServer& DatabaseCluster::meant(const std::string& name) const {
    DatabaseServer* const named = find(name);
    return named == nullptr || named == servers_.front().get() ? *primary_ : *named;
}

std::string DatabaseCluster::kill(DatabaseServer& server) {
    if (!server.up()) { return {}; }
    const std::size_t lost = server.kill();
    return "the database process died" +
           (lost == 0 ? std::string() : " with " + std::to_string(lost) + " acknowledged commits");
}

std::string DatabaseCluster::terminate(DatabaseServer& server) {
    if (!server.up() || server.shutting_down()) { return {}; }
    const std::uint32_t incarnation = server.machine().host()->incarnation();
    server.shut_down([this, &server, incarnation] {
        Host* const host = server.machine().host();
        if (host == nullptr || host->incarnation() != incarnation) { return; }
        server.kill();
        if (std::exchange(start_when_ended_[server.name()], false)) { start(server); }
    });
    return "the database was asked to end";
}

std::string DatabaseCluster::start(DatabaseServer& server) {
    if (server.shutting_down()) {
        start_when_ended_[server.name()] = true;
        return "starts when it has ended";
    }
    if (server.up()) { return {}; }
    if (&server != primary_ && !server.standby()) { server.follow(*primary_); }
    server.start();
    return server.standby() ? "the standby is back" : "the database process is back";
}

DatabaseServer* DatabaseCluster::most_advanced() const {
    DatabaseServer* best = nullptr;
    for (const auto& server : servers_) {
        if (!server->up() || !server->standby()) { continue; }
        if (best == nullptr || server->received() > best->received()) { best = server.get(); }
    }
    return best;
}

void DatabaseCluster::rebuild(DatabaseServer& server) {
    const bool was_up = server.up();
    if (was_up) { server.kill(); }
    server.follow(*primary_);
    if (was_up) { server.start(); }
}

std::string DatabaseCluster::promote(const Promotion& promotion) {
    DatabaseServer* const named = find(promotion.target);
    const bool any = named == nullptr || named == servers_.front().get();
    DatabaseServer* const next = any ? most_advanced() : named;
    if (next == nullptr || !next->up() || !next->standby() || next->shutting_down()) { return {}; }
    DatabaseServer& old = *primary_;
    if (old.up() && !promotion.split_brain) { old.kill(); }
    const std::size_t lacking = next->promote();
    primary_ = next;
    demoted_[promotion.id] = &old;
    for (const auto& server : servers_) {
        const bool other = server.get() != next && server.get() != &old;
        if (other && server->standby()) { rebuild(*server); }
    }
    return next->name() + " took over on timeline " + std::to_string(++timeline_) +
           (lacking == 0
                ? std::string()
                : " without the last " + std::to_string(lacking) + " commits of " + old.name());
}

std::string DatabaseCluster::rejoin(const std::string& id) {
    const auto found = demoted_.find(id);
    if (found == demoted_.end()) { return {}; }
    DatabaseServer& old = *found->second;
    demoted_.erase(found);
    if (&old == primary_) { return {}; }
    if (!old.standby()) { rebuild(old); }
    if (!old.up()) { old.start(); }
    return old.name() + " follows it";
}

std::string DatabaseCluster::pause_replay(DatabaseServer& server) {
    if (!server.standby() || server.replay_paused()) { return {}; }
    server.set_replay_paused(true);
    return "replay paused";
}

std::string DatabaseCluster::resume_replay(DatabaseServer& server) {
    if (!server.replay_paused()) { return {}; }
    const LogPosition behind = server.received() - server.model().replayed();
    server.set_replay_paused(false);
    return "replay goes on, " + std::to_string(behind) + " commits behind";
}

std::string DatabaseCluster::terminate_backends(const std::string& name) {
    return counted(meant(name).terminate_sessions(), "backends terminated");
}

std::string DatabaseCluster::lose_commit_answers(const std::string& id, std::uint32_t millionths) {
    primary_->lose_commit_answers(id, millionths);
    return {};
}

std::string DatabaseCluster::heal_commits(const std::string& id) {
    std::uint64_t lost = 0;
    for (const auto& server : servers_) { lost += server->heal_commits(id); }
    return counted(lost, "commits lost their answer");
}

std::string DatabaseCluster::shorten_lock_waits(const std::string& id, const std::string& name,
                                                Duration timeout) {
    DatabaseServer& server = meant(name);
    hits_[id] = {&server, server.model().metrics().lock_timeouts};
    server.model().set_lock_timeout(timeout);
    return {};
}

std::string DatabaseCluster::heal_lock_waits(const std::string& id) {
    const auto hit = hits_.extract(id);
    if (hit.empty()) { return {}; }
    const auto& [server, before] = hit.mapped();
    server->model().set_lock_timeout(std::nullopt);
    return counted(server->model().metrics().lock_timeouts - before, "waits for a lock timed out");
}

std::string DatabaseCluster::trouble_disk(const DiskTrouble& trouble) {
    DatabaseServer& server = *find(trouble.server);
    hits_[trouble.id] = {&server, server.model().metrics().without_room};
    if (trouble.full) {
        server.model().set_disk_full(true);
    } else {
        server.slow_disk(trouble.id, trouble.delay, trouble.jitter);
    }
    return {};
}

std::string DatabaseCluster::heal_disk(const std::string& id) {
    const auto hit = hits_.extract(id);
    if (hit.empty()) { return {}; }
    const auto& [server, before] = hit.mapped();
    if (const auto slowed = server->heal_disk(id)) { return counted(*slowed, "flushes took long"); }
    server->model().set_disk_full(false);
    return counted(server->model().metrics().without_room - before, "statements found no room");
}

}  // namespace rushproof::simulator
