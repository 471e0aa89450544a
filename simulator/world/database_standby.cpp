// How the servers of a database follow one another.
#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <functional>

#include "core/base/assert.hpp"
#include "simulator/load/draws.hpp"
#include "simulator/world/database_server.hpp"

namespace rushproof::simulator {

namespace {

// wal_retrieve_retry_interval of infra/stack.
constexpr Duration retry_interval = std::chrono::milliseconds(100);
constexpr Duration ask_within = std::chrono::seconds(2);
// How often what is replayed is in the way of a query, as the traces of a vacuum are.
constexpr std::uint32_t conflict_millionths = 10'000;

}  // namespace

Task<Result<std::int64_t>> DatabaseServer::ask_replayed(DatabaseServer& server) {
    if (!server.standby()) { co_return no_standby; }
    co_return static_cast<std::int64_t>(server.model_->replayed());
}

Task<Result<std::int64_t>> DatabaseServer::ask_flushed(DatabaseServer& server) {
    co_return static_cast<std::int64_t>(server.model_->flushed());
}

// --- the primary's side ---

void DatabaseServer::send_log() {
    if (!up()) { return; }
    const LogPosition position = model_->flushed();
    for (DatabaseServer* standby : standbys_) {
        network_.send(*host_, standby->machine_, "log", position,
                      [standby, attachment = standby->attachment_, position](Host&) {
                          standby->receive(attachment, position);
                      });
    }
}

LogPosition DatabaseServer::replicated() const {
    const auto needed = static_cast<std::size_t>(system_.synchronous_standbys);
    std::vector<LogPosition> positions;
    positions.reserve(standbys_.size());
    for (const DatabaseServer* standby : standbys_) { positions.push_back(standby->acknowledged_); }
    if (positions.size() < needed) { return 0; }
    std::sort(positions.begin(), positions.end(), std::greater<>());
    return positions[needed - 1];
}

Task<void> DatabaseServer::wait_until_replicated(DatabaseServer& server, LogPosition position) {
    if (server.replicated() >= position) { co_return; }
    auto start = [&](ReplyTo<bool> to) { server.waiting_.emplace(position, to); };
    co_await server.host_->reply<bool>("synchronous standby", std::nullopt, std::move(start));
}

void DatabaseServer::release_commits() {
    const auto last = waiting_.upper_bound(replicated());
    for (auto commit = waiting_.begin(); commit != last; ++commit) {
        host_->answer(commit->second, Result<bool>(true));
    }
    waiting_.erase(waiting_.begin(), last);
}

// --- the standby's side ---

void DatabaseServer::follow(DatabaseServer& primary) {
    RP_ASSERT(!up() && &primary != this);
    detach();
    primary_ = &primary;
    ++attachment_;
    primary.standbys_.push_back(this);
    model_->follow(*primary.model_);
    received_ = model_->replay();
    acknowledged_ = 0;
    replay_paused_ = false;
}

void DatabaseServer::detach() {
    if (primary_ == nullptr) { return; }
    std::erase(primary_->standbys_, this);
    primary_ = nullptr;
}

std::size_t DatabaseServer::promote() {
    RP_ASSERT(up() && standby());
    model_->replay(received_ - model_->replayed());
    const std::size_t lacking = primary_->model_->position() - received_;
    model_->promote();
    detach();
    ++attachment_;
    replay_paused_ = false;
    return lacking;
}

Task<void> DatabaseServer::catch_up(DatabaseServer& standby, std::uint64_t attachment) {
    Host& host = *standby.host_;
    while (standby.attachment_ == attachment) {
        DatabaseServer& primary = *standby.primary_;
        const Context context(host.clock().monotonic() + ask_within);
        auto serve = [&primary](Host&, Context) { return ask_flushed(primary); };
        const auto flushed = co_await standby.network_.call<std::int64_t>(
            host, primary.machine_, "stream log", 0, context, std::move(serve));
        if (flushed) {
            standby.receive(attachment, static_cast<LogPosition>(*flushed));
            co_return;
        }
        co_await sleep_for(host.clock(), retry_interval);
    }
}

void DatabaseServer::receive(std::uint64_t attachment, LogPosition position) {
    if (attachment != attachment_) { return; }
    received_ = std::max(received_, position);
    if (system_.synchronous_standbys > 0) {
        network_.send(*host_, primary_->machine_, "log received", received_,
                      [this, primary = primary_, attachment, got = received_](Host&) {
                          if (attachment != attachment_) { return; }
                          acknowledged_ = std::max(acknowledged_, got);
                          primary->release_commits();
                      });
    }
    replay_later();
}

void DatabaseServer::replay_later() {
    if (replay_paused_ || received_ <= model_->replayed()) { return; }
    const Duration lag = draw_duration(system_.replica_lag, replay_draws_);
    last_replay_ = std::max(last_replay_, host_->clock().monotonic() + lag);
    auto then = [this, attachment = attachment_, position = received_](boost::system::error_code) {
        replay(attachment, position);
    };
    auto handler = asio::bind_executor(host_->executor("replay"), std::move(then));
    host_->clock().wait_until(last_replay_, Clock::WaitHandler(std::move(handler)));
}

void DatabaseServer::replay(std::uint64_t attachment, LogPosition position) {
    const bool stale = attachment != attachment_ || position <= model_->replayed();
    if (stale || replay_paused_) { return; }
    model_->replay(position - model_->replayed());
    if (replay_draws_.chance(conflict_millionths)) { model_->cancel_conflicts(); }
}

void DatabaseServer::set_replay_paused(bool paused) {
    replay_paused_ = paused;
    if (up() && standby()) { replay_later(); }
}

}  // namespace rushproof::simulator
