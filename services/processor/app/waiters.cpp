#include "services/processor/app/waiters.hpp"

#include "services/processor/limits.hpp"

namespace rushproof::processor {

Waiters::Waiters(Environment& environment)
    : environment_(environment), scope_(environment.spawner) {}

std::uint64_t Waiters::enlist(const std::string& id) {
    if (closed_ || places_.size() >= limits::waiting) { return 0; }
    places_[++last_].id = id;
    of_ids_.emplace(id, last_);
    return last_;
}

Task<void> Waiters::wait(std::uint64_t place, MonotonicTime at) {
    const auto found = places_.find(place);
    if (found != places_.end() && !found->second.told && !closed_) {
        scope_.start("processor.wait", wake_at(place, at));
        auto keep = [found](Resumption<bool> resumption) {
            found->second.resumption.emplace(std::move(resumption));
        };
        co_await suspend<bool>(std::move(keep));
    }
    leave(place);
}

void Waiters::leave(std::uint64_t place) {
    const auto found = places_.find(place);
    if (found == places_.end()) { return; }
    const auto [first, last] = of_ids_.equal_range(found->second.id);
    for (auto each = first; each != last; ++each) {
        if (each->second != place) { continue; }
        of_ids_.erase(each);
        break;
    }
    places_.erase(found);
}

void Waiters::tell(const std::string& id) {
    const auto [first, last] = of_ids_.equal_range(id);
    for (auto each = first; each != last; ++each) { wake(each->second); }
}

void Waiters::wake(std::uint64_t place) {
    const auto found = places_.find(place);
    if (found == places_.end()) { return; }
    found->second.told = true;
    if (!found->second.resumption) { return; }
    Resumption<bool> resumption = *std::move(found->second.resumption);
    found->second.resumption.reset();
    resumption(true);
}

Task<void> Waiters::wake_at(std::uint64_t place, MonotonicTime at) {
    co_await sleep_until(environment_.clock, at);
    wake(place);
}

Task<void> Waiters::close() {
    closed_ = true;
    for (auto& [place, waiting] : places_) { wake(place); }
    scope_.cancel();
    co_await scope_.join();
}

}  // namespace rushproof::processor
