// Things that are due at a time, earliest first, equal times in the order of adding.  Removing one
// takes it out at once, together with what its payload holds on to.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace rushproof::simulator {

struct TimerId {
    std::uint32_t slot = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t generation = 0;
};

// A binary heap of small entries over a table of slots that hold the payloads.  Payloads are only
// ever move-constructed: assigning to an any_completion_handler of Boost 1.81 never returns.
template <class Payload>
class TimerQueue {
public:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    TimerId add(std::int64_t at, Payload payload) {
        std::uint32_t slot = 0;
        if (free_.empty()) {
            slot = static_cast<std::uint32_t>(slots_.size());
            slots_.emplace_back();
        } else {
            slot = free_.back();
            free_.pop_back();
        }
        slots_[slot].payload.emplace(std::move(payload));
        heap_.push_back({at, next_sequence_++, slot});
        rise(heap_.size() - 1);
        return {slot, slots_[slot].generation};
    }

    // The payload; nothing when the timer has left the queue already.
    std::optional<Payload> remove(TimerId id) {
        if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation) {
            return std::nullopt;
        }
        return take(slots_[id.slot].position);
    }

    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    // When the earliest is due; `never` when there is none.
    std::int64_t next() const { return heap_.empty() ? never : heap_.front().at; }
    Payload pop() { return take(0); }

private:
    struct Entry {
        std::int64_t at;
        std::uint64_t sequence;
        std::uint32_t slot;
        bool before(const Entry& other) const {
            return at != other.at ? at < other.at : sequence < other.sequence;
        }
    };
    struct Slot {
        std::optional<Payload> payload;
        std::size_t position = 0;
        std::uint32_t generation = 0;
    };

    Payload take(std::size_t position) {
        Slot& slot = slots_[heap_[position].slot];
        Payload payload = std::move(*slot.payload);
        slot.payload.reset();
        ++slot.generation;
        free_.push_back(heap_[position].slot);
        const Entry last = heap_.back();
        heap_.pop_back();
        if (position < heap_.size()) {
            heap_[position] = last;
            rise(position);
            sink(slots_[last.slot].position);
        }
        return payload;
    }
    void place(std::size_t position, Entry entry) {
        heap_[position] = entry;
        slots_[entry.slot].position = position;
    }
    void rise(std::size_t position) {
        const Entry entry = heap_[position];
        while (position > 0 && entry.before(heap_[(position - 1) / 2])) {
            place(position, heap_[(position - 1) / 2]);
            position = (position - 1) / 2;
        }
        place(position, entry);
    }
    void sink(std::size_t position) {
        const Entry entry = heap_[position];
        for (;;) {
            std::size_t child = 2 * position + 1;
            if (child >= heap_.size()) { break; }
            if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) { ++child; }
            if (!heap_[child].before(entry)) { break; }
            place(position, heap_[child]);
            position = child;
        }
        place(position, entry);
    }

    std::vector<Entry> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t next_sequence_ = 0;
};

}  // namespace rushproof::simulator
