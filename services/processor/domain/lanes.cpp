#include "services/processor/domain/lanes.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

// Apart from the hash that picks an instance: else all its keys would share a few lanes.
constexpr std::uint64_t lane_seed = 0x4C61'6E65;

bool is_suspect(const Work& work) { return work.delivery.attempt > limits::deliveries_unsuspected; }

}  // namespace

void Lanes::add(Work work) {
    // What has no order to keep is spread by its id.
    const std::string& order = work.key.empty() ? work.id : work.key;
    const std::size_t number = hash64(order, lane_seed) % lanes_.size();
    lanes_[number].work.push_back(std::move(work));
    ++waiting_;
    offer(number);
}

Batch Lanes::take(std::size_t workers) {
    Batch batch;
    if (ready_.empty()) { return batch; }
    const Work& first = lanes_[ready_.front()].work.front();
    std::size_t limit = limits::batch;
    if (is_suspect(first)) {
        limit = 1;
    } else if (first.needs_call()) {
        limit = std::clamp<std::size_t>(waiting_ / std::max<std::size_t>(workers, 1), 1,
                                        limits::batch_of_calls);
    }
    const bool calls = first.needs_call();
    const bool suspect = is_suspect(first);
    for (std::size_t left = ready_.size(); left > 0 && batch.work.size() < limit; --left) {
        const std::size_t number = ready_.front();
        ready_.pop_front();
        const Work& next = lanes_[number].work.front();
        if (!batch.empty() && (next.needs_call() != calls || is_suspect(next) != suspect)) {
            ready_.push_back(number);
            continue;
        }
        take_from(number, limit, batch);
    }
    return batch;
}

bool Lanes::can_grow() const {
    if (ready_.empty() || waiting_ >= limits::batch) { return false; }
    const Work& first = lanes_[ready_.front()].work.front();
    return !first.needs_call() && !is_suspect(first);
}

void Lanes::take_from(std::size_t number, std::size_t limit, Batch& batch) {
    Lane& lane = lanes_[number];
    lane.ready = false;
    lane.taken = true;
    batch.lanes.push_back(number);
    const bool calls = lane.work.front().needs_call();
    const bool suspect = is_suspect(lane.work.front());
    while (!lane.work.empty() && batch.work.size() < limit) {
        const Work& next = lane.work.front();
        if (next.needs_call() != calls || is_suspect(next) != suspect) { break; }
        batch.work.push_back(std::move(lane.work.front()));
        lane.work.pop_front();
        --waiting_;
    }
}

void Lanes::give_back(const std::vector<std::size_t>& lanes) {
    for (const std::size_t number : lanes) {
        lanes_[number].taken = false;
        offer(number);
    }
}

void Lanes::offer(std::size_t number) {
    Lane& lane = lanes_[number];
    if (lane.taken || lane.ready || lane.work.empty()) { return; }
    lane.ready = true;
    ready_.push_back(number);
}

}  // namespace rushproof::processor
